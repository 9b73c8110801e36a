package web

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"

	"galilei/pbxd/pbx"
)

// servedCertificate is the certificate that new connections are shown. A
// change of it makes another one, so that a connection shows by its pointer
// whether it was made before or after.
type servedCertificate struct {
	id     string // in the configuration; "" for the device's own
	entry  pbx.Certificate
	config *tls.Config
	phones *tls.Config // the same for SIP
}

// serveCertificate makes the certificate that cfg chooses that of new
// connections. One that cannot be used is left for the device's own, so that
// the page stays within reach.
func (s *Server) serveCertificate(cfg *pbx.Config) {
	var entry pbx.Certificate
	for _, c := range cfg.Certificates {
		if c.ID == cfg.Page.Certificate {
			entry = c
		}
	}
	if now := s.serving.Load(); now != nil && now.entry == entry {
		return
	}
	next := &servedCertificate{entry: entry}
	cert := s.device
	if entry.ID != "" {
		chosen, err := s.openCertificate(entry)
		if err == nil {
			cert, next.id = chosen, entry.ID
		} else {
			s.Log.Error("certificate of the page cannot be used; the device's own takes its place", "certificate", entry.Description, "err", err)
		}
	}
	next.config, next.phones = certificateConfig(cert, "h2", "http/1.1"), certificateConfig(cert)
	s.serving.Store(next)
}

// openCertificate returns a certificate of the configuration with its key.
func (s *Server) openCertificate(c pbx.Certificate) (tls.Certificate, error) {
	key, err := s.Store.Key().Open(pbx.CertificatePurpose(c.ID), c.Key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("key of certificate %s: %w", c.ID, err)
	}
	cert, err := tls.X509KeyPair([]byte(c.Chain), []byte(key.Reveal()))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("parse certificate %s of %d bytes: %w", c.ID, len(c.Chain), err)
	}
	return cert, nil
}

// certificateConfig shows one certificate. It has ticket keys of its own: a
// session that was made with another certificate cannot be taken up again, so
// that each client has seen the certificate that its connection counts for.
func certificateConfig(cert tls.Certificate, protocols ...string) *tls.Config {
	c := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: protocols}
	var key [32]byte
	rand.Read(key[:]) // never fails since Go 1.24
	c.SetSessionTicketKeys([][32]byte{key})
	return c
}

// tlsConfig chooses the certificate anew for each connection.
func (s *Server) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			now := s.serving.Load()
			if c, ok := hello.Conn.(*limitedConn); ok {
				c.served.Store(now)
			}
			return now.config, nil
		},
	}
}

// PhoneTLS is the configuration of the phones' TLS port: the certificate of
// the page, chosen anew for each connection, TLS 1.2 and up, sessions resumed.
func (s *Server) PhoneTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return s.serving.Load().phones, nil
		},
	}
}

type connKey struct{}

// withConn puts the connection below TLS into the context of its requests.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		if l, ok := t.NetConn().(*limitedConn); ok {
			return context.WithValue(ctx, connKey{}, l)
		}
	}
	return ctx
}

// current reports whether the request came over a connection that was shown
// the certificate of now. What came over none, as in a test, counts as such.
func (s *Server) current(ctx context.Context) bool {
	c, ok := ctx.Value(connKey{}).(*limitedConn)
	return !ok || c.served.Load() == s.serving.Load()
}

// leaveOld has connections that were shown an earlier certificate end with
// their answer, so that the browser makes new ones. HTTP/2 turns the header
// into GOAWAY.
func (s *Server) leaveOld(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.current(r.Context()) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
