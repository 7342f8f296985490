package awscfg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gst-kinesis/internal/awserr"
)

// A credential file is what kvssink's property credential-path names, in the grammar of
// FileCredentialProvider.c in AWS's Kinesis Video Streams producer SDK for C: one line of
//
//	CREDENTIALS ACCESS-KEY SECRET-KEY
//	CREDENTIALS ACCESS-KEY EXPIRATION SECRET-KEY [SESSION-TOKEN]
//
// EXPIRATION is ISO 8601, 2026-11-25T16:00:00Z; another time zone than Z is taken too. Fields
// stand between blanks or tabs. Lines that are empty count for nothing. The bounds of the
// fields are that program's.

const (
	credentialMarker  = "CREDENTIALS"
	credentialGrammar = "CREDENTIALS ACCESS-KEY SECRET-KEY, or CREDENTIALS ACCESS-KEY EXPIRATION SECRET-KEY SESSION-TOKEN with EXPIRATION as 2026-11-25T16:00:00Z"

	maxCredentialFile = 10000 // bytes
	maxKeyChars       = 128
	maxTokenChars     = 2048 * 2 // tokens have grown since

	// fileRecheck is how long what was read holds before the file is looked at again, so that
	// keys replaced before their time are followed.
	fileRecheck = 5 * time.Minute
)

// fileProvider reads credentials from a file.
type fileProvider struct {
	path string
	now  func() time.Time
}

// Retrieve implements aws.CredentialsProvider.
func (p *fileProvider) Retrieve(context.Context) (aws.Credentials, error) {
	text, err := readBounded(p.path)
	if err != nil {
		return aws.Credentials{}, p.unusable(err)
	}
	c, err := parseCredentials(text)
	if err != nil {
		return aws.Credentials{}, p.unusable(err)
	}
	if c.CanExpire && !c.Expires.After(p.now()) {
		return aws.Credentials{}, &awserr.Known{Fault: awserr.Fault{
			Class: awserr.Permanent, Party: awserr.Caller, Code: awserr.CodeCredentialFile,
			Message: fmt.Sprintf("the credentials in %s ran out at %s", p.path, c.Expires.UTC().Format(time.RFC3339)),
			Remedy:  "see why what writes that file has not renewed them, and that this machine's clock is right",
		}}
	}
	c.Source = "credential-path"
	return c, nil
}

func (p *fileProvider) unusable(err error) error {
	return &awserr.Known{Err: err, Fault: awserr.Fault{
		Class: awserr.Permanent, Party: awserr.Caller, Code: awserr.CodeCredentialFile,
		Message: "reading credential-path: " + place(p.path, err), Remedy: "write one line into it: " + credentialGrammar,
	}}
}

// place puts the file's name before an error that does not have it.
func place(path string, err error) string {
	var there *os.PathError
	if errors.As(err, &there) {
		return err.Error()
	}
	return path + ": " + err.Error()
}

// readBounded reads a small file.
func readBounded(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxCredentialFile+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > maxCredentialFile:
		return "", fmt.Errorf("it has more than %d bytes", maxCredentialFile)
	}
	return string(text), nil
}

// parseCredentials reads a credential file's text. Its errors name the line, and repeat
// nothing of it.
func parseCredentials(text string) (c aws.Credentials, err error) {
	found := false
	for i, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
			continue
		case found:
			return aws.Credentials{}, fmt.Errorf("line %d: a second line, where one is expected", i+1)
		}
		if c, err = parseCredentialLine(fields); err != nil {
			return aws.Credentials{}, fmt.Errorf("line %d: %w", i+1, err)
		}
		found = true
	}
	if !found {
		return aws.Credentials{}, errors.New("line 1: it is empty")
	}
	return c, nil
}

func parseCredentialLine(fields []string) (c aws.Credentials, err error) {
	switch {
	case fields[0] != credentialMarker:
		return c, errors.New("it does not begin with " + credentialMarker)
	case len(fields) < 3 || len(fields) > 5:
		return c, fmt.Errorf("it has %d fields where 3 to 5 are expected", len(fields))
	}
	c.AccessKeyID, c.SecretAccessKey = fields[1], fields[2]
	if len(fields) > 3 {
		if c.Expires, err = time.Parse(time.RFC3339, fields[2]); err != nil {
			return aws.Credentials{}, errors.New("its third field is no time such as 2026-11-25T16:00:00Z")
		}
		c.CanExpire, c.SecretAccessKey = true, fields[3]
	}
	if len(fields) == 5 {
		c.SessionToken = fields[4]
	}
	if len(c.AccessKeyID) > maxKeyChars || len(c.SecretAccessKey) > maxKeyChars || len(c.SessionToken) > maxTokenChars {
		return aws.Credentials{}, fmt.Errorf("a key has more than %d characters, or the token more than %d", maxKeyChars, maxTokenChars)
	}
	return c, nil
}
