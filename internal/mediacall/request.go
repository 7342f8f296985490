package mediacall

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// own are header fields that are written from elsewhere than http.Request.Header.
func own(name string) bool {
	switch name {
	case "Host", "User-Agent", "Content-Length", "Transfer-Encoding", "Trailer", "Connection", "Expect", "Proxy-Authorization":
		return true
	}
	return false
}

// check refuses what could not be written as it stands.
func check(request *http.Request) error {
	u := request.URL
	switch {
	case u == nil || u.Host == "" || u.Hostname() == "":
		return errors.New("http: no Host in request URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("unsupported protocol scheme %q", u.Scheme)
	case !isName(host(request)):
		return fmt.Errorf("writing the request: the host %q has characters other than those of names", host(request))
	case !isName(u.Host):
		return fmt.Errorf("writing the request: the host %q has characters other than those of names; write its ASCII form (xn--…)", u.Host)
	}
	for name, values := range request.Header {
		for _, v := range values {
			if !isText(name) || strings.ContainsAny(name, " \t:") || name == "" || !isText(strings.ReplaceAll(v, "\t", " ")) {
				return fmt.Errorf("writing the request: the header field %q has a name or a value with characters that HTTP does not take", name)
			}
		}
	}
	return nil
}

// isName reports whether a host's name and port can stand in a request.
func isName(s string) bool { return isText(s) && !strings.ContainsAny(s, " /@") }

// isText reports whether all bytes can be seen, or are spaces.
func isText(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func host(request *http.Request) string {
	if request.Host != "" {
		return request.Host
	}
	return request.URL.Host
}

// head is the request up to its body.
func head(request *http.Request, via way) ([]byte, error) {
	uri := request.URL.RequestURI()
	if via.isAbsolute() {
		uri = request.URL.Scheme + "://" + host(request) + uri
	}
	if !isText(uri) || strings.Contains(uri, " ") {
		return nil, fmt.Errorf("writing the request: %q cannot stand in a request", uri)
	}
	agent := "Go-http-client/1.1"
	if values, set := request.Header["User-Agent"]; set && len(values) > 0 {
		agent = values[0]
	}
	b := new(bytes.Buffer)
	fmt.Fprintf(b, "%s %s HTTP/1.1\r\nHost: %s\r\n", request.Method, uri, host(request))
	if agent != "" {
		fmt.Fprintf(b, "User-Agent: %s\r\n", agent)
	}
	if request.Body != nil && request.Body != http.NoBody {
		b.WriteString("Transfer-Encoding: chunked\r\n")
	}
	if secret := via.password(); secret != "" && via.isAbsolute() {
		fmt.Fprintf(b, "Proxy-Authorization: %s\r\n", secret)
	}
	b.WriteString("Connection: close\r\n")
	exclude := make(map[string]bool)
	for name := range request.Header {
		exclude[name] = own(name)
	}
	if err := request.Header.WriteSubset(b, exclude); err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	b.WriteString("\r\n")
	return b.Bytes(), nil
}
