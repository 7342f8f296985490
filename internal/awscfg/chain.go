package awscfg

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// chain are the credentials of the SDK's chain. The SDK reads the shared files once; a chain
// reads them again when its credentials have expired, as keys in them may have been replaced
// by another program.
type chain struct {
	options []func(*config.LoadOptions) error

	mu    sync.Mutex
	now   aws.CredentialsProvider
	stale bool
}

// Retrieve implements aws.CredentialsProvider.
func (c *chain) Retrieve(ctx context.Context) (aws.Credentials, error) {
	provider, err := c.provider(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	return provider.Retrieve(ctx)
}

// provider gives the one in force; it may read files.
func (c *chain) provider(ctx context.Context) (aws.CredentialsProvider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stale {
		return c.now, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx, c.options...)
	if err != nil {
		return nil, fmt.Errorf("retrieve credentials: loading the AWS configuration: %w", err)
	}
	if cfg.Credentials != nil {
		c.now = cfg.Credentials
	}
	c.stale = false
	return c.now, nil
}

// refresh lets the next Retrieve read the files again.
func (c *chain) refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stale = true
}
