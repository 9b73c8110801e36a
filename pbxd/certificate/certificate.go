// Package certificate decides whether an uploaded certificate can serve the
// admin page, so that a bad one can never make the page unreachable.
//
// What it refuses is what current browsers refuse without a way round: keys
// and signatures that they do not take, validity, usages. What they only warn
// of, such as another name or a signature of its own, is a warning.
package certificate

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"strings"
	"time"

	"galilei/pbxd/pbx"
)

// MaxSize is the size of each upload in bytes; maxChain bounds the
// certificates in one.
const (
	MaxSize  = 64 << 10
	maxChain = 10
)

// clockSet is the first year in which the clock is believed. A device without
// battery starts in 1970.
const clockSet = 2024

// maxDays is how long Apple's systems let any server certificate be valid that
// was issued after 2019-07-01 (Apple support article HT210176).
const maxDays = 825

// expiring is the time before the end from which on it is a warning.
const expiring = 30 * 24 * time.Hour

// Info is what people want to know of a certificate.
type Info struct {
	Subject     string        `json:"subject"`            // common name, else the whole name or the first of Names
	Issuer      string        `json:"issuer"`             // likewise
	Names       []string      `json:"names"`              // host names and addresses for which it is good
	NotBefore   time.Time     `json:"notBefore"`          // UTC
	NotAfter    time.Time     `json:"notAfter"`           // UTC, the first end in the chain
	Fingerprint string        `json:"fingerprint"`        // SHA-256 in capital hexadecimal with colons, as browsers show it
	KeyType     string        `json:"keyType"`            // for example "RSA 2048" or "ECDSA P-256"
	SelfSigned  bool          `json:"selfSigned"`         // by its own key
	Warnings    []pbx.Message `json:"warnings,omitempty"` // what is worth knowing and no reason to refuse
}

// Check reads a certificate with those that vouch for it, in any order, and
// its private key (PKCS#1, SEC1 or PKCS#8), all PEM. It returns what the
// certificate says and the form that a TLS server takes, the device's own
// first. hosts are the names and addresses under which the page is reached; a
// certificate that is not for one of them gets a warning. A clock that was
// never set judges no validity. The error is an *Error.
func Check(chainPEM, keyPEM []byte, now time.Time, hosts ...string) (Info, tls.Certificate, error) {
	certs, err := readChain(chainPEM)
	if err != nil {
		return Info{}, tls.Certificate{}, err
	}
	key, err := readKey(keyPEM)
	if err != nil {
		return Info{}, tls.Certificate{}, err
	}
	chain, err := order(certs, key.Public())
	if err != nil {
		return Info{}, tls.Certificate{}, err
	}
	if err := checkLeaf(chain[0]); err != nil {
		return Info{}, tls.Certificate{}, err
	}
	for _, c := range chain {
		if err := checkEach(c, now); err != nil {
			return Info{}, tls.Certificate{}, err
		}
	}
	served := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, c := range chain {
		served.Certificate = append(served.Certificate, c.Raw)
	}
	info := describe(chain)
	info.Warnings = warnings(chain, now, hosts)
	return info, served, nil
}

func describe(chain []*x509.Certificate) Info {
	leaf := chain[0]
	sum := sha256.Sum256(leaf.Raw)
	info := Info{
		Subject:     subjectOf(leaf),
		Issuer:      nameOf(leaf.Issuer),
		Names:       namesOf(leaf),
		NotBefore:   leaf.NotBefore.UTC(),
		NotAfter:    firstEnd(chain).NotAfter.UTC(),
		Fingerprint: strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":"),
		KeyType:     kindOf(leaf.PublicKey),
		SelfSigned:  selfSigned(leaf),
	}
	if info.SelfSigned {
		info.Issuer = info.Subject
	}
	return info
}

// firstEnd returns the certificate whose end comes first: with it the chain
// ends.
func firstEnd(chain []*x509.Certificate) *x509.Certificate {
	first := chain[0]
	for _, c := range chain[1:] {
		if c.NotAfter.Before(first.NotAfter) {
			first = c
		}
	}
	return first
}

func warnings(chain []*x509.Certificate, now time.Time, hosts []string) (w []pbx.Message) {
	leaf, end, last := chain[0], firstEnd(chain), chain[len(chain)-1]
	if now.Year() < clockSet {
		w = append(w, pbx.Say(templateClock))
	} else if left := end.NotAfter.Sub(now); left < expiring {
		w = append(w, pbx.Say(templateExpiring, "subject", subjectOf(end), "notAfter", day(end.NotAfter), "days", int(left/(24*time.Hour))))
	}
	for _, h := range hosts {
		if leaf.VerifyHostname(h) != nil {
			w = append(w, pbx.Say(templateOtherName, "host", h))
		}
	}
	if n := int(leaf.NotAfter.Sub(leaf.NotBefore) / (24 * time.Hour)); n > maxDays {
		w = append(w, pbx.Say(TemplateLong, "days", n, "limit", maxDays))
	}
	switch {
	case selfSigned(leaf):
		w = append(w, pbx.Say(templateSelfSigned))
	case len(chain) == 1:
		w = append(w, pbx.Say(templateLacksIssuers, "issuer", nameOf(last.Issuer), "subject", subjectOf(last)))
	}
	return w
}

// day is how dates stand in sentences: UTC, since a certificate ends for all
// time zones at once.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// namesOf returns the host names and addresses of a certificate that a browser
// can ask for.
func namesOf(c *x509.Certificate) []string {
	names := []string{}
	for _, n := range c.DNSNames {
		if strings.Trim(n, " .*") != "" {
			names = append(names, n)
		}
	}
	for _, a := range c.IPAddresses {
		if !net.IP(a).IsUnspecified() {
			names = append(names, a.String())
		}
	}
	return names
}

func subjectOf(c *x509.Certificate) string {
	if s := nameOf(c.Subject); s != "" {
		return s
	}
	if names := namesOf(c); len(names) > 0 {
		return names[0]
	}
	return "number " + c.SerialNumber.Text(16)
}

func nameOf(n pkix.Name) string {
	if n.CommonName != "" {
		return n.CommonName
	}
	return n.String()
}

// selfSigned reports whether c is signed with its own key. CheckSignature also
// takes certificates that are no authority.
func selfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}
