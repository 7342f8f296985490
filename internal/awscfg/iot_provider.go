package awscfg

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// AWS IoT's credential provider, as its developer guide has it ("Authorizing direct calls to
// AWS services using AWS IoT Core credential provider"): a GET with the device's certificate
// to https://ENDPOINT/role-aliases/ALIAS/credentials, with the header x-amzn-iot-thingname
// where the policy asks for the thing, is answered by
//
//	{"credentials":{"accessKeyId":"…","secretAccessKey":"…","sessionToken":"…","expiration":"2018-01-18T09:18:06Z"}}
//
// and an error by its HTTP status and {"message":"…"}.

const (
	thingHeader   = "x-amzn-iot-thingname"
	requestHeader = "x-amzn-RequestId"
	maxIoTAnswer  = 64 << 10 // bytes; an answer has about 2000
)

// iotProvider asks AWS IoT for credentials. It keeps no connection: renewals are hours apart,
// and each reads the certificate anew.
type iotProvider struct {
	set   IoTCertificate
	roots *x509.CertPool // where set has none; nil: the system's
	proxy func(*http.Request) (*url.URL, error)
	now   func() time.Time
}

// Retrieve implements aws.CredentialsProvider.
func (p *iotProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	transport, err := p.transport()
	if err != nil {
		return aws.Credentials{}, p.filesUnusable(err)
	}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, p.set.completionTimeout())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.set.address(), http.NoBody)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("asking AWS IoT for credentials: %w", err)
	}
	if p.set.ThingName != "" {
		request.Header.Set(thingHeader, p.set.ThingName)
	}
	answer, err := transport.RoundTrip(request) // no redirect is followed
	if err != nil {
		return aws.Credentials{}, p.unreachable(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxIoTAnswer))
	switch {
	case answer.StatusCode != http.StatusOK:
		return aws.Credentials{}, p.refused(answer, body)
	case err != nil:
		return aws.Credentials{}, p.unreachable(err)
	}
	return p.read(answer, body)
}

// read takes the credentials out of an answer.
func (p *iotProvider) read(answer *http.Response, body []byte) (aws.Credentials, error) {
	var in struct {
		Credentials struct {
			AccessKeyID     string    `json:"accessKeyId"`
			SecretAccessKey string    `json:"secretAccessKey"`
			SessionToken    string    `json:"sessionToken"`
			Expiration      time.Time `json:"expiration"`
		} `json:"credentials"`
	}
	// What json says of a mistake may repeat the text, so it is not told.
	if err := json.Unmarshal(body, &in); err != nil {
		return aws.Credentials{}, p.misfit(answer, "an answer that is not AWS IoT's")
	}
	c := in.Credentials
	switch {
	case c.AccessKeyID == "" || c.SecretAccessKey == "" || c.SessionToken == "" || c.Expiration.IsZero():
		return aws.Credentials{}, p.misfit(answer, "an answer without credentials")
	case !c.Expiration.After(p.now()):
		return aws.Credentials{}, p.late(answer, c.Expiration)
	}
	return aws.Credentials{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
		Source: "AWS IoT", CanExpire: true, Expires: c.Expiration,
	}, nil
}

// transport reads the files and gives a transport for one request.
func (p *iotProvider) transport() (*http.Transport, error) {
	certificate, err := tls.LoadX509KeyPair(p.set.CertPath, p.set.KeyPath)
	if err != nil {
		return nil, err
	}
	roots := p.roots
	if p.set.CAPath != "" {
		if roots, err = authorities(p.set.CAPath); err != nil {
			return nil, err
		}
	}
	dialer := &net.Dialer{Timeout: p.set.connectTimeout(), KeepAlive: keepAlive}
	return &http.Transport{
		Proxy: p.proxy, OnProxyConnectResponse: proxyAnswer,
		DialContext: dialer.DialContext, TLSHandshakeTimeout: p.set.connectTimeout(),
		DisableKeepAlives: true, DisableCompression: true,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: roots,
			// Certificates alone would not be sent to a server that names other authorities than theirs, as
			// AWS IoT does for those of one's own.
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil },
		},
	}, nil
}

// authorities reads a PEM file, or all .pem and .crt files of a folder.
func authorities(path string) (*x509.CertPool, error) {
	files := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		files = nil
		for _, pattern := range []string{"*.pem", "*.crt"} {
			found, err := filepath.Glob(filepath.Join(path, pattern))
			if err != nil {
				return nil, fmt.Errorf("ca-path: %w", err)
			}
			files = append(files, found...)
		}
	}
	roots, some := x509.NewCertPool(), false
	for _, file := range files {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("ca-path: %w", err)
		}
		some = roots.AppendCertsFromPEM(pem) || some
	}
	if !some {
		return nil, fmt.Errorf("ca-path: %s holds no PEM certificate", path)
	}
	return roots, nil
}
