package awscfg

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gst-kinesis/internal/awserr"
)

// maxIoTMessage bounds what is repeated of an answer, in bytes.
const maxIoTMessage = 300

// unreachable explains that no answer came.
func (p *iotProvider) unreachable(err error) error {
	f := awserr.Classify(err, awserr.Subject{Endpoint: "https://" + p.set.Endpoint})
	f.Message = "asking AWS IoT at " + p.set.Endpoint + " for credentials: " + f.Message
	if awserr.AtProxy(err) {
		return &awserr.Known{Fault: f, Err: err}
	}
	switch f.Code {
	case awserr.CodeUntrusted:
		f.Remedy = "give the authority that signed the endpoint's certificate as ca-path of iot-certificate (Amazon Root CA 1 for AWS's own), or leave ca-path out"
	case awserr.CodeTLS:
		f.Code = awserr.CodeIoT
		f.Remedy = "see that the certificate in " + p.set.CertPath + " is ACTIVE in AWS IoT, in the account and region of the endpoint, and has not run out"
	case awserr.CodeDNS:
		f.Remedy = "check endpoint of iot-certificate: aws iot describe-endpoint --endpoint-type iot:CredentialProvider prints it; and this machine's DNS"
	case awserr.CodeBadCert, awserr.CodeWrongHost, awserr.CodeNotTLS:
		f.Remedy += " (endpoint of iot-certificate)"
	default:
		f.Remedy = "check the network to " + p.set.Endpoint + " (endpoint of iot-certificate), port 443"
	}
	return &awserr.Known{Fault: f, Err: err}
}

// filesUnusable explains files that cannot be read or do not fit together. The error of
// crypto/tls never repeats a key.
func (p *iotProvider) filesUnusable(err error) error {
	return &awserr.Known{Err: err, Fault: awserr.Fault{
		Class: awserr.Permanent, Party: awserr.Caller, Code: awserr.CodeIoTFiles,
		Message: "reading the files of iot-certificate: " + err.Error(),
		Remedy: "give the device's certificate as cert-path (" + p.set.CertPath + ") and its private key as key-path (" + p.set.KeyPath +
			"), both PEM, and let this program's user read them",
	}}
}

// refused explains an answer with an error.
func (p *iotProvider) refused(answer *http.Response, body []byte) error {
	f := awserr.Fault{
		Class: awserr.Permanent, Party: awserr.Caller, Code: awserr.CodeIoT,
		HTTPStatus: answer.StatusCode, RequestID: answer.Header.Get(requestHeader),
		Message: "AWS IoT at " + p.set.Endpoint + " gives no credentials: " + messageOf(answer, body),
	}
	const command = "aws iot describe-endpoint --endpoint-type iot:CredentialProvider"
	switch status := answer.StatusCode; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		f.Remedy = "see that the certificate is ACTIVE, that its policy allows iot:AssumeRoleWithCertificate on role alias " + p.set.RoleAlias +
			", that it is attached to " + p.thing() + ", that the alias's role trusts credentials.iot.amazonaws.com, and that this machine's clock is right"
	case status == http.StatusNotFound:
		f.Remedy = "check role-aliases (" + p.set.RoleAlias + ") of iot-certificate, and that endpoint is of its account and region: " + command + " prints it"
	case status == http.StatusTooManyRequests:
		f.Class, f.Remedy = awserr.Throttled, "nothing: it is asked again"
	case status >= 500:
		f.Class, f.Party, f.Remedy = awserr.Transient, awserr.Service, "nothing: AWS IoT's side failed and it is asked again"
	default:
		f.Remedy = "check role-aliases (" + p.set.RoleAlias + "), iot-thing-name (" + p.set.ThingName + ") and endpoint of iot-certificate: " + command + " prints it"
	}
	return &awserr.Known{Fault: f}
}

// thing names the thing in a sentence.
func (p *iotProvider) thing() string {
	if p.set.ThingName == "" {
		return "the thing that the policy names (set iot-thing-name)"
	}
	return "thing " + p.set.ThingName + " (iot-thing-name)"
}

// messageOf gives what an error answer says, in one line.
func messageOf(answer *http.Response, body []byte) string {
	var in struct {
		Message string `json:"message"`
	}
	status := fmt.Sprintf("HTTP status %d", answer.StatusCode)
	if json.Unmarshal(body, &in) != nil || in.Message == "" {
		return status
	}
	text, _, _ := strings.Cut(in.Message, "\n")
	if len(text) > maxIoTMessage {
		text = text[:maxIoTMessage]
	}
	return strings.ToValidUTF8(text, "?") + " (" + status + ")"
}

// misfit explains an answer that makes no sense. It is asked again, as such answers come
// of something between that will go away.
func (p *iotProvider) misfit(answer *http.Response, what string) error {
	return &awserr.Known{Fault: awserr.Fault{
		Class: awserr.Transient, Party: awserr.Service, Code: awserr.CodeBadAnswer,
		HTTPStatus: answer.StatusCode, RequestID: answer.Header.Get(requestHeader),
		Message: "asking AWS IoT at " + p.set.Endpoint + " for credentials: " + what,
		Remedy:  "check endpoint of iot-certificate, and that no proxy changes its answers",
	}}
}

// late explains credentials that have run out by this machine's clock.
func (p *iotProvider) late(answer *http.Response, end time.Time) error {
	return &awserr.Known{Fault: awserr.Fault{
		Class: awserr.Permanent, Party: awserr.Caller, Code: awserr.CodeIoT,
		HTTPStatus: answer.StatusCode, RequestID: answer.Header.Get(requestHeader),
		Message: fmt.Sprintf("AWS IoT at %s gives credentials until %s, and here it is %s", p.set.Endpoint,
			end.UTC().Format(time.RFC3339), p.now().UTC().Format(time.RFC3339)),
		Remedy: "set this machine's clock (for instance by NTP)",
	}}
}
