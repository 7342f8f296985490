package awserr

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// fillTLS knows the failures of the handshake, which last until somebody changes
// certificates, trust, clock or the endpoint.
func (f *Fault) fillTLS(err error) (kind, bool) {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		header    tls.RecordHeaderError
		alert     tls.AlertError
	)
	f.Message = oneLine(transportText(err))
	switch {
	case errors.As(err, &authority):
		f.Code = CodeUntrusted
		return kind{Permanent, Caller, remedyUntrusted}, true
	case errors.As(err, &host):
		f.Code = CodeWrongHost
		return kind{Permanent, Caller, remedyWrongHost}, true
	case errors.As(err, &invalid):
		f.Code = CodeBadCert
		return kind{Permanent, Service, remedyBadCert}, true
	case errors.As(err, &verify):
		f.Code = CodeUntrusted
		return kind{Permanent, Caller, remedyUntrusted}, true
	case errors.As(err, &header), errors.Is(err, http.ErrSchemeMismatch):
		f.Code = CodeNotTLS
		return kind{Permanent, Caller, remedyNotTLS}, true
	case errors.As(err, &alert), strings.Contains(f.Message, "remote error: tls:"):
		f.Code = CodeTLS
		return kind{Permanent, Caller, remedyTLS}, true
	default:
		return kind{}, false
	}
}

// fillNetwork knows the failures of the way to the service. They pass, all of
// them, except a proxy that refuses us.
func (f *Fault) fillNetwork(err error) (kind, bool) {
	var (
		dns *net.DNSError
		any net.Error
	)
	f.Message = oneLine(transportText(err))
	if k, ok := f.fillProxy(err); ok {
		return k, true
	}
	switch {
	case errors.As(err, &dns):
		f.Code = CodeDNS
		return kind{Transient, Network, remedyDNS}, true
	case errors.Is(err, syscall.ECONNREFUSED), strings.Contains(f.Message, "refused"):
		f.Code = CodeRefused
		return kind{Transient, Network, remedyRefused}, true
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), strings.Contains(f.Message, "unreachable"):
		f.Code = CodeUnreachable
		return kind{Transient, Network, remedyUnreachable}, true
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &any) && any.Timeout():
		f.Code = CodeTimeout
		return kind{Transient, Network, remedyTimeout}, true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED),
		strings.Contains(f.Message, "forcibly closed"):
		f.Code = CodeReset
		return kind{Transient, Network, remedyCut}, true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		strings.Contains(f.Message, "server closed"):
		f.Code = CodeCut
		return kind{Transient, Network, remedyCut}, true
	case errors.As(err, &any):
		f.Code = CodeNetwork
		return kind{Transient, Network, remedyUnreachable}, true
	default:
		return kind{}, false
	}
}

// fillProxy knows a proxy that is there and does not let us through. That it is not there
// is told as for any host, with what to do about a proxy.
func (f *Fault) fillProxy(err error) (kind, bool) {
	var (
		refusal *ProxyError
		op      *net.OpError
	)
	switch {
	case errors.As(err, &refusal):
		f.Code, f.Message = CodeProxy, refusal.Error()
		if refusal.Status >= 500 { // the way behind it
			return kind{Transient, Network, remedyProxy}, true
		}
		return kind{Permanent, Network, remedyProxy}, true
	case strings.Contains(f.Message, "Proxy Authentication Required"):
		f.Code = CodeProxy
		return kind{Permanent, Network, remedyProxy}, true
	case !errors.As(err, &op):
		return kind{}, false
	case op.Op == "socks connect" && strings.Contains(f.Message, "authentication"):
		f.Code = CodeProxy
		return kind{Permanent, Network, remedyProxy}, true
	case op.Op == "proxyconnect", op.Op == "socks connect":
		within := Fault{}
		if k, ok := within.fillNetwork(op.Err); ok && within.Code != CodeProxy {
			f.Code = within.Code
			return kind{k.class, Network, remedyProxy}, true
		}
		f.Code = CodeProxy
		return kind{Transient, Network, remedyProxy}, true
	default:
		return kind{}, false
	}
}

// AtProxy reports whether the way failed before or at a proxy.
func AtProxy(err error) bool {
	f := Fault{Message: oneLine(transportText(err))}
	k, ok := f.fillProxy(err)
	return ok && k.remedy == remedyProxy
}

// transportText returns the part of an error that the network wrote, without the
// SDK's and net/http's wrapping and the URL they repeat.
func transportText(err error) string {
	var (
		op     *net.OpError
		dns    *net.DNSError
		verify *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &op):
		return op.Error()
	case errors.As(err, &dns):
		return dns.Error()
	case errors.As(err, &verify):
		return verify.Error()
	default:
		return deepest(err).Error()
	}
}
