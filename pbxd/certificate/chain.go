package certificate

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// Bits of RSA keys that browsers and crypto/tls take.
const (
	minRSA = 2048
	maxRSA = 8192
)

// usableKey reports whether all current browsers accept the key in a server's
// certificate. Of Ed25519 and P-521 some do not even offer to verify it.
func usableKey(public crypto.PublicKey) bool {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= minRSA && k.N.BitLen() <= maxRSA
	case *ecdsa.PublicKey:
		return k.Params().BitSize == 256 || k.Params().BitSize == 384
	}
	return false
}

// kindOf names a public key as people do, for example "RSA 2048".
func kindOf(public crypto.PublicKey) string {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case *ecdh.PrivateKey:
		return "X25519"
	}
	return fmt.Sprintf("%T", public)
}

// order returns the certificate of the key, then the one that issued it, and
// so on. Each certificate of certs must have its place.
func order(certs []*x509.Certificate, public crypto.PublicKey) ([]*x509.Certificate, error) {
	own := slices.IndexFunc(certs, func(c *x509.Certificate) bool {
		k, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		return ok && k.Equal(public)
	})
	if own < 0 {
		return nil, refuse(FieldKey, Mismatch, nil, templateMismatch, "subject", subjectOf(certs[0]))
	}
	chain := []*x509.Certificate{certs[own]}
	left := slices.Delete(slices.Clone(certs), own, own+1)
	for len(left) > 0 {
		last := chain[len(chain)-1]
		if err := checkSignature(last); err != nil {
			return nil, err
		}
		next := slices.IndexFunc(left, func(c *x509.Certificate) bool {
			return bytes.Equal(c.RawSubject, last.RawIssuer) && last.CheckSignatureFrom(c) == nil
		})
		if next < 0 || selfSigned(last) {
			return nil, refuse(FieldCertificate, BrokenChain, nil, templateChain, "subject", subjectOf(left[0]))
		}
		chain = append(chain, left[next])
		left = slices.Delete(left, next, next+1)
	}
	return chain, nil
}

// checkSignature refuses hashes that browsers refuse. The signature of a root
// by itself is never verified.
func checkSignature(c *x509.Certificate) error {
	switch c.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return nil
	}
	if c.IsCA && bytes.Equal(c.RawSubject, c.RawIssuer) {
		return nil
	}
	return refuse(FieldCertificate, WeakSigning, nil, templateSignature, "subject", subjectOf(c), "algorithm", c.SignatureAlgorithm.String())
}

// checkLeaf says whether c can be the certificate of a web server.
func checkLeaf(c *x509.Certificate) error {
	subject := subjectOf(c)
	serverAuth := slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
	switch {
	case c.IsCA:
		return refuse(FieldCertificate, Authority, nil, templateCA, "subject", subject)
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0, // RFC 8446 section 4.4.2.2
		len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0 && !serverAuth: // RFC 5280 section 4.2.1.12
		return refuse(FieldCertificate, Usage, nil, templateUsage, "subject", subject)
	case len(namesOf(c)) == 0:
		return refuse(FieldCertificate, NoNames, nil, templateNames, "subject", subject)
	}
	return nil
}

// checkEach says whether a certificate of the chain is one that browsers take
// now.
func checkEach(c *x509.Certificate, now time.Time) error {
	subject := subjectOf(c)
	if err := checkSignature(c); err != nil {
		return err
	}
	if len(c.UnhandledCriticalExtensions) > 0 { // RFC 5280 section 4.2
		return refuse(FieldCertificate, Usage, nil, templateExtension, "subject", subject, "oid", c.UnhandledCriticalExtensions[0].String())
	}
	if now.Year() < clockSet {
		return nil
	}
	if now.After(c.NotAfter) {
		return refuse(FieldCertificate, Expired, nil, templateExpired, "subject", subject, "notAfter", day(c.NotAfter))
	}
	if now.Before(c.NotBefore) {
		return refuse(FieldCertificate, NotYetValid, nil, templateNotYet, "subject", subject, "notBefore", day(c.NotBefore))
	}
	return nil
}
