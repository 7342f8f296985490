package awscfg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"gst-kinesis/internal/awserr"
)

// ProxyNone is the value of Settings.Proxy for no proxy whatever the environment says.
const ProxyNone = "none"

// proxyOf is what http.Transport asks for the proxy of a request; nil means none.
type proxyOf func(*http.Request) (*url.URL, error)

// proxy gives who says which proxy a request takes.
func (s Settings) proxy() (proxyOf, error) {
	switch text := s.Proxy.Reveal(); text {
	case "":
		return fromEnvironment, nil
	case ProxyNone:
		return nil, nil //nolint:nilnil // net/http takes nil for no proxy
	default:
		u, err := parseProxy(text)
		if err != nil {
			return nil, err
		}
		return http.ProxyURL(u), nil
	}
}

// parseProxy reads a proxy's URL. Its errors repeat nothing of it, as a password may stand in it.
func parseProxy(text string) (*url.URL, error) {
	const form = "give http://HOST:PORT, https://… or socks5://…, with USER:PASSWORD@ before the host where it asks for them, or none"
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("proxy is no URL: " + form + "; other characters than letters and digits of a password are written as %XX")
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" && u.Scheme != "socks5h":
		return nil, errors.New("proxy does not begin with http://, https:// or socks5://: " + form)
	case u.Hostname() == "":
		return nil, errors.New("proxy names no host: " + form)
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("proxy has something behind its port: " + form)
	}
	return u, nil
}

// fromEnvironment goes by HTTPS_PROXY, HTTP_PROXY and NO_PROXY as they were when the first
// request of the process was made. The error of net/http would repeat the URL.
func fromEnvironment(r *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(r)
	if err != nil {
		return nil, &awserr.ProxyError{Proxy: "of the environment (HTTPS_PROXY, HTTP_PROXY)", Status: http.StatusBadRequest, Text: "nothing: it is no URL"}
	}
	return u, nil
}

// besideMachine keeps from the proxy what is on this machine or link: the metadata of a
// machine or container, which give credentials.
func besideMachine(proxy proxyOf) proxyOf {
	if proxy == nil {
		return nil
	}
	return func(r *http.Request) (*url.URL, error) {
		host := r.URL.Hostname()
		ip := net.ParseIP(host)
		if strings.EqualFold(host, "localhost") || ip != nil && (ip.IsLoopback() || ip.IsLinkLocalUnicast() || isMetadata(ip)) {
			return nil, nil
		}
		return proxy(r)
	}
}

// isMetadata knows the addresses of AWS's metadata in IPv6, fd00:ec2::254 and fd00:ec2::23.
func isMetadata(ip net.IP) bool {
	return ip.To4() == nil && ip[0] == 0xfd && ip[1] == 0 && ip[2] == 0x0e && ip[3] == 0xc2
}

// proxyAnswer makes an error of a proxy that does not open the way.
func proxyAnswer(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	text := fmt.Sprintf("%d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	return &awserr.ProxyError{Status: answer.StatusCode, Text: text, Proxy: proxy.Host}
}
