package web

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"galilei/pbxd/certificate"
	"galilei/pbxd/pbx"
)

// pageHosts are the names and addresses by which the page is reached.
func pageHosts(cfg *pbx.Config) []string {
	hosts := []string{cfg.Network.Hostname}
	if p, err := netip.ParsePrefix(cfg.Network.Address); err == nil && cfg.Network.Mode == "static" {
		hosts = append(hosts, p.Addr().String())
	}
	return hosts
}

// checkCertificate returns an uploaded certificate in the form in which it is
// kept: PEM, the device's own first.
func (s *Server) checkCertificate(chain string, key pbx.Secret) (pbx.Certificate, pbx.Secret, error) {
	cfg, _ := s.Store.Current()
	if strings.TrimSpace(key.Reveal()) == "" {
		_, authorities, err := certificate.CheckAuthorities([]byte(chain), s.Now())
		return pbx.Certificate{Chain: string(authorities)}, "", wrongCertificate(chain, err)
	}
	_, served, err := certificate.Check([]byte(chain), []byte(key.Reveal()), s.Now(), pageHosts(cfg)...)
	if err != nil {
		return pbx.Certificate{}, "", wrongCertificate(chain, err)
	}
	keyText, err := keyPEM(served)
	if err != nil {
		return pbx.Certificate{}, "", err
	}
	return pbx.Certificate{Chain: string(chainPEM(served))}, pbx.Secret(keyText), nil
}

// wrongCertificate says at its field what is wrong with an upload; nil for nil.
func wrongCertificate(chain string, err error) error {
	if err == nil {
		return nil
	}
	wrong, ok := errors.AsType[*certificate.Error](err)
	if !ok {
		return fmt.Errorf("check certificate of %d bytes: %w", len(chain), err)
	}
	return invalidField(string(wrong.Field), pbx.Message{Template: wrong.Template(), Args: wrong.Args()})
}

func chainPEM(c tls.Certificate) (text []byte) {
	for _, der := range c.Certificate {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return text
}

func keyPEM(c tls.Certificate) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("write key of certificate: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// unusable says why a stored certificate cannot serve the page now.
func (s *Server) unusable(c *pbx.Certificate) (pbx.Message, bool) {
	if c.Key == "" {
		return pbx.Say("This is the certificate of an authority: it has no key here. Upload the one that it issued, with its key."), true
	}
	key, err := s.Store.Key().Open(pbx.CertificatePurpose(c.ID), c.Key)
	if err != nil {
		return pbx.Say("The key of this certificate cannot be read on this device. Upload both again."), true
	}
	_, _, err = certificate.Check([]byte(c.Chain), []byte(key.Reveal()), s.Now())
	return toldMessage(err)
}

func (s *Server) showCertificate(cfg *pbx.Config, c *pbx.Certificate) CertificateInfo {
	var info certificate.Info
	if c.Key == "" {
		v := shownCertificate(c.ID, c.Description, false, s.describeAuthority([]byte(c.Chain)))
		v.Authority = true
		return v
	}
	key, err := s.Store.Key().Open(pbx.CertificatePurpose(c.ID), c.Key)
	if err == nil {
		info = s.describe(cfg, []byte(c.Chain), []byte(key.Reveal()))
	} else {
		info.Warnings = []pbx.Message{pbx.Say("The key of this certificate cannot be read on this device. Upload both again.")}
	}
	return shownCertificate(c.ID, c.Description, cfg.Page.Certificate == c.ID, info)
}

func (s *Server) showDeviceCertificate(cfg *pbx.Config) CertificateInfo {
	var info certificate.Info
	if key, err := keyPEM(s.device); err == nil {
		info = s.describe(cfg, chainPEM(s.device), key)
		// Browsers ask about it anyway, and nobody could make a shorter one.
		info.Warnings = slices.DeleteFunc(info.Warnings, func(m pbx.Message) bool { return m.Template == certificate.TemplateLong })
	}
	return shownCertificate(deviceCertificateID, "", cfg.Page.Certificate == "", info)
}

// describe says what a certificate is. One that is out of its time is
// described as of its beginning, with that as a warning.
func (s *Server) describe(cfg *pbx.Config, chain, key []byte) certificate.Info {
	info, _, err := certificate.Check(chain, key, s.Now(), pageHosts(cfg)...)
	if err == nil {
		return info
	}
	problem, _ := toldMessage(err)
	if leaf, ok := leafOf(chain); ok {
		info, _, _ = certificate.Check(chain, key, leaf.NotBefore.Add(time.Second)) // what is wrong is told already
	}
	info.Warnings = []pbx.Message{problem}
	return info
}

// describeAuthority is describe for the certificate of an authority.
func (s *Server) describeAuthority(text []byte) certificate.Info {
	info, _, err := certificate.CheckAuthorities(text, s.Now())
	if err == nil {
		return info
	}
	problem, _ := toldMessage(err)
	if first, ok := leafOf(text); ok {
		info, _, _ = certificate.CheckAuthorities(text, first.NotBefore.Add(time.Second)) // what is wrong is told already
	}
	info.Warnings = []pbx.Message{problem}
	return info
}

func leafOf(chain []byte) (*x509.Certificate, bool) {
	block, _ := pem.Decode(chain)
	if block == nil {
		return nil, false
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	return leaf, err == nil
}

func shownCertificate(id, description string, inUse bool, i certificate.Info) CertificateInfo {
	v := CertificateInfo{ID: id, Description: description, Subject: i.Subject, Issuer: i.Issuer, Names: i.Names, NotBefore: i.NotBefore, NotAfter: i.NotAfter,
		Fingerprint: i.Fingerprint, KeyType: i.KeyType, InUse: inUse, Warnings: sentences(i.Warnings)}
	if v.Names == nil {
		v.Names = []string{}
	}
	return v
}
