package awserr

// Codes of what stands between us and credentials, and has no code of AWS's.
const (
	// CodeIoT is a refusal of AWS IoT's credential provider.
	CodeIoT = "IoTCredentialsRefused"
	// CodeIoTFiles are certificate files that cannot be used.
	CodeIoTFiles = "IoTCertificateUnusable"
	// CodeCredentialFile is a credential file that cannot be used.
	CodeCredentialFile = "CredentialFileUnusable" //nolint:gosec // no credential
)

// Known is an error that was classified where it was met, because only there it is known
// what to do about it. Classify gives its Fault as it is; Message and Remedy hold nothing
// secret.
type Known struct {
	Fault Fault
	Err   error // what it was made of; may be nil
}

// Error gives the message and the remedy.
func (k *Known) Error() string {
	if k.Fault.Remedy == "" {
		return k.Fault.Message
	}
	return k.Fault.Message + "; " + k.Fault.Remedy
}

// Unwrap gives what the error was made of.
func (k *Known) Unwrap() error { return k.Err }

// ProxyError is a proxy that did not open the way to the endpoint.
type ProxyError struct {
	Status int    // HTTP status of its answer
	Text   string // of the status
	Proxy  string // host and port
}

// Error says so.
func (e *ProxyError) Error() string { return "proxy " + e.Proxy + " answered " + e.Text }
