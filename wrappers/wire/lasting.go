package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
)

// lasting reports whether a transport's failure cannot pass by itself: a
// certificate that is not trusted, a peer that speaks no TLS or refuses ours,
// or a host that does not exist.
func lasting(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		switch op.Op {
		case "remote error": // crypto/tls's for an alert
			return refusals().MatchString(op.Err.Error())
		case "socks connect": // net/http's; its cause may be a failure of the network
			if socksRefusals().MatchString(op.Err.Error()) {
				return true
			}
		}
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	if l, ok := errors.AsType[interface {
		error
		Lasting() bool
	}](err); ok { // a proxy's refusal
		return l.Lasting()
	}
	return is[*tls.CertificateVerificationError](err) || is[x509.UnknownAuthorityError](err) ||
		is[x509.HostnameError](err) || is[x509.CertificateInvalidError](err) ||
		is[tls.RecordHeaderError](err) || errors.Is(err, http.ErrSchemeMismatch) || // http is spoken there
		is[*net.AddrError](err) || err.Error() == http.StatusText(http.StatusProxyAuthRequired)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// socksRefusals matches the reasons of a SOCKS proxy that do not pass.
var socksRefusals = pattern(`acceptable authentication|authentication failed|` +
	`not allowed by ruleset|not supported`)

// refusals matches the TLS alerts with which a server refuses us. Only
// crypto/tls's text of an alert can be read.
var refusals = pattern(`certificate|handshake failure|access denied|protocol version|insufficient security|` +
	`unrecognized name|no application protocol`)
