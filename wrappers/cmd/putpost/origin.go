package main

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// origin returns the function that says under which address a client reaches
// the server. Nil leaves it to what the client's request names.
func (c *serveCmd) origin() (func(*http.Request) string, error) {
	switch {
	case c.PublicURL != "" && c.BehindProxy:
		return nil, errors.New("--public-url and --behind-proxy exclude each other")
	case c.BehindProxy:
		return forwardedOrigin, nil
	case c.PublicURL == "":
		return nil, nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !isHost(u.Host) || strings.Trim(u.Path, "/") != "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("--public-url is no address like https://files.example; " +
			"it has a scheme, a host and perhaps a port, and no path")
	}
	c.PublicURL = u.Scheme + "://" + u.Host
	return func(*http.Request) string { return c.PublicURL }, nil
}

// forwardedOrigin returns the address that the proxy in front was asked for. Of
// a list, in which each proxy adds to what it was told, the first entry is the
// client's. What is no host or no scheme counts as missing.
func forwardedOrigin(r *http.Request) string {
	host, scheme := first(r.Header.Values("X-Forwarded-Host")), first(r.Header.Values("X-Forwarded-Proto"))
	if host == "" && scheme == "" {
		host, scheme = parseForwarded(first(r.Header.Values("Forwarded")))
	}
	if !isHost(host) {
		host = r.Host
	}
	scheme = strings.ToLower(scheme)
	if scheme != "http" && scheme != "https" {
		scheme = "http"
		if r.TLS != nil {
			scheme = "https"
		}
	}
	if host == "" {
		return ""
	}
	return scheme + "://" + host
}

// first returns the first entry of a list that may stand in several headers.
func first(values []string) string {
	for _, value := range values {
		quoted := false
		end := strings.IndexFunc(value, func(r rune) bool {
			if r == '"' {
				quoted = !quoted
			}
			return r == ',' && !quoted
		})
		if end >= 0 {
			value = value[:end]
		}
		if value = strings.TrimSpace(value); value != "" {
			return value
		}
	}
	return ""
}

// parseForwarded reads one entry of the header Forwarded (RFC 7239), such as
// for=192.0.2.60;proto=https;host="files.example:8443".
func parseForwarded(entry string) (host, scheme string) {
	for pair := range strings.SplitSeq(entry, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "host":
			host = value
		case "proto":
			scheme = value
		}
	}
	return host, scheme
}

// isHost reports whether text is a host with or without a port, and nothing else.
func isHost(text string) bool {
	u, err := url.Parse("http://" + text)
	return err == nil && u.Host == text && u.Hostname() != "" && !strings.ContainsAny(text, " \t<>\"'`\\^{}|%,;")
}

// reachable returns the host and port of addr as another machine can use them.
// For an address that stands for all of this machine's, it takes one of those.
func reachable(addr *net.TCPAddr) string {
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		name, _ := os.Hostname()
		host = cmp.Or(ownAddress(), name, "localhost")
	} else if addr.Zone != "" {
		host += "%25" + addr.Zone
	}
	return net.JoinHostPort(host, strconv.Itoa(addr.Port))
}

// ownAddress returns an address of this machine that is more than its own
// loopback, IPv4 rather than IPv6.
func ownAddress() (best string) {
	addrs, _ := net.InterfaceAddrs()
	for _, addr := range addrs {
		ip, _, err := net.ParseCIDR(addr.String())
		if err != nil || !ip.IsGlobalUnicast() {
			continue
		}
		if ip.To4() != nil {
			return ip.String()
		}
		best = cmp.Or(best, ip.String())
	}
	return best
}
