package web

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"time"

	"galilei/pbxd/pbx"
)

// certificateSecret is the name under which certificate and key are kept.
const certificateSecret = "web-certificate"

// deviceCertificate returns the certificate of the device, which it makes when
// there is none yet or the stored one cannot be read. A disk that takes nothing
// keeps nobody from the page: the certificate is another then after the next
// start.
func deviceCertificate(ctx context.Context, st Store, n pbx.Network, log *slog.Logger) (tls.Certificate, error) {
	text, err := st.Secret(ctx, certificateSecret)
	switch {
	case err == nil:
		cert, err := tls.X509KeyPair(text, text)
		if err == nil {
			return cert, nil
		}
		log.Error("device certificate cannot be read; making another", "bytes", len(text), "err", err)
	case errors.Is(err, pbx.ErrSealed):
		log.Error("device certificate cannot be read; making another", "err", err)
	case !errors.Is(err, fs.ErrNotExist):
		return tls.Certificate{}, fmt.Errorf("read: %w", err)
	}
	if text, err = newCertificate(n); err != nil {
		return tls.Certificate{}, err
	}
	if err := st.SetSecret(ctx, certificateSecret, text); err != nil {
		log.Error("device certificate not kept", "err", err)
	}
	cert, err := tls.X509KeyPair(text, text)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("parse %d bytes: %w", len(text), err)
	}
	return cert, nil
}

// newCertificate makes a self-signed certificate with its key, both as PEM. Its
// validity does not depend on the clock, which a new device has not set yet.
func newCertificate(n pbx.Network) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // RFC 5280 section 4.1.2.2: at most 20 octets
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial.Add(serial, big.NewInt(1)),
		Subject:               pkix.Name{CommonName: n.Hostname, Organization: []string{"Galilei"}},
		NotBefore:             time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC), // the last that all read alike (RFC 5280 section 4.1.2.5)
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              []string{n.Hostname, n.Hostname + ".local", "localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if p, err := netip.ParsePrefix(n.Address); err == nil && n.Mode == "static" {
		template.IPAddresses = append(template.IPAddresses, p.Addr().AsSlice())
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("sign for %s: %w", n.Hostname, err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...), nil
}
