package kinesisvideosink

import (
	"cmp"
	"errors"
	"os"
	"time"

	"gst-kinesis/internal/awscfg"
)

// What kvssink has as defaults of its properties, which there mean that nothing was set.
const (
	noAccessKey    = "access_key"
	noSecretKey    = "secret_key"
	noSessionToken = "session_token"

	defaultCredentialPath = ".kvs/credential"
	defaultRegion         = "us-west-2"
)

// aws gives the settings as awscfg takes them. As with kvssink, credentials are those of iot-certificate, else of the properties, the
// environment, the file of credential-path; then those of the SDK's chain. AWS_DEFAULT_REGION beats aws-region.
func (s *Settings) aws(notice func(string)) (awscfg.Settings, error) {
	a := s.AWS
	set := awscfg.Settings{
		Region:      cmp.Or(os.Getenv("AWS_DEFAULT_REGION"), a.Region),
		EndpointURI: cmp.Or(a.EndpointURI, os.Getenv("CONTROL_PLANE_URI")),
		CAFile:      cmp.Or(a.CAFile, caFromEnvironment()),
		Profile:     a.Profile, RoleARN: a.RoleARN, ExternalID: a.ExternalID, Proxy: a.Proxy,
		RequestTimeout: time.Duration(s.ConnectTimeout) * time.Second, Notice: notice,
	}
	switch {
	case a.IoTCertificate != nil:
		var err error
		set.IoTCertificate, err = awscfg.ParseIoTCertificate(a.IoTCertificate.All())
		return set, err
	case placed(a.AccessKey, noAccessKey) != "" || placed(a.SecretKey.Reveal(), noSecretKey) != "":
		set.AccessKey = placed(a.AccessKey, noAccessKey)
		set.SecretAccessKey = awscfg.Secret(placed(a.SecretKey.Reveal(), noSecretKey))
		set.SessionToken = awscfg.Secret(placed(a.SessionToken.Reveal(), noSessionToken))
		if set.AccessKey == "" || set.SecretAccessKey == "" {
			return set, errors.New("access-key and secret-key go together: set both or neither")
		}
	case a.Profile == "" && os.Getenv("AWS_ACCESS_KEY_ID") == "" && s.hasCredentialFile():
		set.CredentialPath = a.CredentialPath
	}
	return set, nil
}

// caFromEnvironment is where AWS's own programs look for certificates.
func caFromEnvironment() string {
	return cmp.Or(os.Getenv("KVSSINK_CA_CERT_PATH"), os.Getenv("AWS_KVS_CACERT_PATH"))
}

// hasCredentialFile reports whether a file was named, or lies where kvssink looks for one.
func (s *Settings) hasCredentialFile() bool {
	if s.AWS.CredentialPath != defaultCredentialPath {
		return s.AWS.CredentialPath != ""
	}
	_, err := os.Stat(defaultCredentialPath)
	return err == nil
}

// placed is a value, but for the placeholder that stands for none.
func placed(value, placeholder string) string {
	if value == placeholder {
		return ""
	}
	return value
}
