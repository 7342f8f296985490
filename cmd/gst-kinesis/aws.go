package main

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/awserr"
)

// awsFlags are the flags of every command that speaks to AWS, with the names of
// the elements' properties.
func awsFlags(own ...cli.Flag) []cli.Flag {
	const category = "AWS"
	text := func(name, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Usage: usage, Category: category}
	}
	return slices.Concat(own, []cli.Flag{
		text("region", "AWS `REGION` (default: that of a stream's ARN, AWS_REGION, or the profile's)"),
		text("endpoint-uri", "`URL` of an endpoint in place of AWS's, such as gst-kinesis local prints it"),
		text("profile", "`NAME` of a profile in the shared AWS configuration"),
		text("access-key", "access key `ID` (better: AWS_ACCESS_KEY_ID; other users of the machine see command lines)"),
		text("secret-access-key", "its `SECRET` (better: AWS_SECRET_ACCESS_KEY)"),
		text("session-token", "`TOKEN` of temporary credentials (better: AWS_SESSION_TOKEN)"),
		text("credential-path", "`FILE` with credentials that another program renews: CREDENTIALS accessKey expiration secretKey sessionToken"),
		text("iot-certificate", "credentials for a device's certificate: `endpoint=HOST,cert-path=PEM,key-path=PEM,role-aliases=ALIAS,iot-thing-name=THING`"),
		text("role-arn", "`ARN` of a role to assume"),
		text("external-id", "external `ID` that the role asks for"),
		text("ca-file", "`FILE` of PEM certificates to trust beside the system's"),
		text("proxy", "`URL` of a proxy, http://USER:PASSWORD@HOST:PORT or socks5://, or none (default: HTTPS_PROXY and NO_PROXY; better for a password)"),
		&cli.DurationFlag{Name: "request-timeout", Usage: "the longest `TIME` for one request", Value: 30 * time.Second, Category: category},
		&cli.BoolFlag{Name: "dualstack", Usage: "use AWS's endpoints that speak IPv6 too", Category: category},
		&cli.BoolFlag{Name: "fips", Usage: "use AWS's FIPS endpoints", Category: category},
		text("account-id-endpoint-mode", "preferred, disabled or required: `MODE` of endpoints with the account in their name"),
	})
}

// settingsOf reads the flags of awsFlags; stream names the thing of a certificate that names none.
func settingsOf(c *cli.Context, stream awscfg.Stream) (awscfg.Settings, error) {
	set := awscfg.Settings{
		Region:                c.String("region"),
		EndpointURI:           c.String("endpoint-uri"),
		AccessKey:             c.String("access-key"),
		SecretAccessKey:       awscfg.Secret(c.String("secret-access-key")),
		SessionToken:          awscfg.Secret(c.String("session-token")),
		Profile:               c.String("profile"),
		CredentialPath:        c.String("credential-path"),
		RoleARN:               c.String("role-arn"),
		ExternalID:            c.String("external-id"),
		CAFile:                c.String("ca-file"),
		Proxy:                 awscfg.Secret(c.String("proxy")),
		RequestTimeout:        c.Duration("request-timeout"),
		UseDualStack:          c.Bool("dualstack"),
		UseFIPS:               c.Bool("fips"),
		AccountIDEndpointMode: c.String("account-id-endpoint-mode"),
	}
	if text := c.String("iot-certificate"); text != "" {
		certificate, err := awscfg.ParseIoTText(text)
		if err != nil {
			return set, err
		}
		certificate.ThingName = cmp.Or(certificate.ThingName, stream.Name)
		set.IoTCertificate = certificate
	}
	return set, nil
}

// target is a session and the stream it is about, which may be none.
type target struct {
	*awscfg.Session
	stream awscfg.Stream
}

// openAWS opens a session by the flags; stream is a name, an ARN, or empty
// where no one stream is concerned. The caller closes it.
func openAWS(c *cli.Context, stream string) (target, error) {
	if stream == "" {
		return openFor(c, awscfg.Stream{})
	}
	parsed, err := awscfg.ParseStream(stream)
	if err != nil {
		return target{}, err
	}
	return openFor(c, parsed)
}

// openFor opens a session for a stream that has been read. The caller closes it.
func openFor(c *cli.Context, stream awscfg.Stream) (target, error) {
	t := target{stream: stream}
	set, err := settingsOf(c, stream)
	if err != nil {
		return t, err
	}
	t.Session, err = awscfg.Open(c.Context, set, stream)
	return t, err
}

// explain turns an error of a call into one line with the service's code and
// words and what to do. Errors that did not come from a call are left alone.
func (t target) explain(err error) error {
	return explainAs(err, awserr.Subject{Stream: t.stream.Name, Region: t.Region(), Endpoint: t.Endpoint()})
}

// explainAs is explain for a subject.
func explainAs(err error, subject awserr.Subject) error {
	var call *smithy.OperationError
	if !errors.As(err, &call) {
		return err
	}
	f := awserr.Classify(err, subject)
	doing, _ := strings.CutSuffix(err.Error(), call.Error())
	text := doing + f.Code
	if f.Message != "" {
		text += ": " + f.Message
	}
	if f.RequestID != "" {
		text += " (request " + f.RequestID + ")"
	}
	if f.Remedy != "" {
		text += "; " + f.Remedy
	}
	return &explained{text: text, err: err}
}

// explained is an error in other words.
type explained struct {
	text string
	err  error
}

// Error returns the words.
func (e *explained) Error() string { return e.text }

// Unwrap returns the error itself.
func (e *explained) Unwrap() error { return e.err }

// parseTime reads a time: as people write it, how long ago, or Unix seconds.
func parseTime(text string, now time.Time) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, true
		}
	}
	if ago, err := time.ParseDuration(strings.TrimPrefix(text, "-")); err == nil && ago >= 0 {
		return now.Add(-ago), true
	}
	return parseUnix(text)
}
