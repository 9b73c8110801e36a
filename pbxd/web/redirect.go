package web

import (
	"net"
	"net/http"
	"strconv"
	"strings"
)

// redirectTo answers every request with its address on the TLS port. The host
// stays as the client wrote it; the port is that of https unless it is 443.
func redirectTo(https net.Addr) http.Handler {
	port := ""
	if _, p, err := net.SplitHostPort(https.String()); err == nil && p != "443" {
		port = p
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, ok := hostOnly(r.Host)
		if !ok || !strings.HasPrefix(r.URL.Path, "/") {
			http.Error(w, "bad host", http.StatusBadRequest)
			return
		}
		if port != "" {
			host = host + ":" + port
		}
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Connection", "close")
		// A path of two slashes must not become a host: the whole target is
		// written from its parts.
		h.Set("Location", "https://"+host+r.URL.EscapedPath()+query(r))
		w.WriteHeader(http.StatusPermanentRedirect)
	})
}

func query(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return "?" + r.URL.RawQuery
}

// hostOnly returns the host of a Host header without its port, as written,
// and whether it is one: a name, an IPv4 address or an IPv6 address in
// brackets (RFC 9110 section 7.2).
func hostOnly(hostport string) (string, bool) {
	host := hostport
	if i := strings.LastIndexByte(hostport, ':'); i >= 0 && !strings.HasSuffix(hostport, "]") {
		if _, err := strconv.ParseUint(hostport[i+1:], 10, 16); err != nil {
			return "", false
		}
		host = hostport[:i]
	}
	if in, ok := strings.CutPrefix(host, "["); ok {
		in, closed := strings.CutSuffix(in, "]")
		return host, closed && net.ParseIP(in) != nil
	}
	bad := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_')
	}
	return host, host != "" && len(host) <= 253 && !strings.ContainsFunc(host, bad)
}
