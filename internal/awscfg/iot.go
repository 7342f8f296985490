package awscfg

import (
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// IoTCertificate are the settings for credentials that AWS IoT gives for a device's
// certificate, by a role alias. Its parts are those of kvssink's property iot-certificate.
type IoTCertificate struct {
	// Endpoint is the host of the account's credential provider, as
	// aws iot describe-endpoint --endpoint-type iot:CredentialProvider prints it; a port may follow.
	Endpoint string
	// CertPath and KeyPath are PEM files: the certificate (with what it was signed by, if
	// that is needed) and its private key. They are read at each renewal.
	CertPath string
	KeyPath  string
	// CAPath is a PEM file, or a folder of them, with all that is trusted to have signed
	// the endpoint's certificate; empty: what the session trusts.
	CAPath string
	// RoleAlias is the name of the role alias.
	RoleAlias string
	// ThingName is the thing that the certificate is attached to; empty: the stream's name.
	ThingName string
	// ConnectTimeout is for the connection, and again for TLS; 0: 3 s.
	ConnectTimeout time.Duration
	// CompletionTimeout is for all of it; 0: 5 s.
	CompletionTimeout time.Duration
}

const (
	defaultIoTConnect    = 3 * time.Second
	defaultIoTCompletion = 5 * time.Second
	maxIoTTimeout        = time.Hour
)

// errIoT is what errors about the setting begin with.
const errIoT = "reading iot-certificate: "

// ParseIoTCertificate reads a certificate's settings from named values, as a GstStructure
// has them. The names are endpoint, cert-path, key-path, role-aliases, which are needed,
// ca-path, iot-thing-name, connection-timeout and completion-timeout (in seconds). Values are
// strings, times may be integers of any type.
func ParseIoTCertificate(fields iter.Seq2[string, any]) (*IoTCertificate, error) {
	c := new(IoTCertificate)
	texts := map[string]*string{
		"endpoint": &c.Endpoint, "cert-path": &c.CertPath, "key-path": &c.KeyPath, "ca-path": &c.CAPath,
		"role-aliases": &c.RoleAlias, "iot-thing-name": &c.ThingName,
	}
	times := map[string]*time.Duration{"connection-timeout": &c.ConnectTimeout, "completion-timeout": &c.CompletionTimeout}
	for name, value := range fields {
		if field := texts[name]; field != nil {
			text, ok := value.(string)
			if !ok {
				return nil, fmt.Errorf(errIoT+"%s is %v and no text: write %s=(string)%v", name, value, name, value)
			}
			*field = text
			continue
		}
		field := times[name]
		if field == nil {
			return nil, fmt.Errorf(errIoT+"it has no %q; its parts are endpoint, cert-path, key-path, ca-path, role-aliases, iot-thing-name, "+
				"connection-timeout and completion-timeout", name)
		}
		seconds, err := strconv.ParseUint(fmt.Sprint(value), 10, 32)
		if err != nil || seconds == 0 || seconds > uint64(maxIoTTimeout/time.Second) {
			return nil, fmt.Errorf(errIoT+"%s is %v and no number of seconds from 1 to %d", name, value, maxIoTTimeout/time.Second)
		}
		*field = time.Duration(seconds) * time.Second
	}
	return c, c.validate()
}

// ParseIoTText reads the same from one line, NAME=VALUE,NAME=VALUE; the name that a
// structure begins with in a launch line may stand before it. Values hold no comma.
func ParseIoTText(text string) (*IoTCertificate, error) {
	parts := strings.Split(text, ",")
	if len(parts) > 1 && !strings.Contains(parts[0], "=") {
		parts = parts[1:]
	}
	for _, part := range parts {
		if !strings.Contains(part, "=") {
			return nil, fmt.Errorf(errIoT+"%q is not of the form NAME=VALUE", strings.TrimSpace(part))
		}
	}
	return ParseIoTCertificate(func(yield func(string, any) bool) {
		for _, part := range parts {
			name, value, _ := strings.Cut(part, "=")
			value = strings.TrimPrefix(strings.TrimSpace(value), "(string)")
			if !yield(strings.TrimSpace(name), strings.Trim(value, `"`)) {
				return
			}
		}
	})
}

// validate checks what can be checked without network and files.
func (c *IoTCertificate) validate() error {
	var missing []string
	for _, part := range [...]struct{ name, value string }{
		{"endpoint", c.Endpoint}, {"cert-path", c.CertPath}, {"key-path", c.KeyPath}, {"role-aliases", c.RoleAlias},
	} {
		if part.value == "" {
			missing = append(missing, part.name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf(errIoT+"it lacks %s", strings.Join(missing, ", "))
	}
	u, err := url.Parse("https://" + c.Endpoint)
	if err != nil || u.Host != c.Endpoint || u.Hostname() == "" {
		return fmt.Errorf(errIoT+"endpoint %q is no host: give what aws iot describe-endpoint --endpoint-type iot:CredentialProvider prints, without https://", c.Endpoint)
	}
	if strings.Contains(c.Endpoint, "-ats.iot.") {
		return fmt.Errorf(errIoT+"endpoint %q is the one for messages: give what aws iot describe-endpoint --endpoint-type iot:CredentialProvider prints", c.Endpoint)
	}
	if !isHeaderText(c.ThingName) || !isHeaderText(c.RoleAlias) {
		return errors.New(errIoT + "iot-thing-name or role-aliases holds characters that no such name has")
	}
	return nil
}

// isHeaderText reports whether a text may stand in a header and, escaped, in a path.
func isHeaderText(text string) bool {
	return !slices.ContainsFunc([]byte(text), func(b byte) bool { return b <= ' ' || b >= 0x7f })
}

// address is the URL that gives credentials.
func (c *IoTCertificate) address() string {
	return "https://" + c.Endpoint + "/role-aliases/" + url.PathEscape(c.RoleAlias) + "/credentials"
}

func (c *IoTCertificate) connectTimeout() time.Duration {
	if c.ConnectTimeout == 0 {
		return defaultIoTConnect
	}
	return c.ConnectTimeout
}

func (c *IoTCertificate) completionTimeout() time.Duration {
	if c.CompletionTimeout == 0 {
		return defaultIoTCompletion
	}
	return c.CompletionTimeout
}
