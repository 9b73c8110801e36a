package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"galilei/pbxd/certificate"
	"galilei/pbxd/pbx"
)

// deviceCertificateID stands for the certificate that the device has made.
const deviceCertificateID = "device"

// CertificateInfo is a certificate as the API shows it: never with its key.
type CertificateInfo struct {
	ID          string     `json:"id" title:"Identifier" doc:"Stable identifier; device for the one that the device has made" maxLength:"26"`
	Description string     `json:"description" title:"Description" doc:"What the certificate is for" maxLength:"100"`
	Subject     string     `json:"subject" title:"Subject" doc:"For whom it was issued" maxLength:"500"`
	Issuer      string     `json:"issuer" title:"Issuer" doc:"Who issued it" maxLength:"500"`
	Names       []string   `json:"names" title:"Names" doc:"Host names and addresses that it is good for" maxItems:"1000"`
	NotBefore   time.Time  `json:"notBefore" title:"Valid from" doc:"Beginning of its validity"`
	NotAfter    time.Time  `json:"notAfter" title:"Valid until" doc:"End of its validity"`
	Fingerprint string     `json:"fingerprint" title:"Fingerprint" doc:"SHA-256, as browsers show it" maxLength:"100"`
	KeyType     string     `json:"keyType" title:"Key" doc:"Kind of its key" maxLength:"40"`
	Authority   bool       `json:"authority" title:"Authority" doc:"It is that of an authority, without a key: providers' certificates are checked with it"`
	InUse       bool       `json:"inUse" title:"In use" doc:"The page is shown with it"`
	Warnings    []Sentence `json:"warnings" title:"Warnings" doc:"What is worth knowing of it" maxItems:"20"`
}

// CertificateUpload is a new certificate with its key.
type CertificateUpload struct {
	Description string     `json:"description" title:"Description" doc:"What the certificate is for. It must be unique." minLength:"1" maxLength:"100"`
	Certificate string     `json:"certificate" title:"Certificate" doc:"PEM: the certificate and those that vouch for it, in any order" minLength:"1" maxLength:"65536"`
	Key         pbx.Secret `json:"key,omitempty" title:"Private key" doc:"PEM: the key of the certificate, not encrypted. It is never shown again. Empty for the certificate of an authority that signs those of providers." maxLength:"65536" writeOnly:"true"`
}

// CertificateChange changes a certificate that is not in use.
type CertificateChange struct {
	Description string      `json:"description" title:"Description" doc:"What the certificate is for. It must be unique." minLength:"1" maxLength:"100"`
	Certificate *string     `json:"certificate,omitempty" title:"Certificate" doc:"PEM: its successor; absent: stays" minLength:"1" maxLength:"65536"`
	Key         *pbx.Secret `json:"key,omitempty" title:"Private key" doc:"PEM: the key of the successor, not encrypted; absent: the present key" minLength:"1" maxLength:"65536" writeOnly:"true"`
}

// acceptedChange answers a change that waits to be confirmed.
type acceptedChange struct {
	Body pbx.PendingChange
}

const certificateModule = "certificates"

// maxCertificateBody has room for two PEM files in JSON.
const maxCertificateBody = 4 * certificate.MaxSize

func (s *Server) registerCertificates() {
	const path, tag = "/certificates", "Certificates"
	op := func(id, method, path, summary string, o operation) operation {
		o.id, o.method, o.path, o.summary, o.tag, o.module, o.maxBody = id, method, path, summary, tag, certificateModule+o.module, maxCertificateBody
		return o
	}
	stale := []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}
	register(s, op("list-certificates", http.MethodGet, path, "Certificates for the page and the transports", operation{module: "|transports", description: "The device's own is the first."}),
		func(context.Context, *none) (*answer[[]CertificateInfo], error) {
			cfg, _ := s.Store.Current()
			list := []CertificateInfo{s.showDeviceCertificate(cfg)}
			for i := range cfg.Certificates {
				list = append(list, s.showCertificate(cfg, &cfg.Certificates[i]))
			}
			return &answer[[]CertificateInfo]{list}, nil
		})
	register(s, op("get-certificate", http.MethodGet, path+"/{id}", "One certificate", operation{errors: []int{http.StatusNotFound}}),
		func(_ context.Context, in *EntryPath) (*tagged[CertificateInfo], error) {
			cfg, _ := s.Store.Current()
			if in.ID == deviceCertificateID {
				info := s.showDeviceCertificate(cfg)
				return &tagged[CertificateInfo]{etag(info.Fingerprint), info}, nil
			}
			c := certificateByID(cfg, in.ID)
			if c == nil {
				return nil, noCertificate()
			}
			return &tagged[CertificateInfo]{etag(c), s.showCertificate(cfg, c)}, nil
		})
	register(s, op("add-certificate", http.MethodPost, path, "Upload a certificate", operation{status: http.StatusCreated, audits: []string{"add-certificate"},
		description: "With its key, one that can serve the page; without a key, that of an authority that signs those of providers. It takes effect with use, or where a transport names it.", errors: []int{http.StatusConflict, http.StatusUnprocessableEntity}}),
		func(ctx context.Context, in *struct{ Body body[CertificateUpload] }) (*created[CertificateInfo], error) {
			return s.addCertificate(ctx, in.Body.value)
		})
	register(s, op("change-certificate", http.MethodPut, path+"/{id}", "Change a certificate", operation{audits: []string{"change-certificate"},
		description: "Not the one in use: upload its successor beside it.", errors: stale}),
		func(ctx context.Context, in *entryChange[CertificateChange]) (*tagged[CertificateInfo], error) {
			return s.changeCertificate(ctx, in)
		})
	register(s, op("delete-certificate", http.MethodDelete, path+"/{id}", "Delete a certificate", operation{status: http.StatusNoContent,
		audits: []string{"delete-certificate"}, description: "Not the one in use.", errors: stale}),
		func(ctx context.Context, in *entryDeletion) (*none, error) {
			return &none{}, s.deleteCertificate(ctx, in)
		})
	register(s, op("use-certificate", http.MethodPost, path+"/{id}/use", "Show the page with a certificate", operation{status: http.StatusAccepted,
		audits: []string{"use-certificate"}, errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired},
		description: "Takes effect at once, and reverts after 120 s unless it is confirmed over a connection that was made with the new certificate. See /pending-change."}),
		func(ctx context.Context, in *entryDeletion) (*acceptedChange, error) {
			return s.useCertificate(ctx, in.ID, in.check)
		})
}

func noCertificate() error { return refuse(http.StatusNotFound, "There is no such certificate.") }

func certificateByID(cfg *pbx.Config, id string) *pbx.Certificate {
	i := slices.IndexFunc(cfg.Certificates, func(c pbx.Certificate) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &cfg.Certificates[i]
}

func (s *Server) addCertificate(ctx context.Context, in CertificateUpload) (*created[CertificateInfo], error) {
	c, key, err := s.checkCertificate(in.Certificate, in.Key)
	if err != nil {
		return nil, err
	}
	c.ID, c.Description = pbx.NewID(), in.Description
	c.Key = s.sealKey(c.ID, key)
	at := 0
	_, err = s.commit(ctx, pbx.Say(entryAdded, "what", pbx.Say("Certificate"), "name", c.Description), func(cfg *pbx.Config) error {
		at = len(cfg.Certificates)
		cfg.Certificates = append(cfg.Certificates, c)
		return nil
	})
	if err != nil {
		return nil, refusedAt(err, fmt.Sprintf("certificates[%d].", at))
	}
	s.record(ctx, "add-certificate", c.Description)
	cfg, _ := s.Store.Current()
	return &created[CertificateInfo]{etag(&c), apiPrefix + "/certificates/" + c.ID, s.showCertificate(cfg, &c)}, nil
}

// sealKey seals the key of a certificate; an authority's has none.
func (s *Server) sealKey(id string, key pbx.Secret) pbx.Sealed {
	if key == "" {
		return ""
	}
	return s.Store.Key().Seal(pbx.CertificatePurpose(id), key)
}

// free refuses a change of a certificate that the page is shown with, or may
// be shown with again when a change reverts.
func (s *Server) free(cfg *pbx.Config, id string) error {
	if id == deviceCertificateID {
		return refuse(http.StatusConflict, "The device's own certificate cannot be changed or deleted.")
	}
	if cfg.Page.Certificate == id {
		return refuse(http.StatusConflict, "The certificate is in use. Choose another one for the page first.")
	}
	if p := s.Store.Pending(); p != nil && p.Section == "page" {
		return refuse(http.StatusConflict, "The choice of the certificate waits to be confirmed. Confirm it or go back first.")
	}
	return nil
}

func (s *Server) changeCertificate(ctx context.Context, in *entryChange[CertificateChange]) (*tagged[CertificateInfo], error) {
	cfg, _ := s.Store.Current()
	if err := s.free(cfg, in.ID); err != nil {
		return nil, err
	}
	old := certificateByID(cfg, in.ID)
	if old == nil {
		return nil, noCertificate()
	}
	next, change := *old, in.Body.value
	next.Description = change.Description
	if change.Certificate != nil || change.Key != nil {
		chain, key := old.Chain, pbx.Secret("")
		if change.Certificate != nil {
			chain = *change.Certificate
		}
		if change.Key != nil {
			key = *change.Key
		} else if old.Key != "" {
			var err error
			if key, err = s.Store.Key().Open(pbx.CertificatePurpose(old.ID), old.Key); err != nil {
				return nil, invalidField("key", pbx.Say("is needed: the stored key cannot be read"))
			}
		}
		checked, key, err := s.checkCertificate(chain, key)
		if err != nil {
			return nil, err
		}
		next.Chain, next.Key = checked.Chain, s.sealKey(old.ID, key)
	}
	at, changed := 0, false
	_, err := s.commit(ctx, pbx.Say(entryChanged, "what", pbx.Say("Certificate"), "name", next.Description), func(cfg *pbx.Config) error {
		at = slices.IndexFunc(cfg.Certificates, func(c pbx.Certificate) bool { return c.ID == in.ID })
		if at < 0 {
			return noCertificate()
		}
		if err := in.check(etag(&cfg.Certificates[at])); err != nil {
			return err
		}
		if err := s.free(cfg, in.ID); err != nil {
			return err
		}
		changed = cfg.Certificates[at] != next
		cfg.Certificates[at] = next
		return nil
	})
	if err != nil {
		return nil, refusedAt(err, fmt.Sprintf("certificates[%d].", at))
	}
	if changed {
		s.record(ctx, "change-certificate", next.Description)
	}
	cfg, _ = s.Store.Current()
	return &tagged[CertificateInfo]{etag(&next), s.showCertificate(cfg, &next)}, nil
}

// idle refuses to delete a certificate that a transport uses: without it, any
// authority would do.
func (s *Server) idle(cfg *pbx.Config, id string) error {
	for _, t := range cfg.Transports {
		if t.CACertificate == id || t.Certificate == id {
			return refuseWith(http.StatusConflict, pbx.Say("The transport {name} uses the certificate. Choose another one there first.", "name", t.Name))
		}
	}
	return s.free(cfg, id)
}

func (s *Server) deleteCertificate(ctx context.Context, in *entryDeletion) error {
	cfg, _ := s.Store.Current()
	if err := s.idle(cfg, in.ID); err != nil {
		return err
	}
	c := certificateByID(cfg, in.ID)
	if c == nil {
		return noCertificate()
	}
	name := c.Description
	_, err := s.commit(ctx, pbx.Say(entryDeleted, "what", pbx.Say("Certificate"), "name", name), func(cfg *pbx.Config) error {
		c := certificateByID(cfg, in.ID)
		if c == nil {
			return noCertificate()
		}
		if err := in.check(etag(c)); err != nil {
			return err
		}
		if err := s.idle(cfg, in.ID); err != nil {
			return err
		}
		cfg.Certificates = slices.DeleteFunc(cfg.Certificates, func(c pbx.Certificate) bool { return c.ID == in.ID })
		cfg.Forget("certificates", in.ID)
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete certificate %s: %w", in.ID, err)
	}
	s.record(ctx, "delete-certificate", name)
	return nil
}

// useCertificate shows the page with a certificate, for now. match checks the
// ETag of the one that the client has seen.
func (s *Server) useCertificate(ctx context.Context, id string, match func(tag string) error) (*acceptedChange, error) {
	cfg, _ := s.Store.Current()
	chosen, name, comment := "", "of the device", pbx.Say("Certificate of the page: that of the device")
	if id != deviceCertificateID {
		c := certificateByID(cfg, id)
		if c == nil {
			return nil, noCertificate()
		}
		chosen, name, comment = id, c.Description, pbx.Say("Certificate of the page: {name}", "name", c.Description)
		if err := match(etag(c)); err != nil {
			return nil, err
		}
		if problem, ok := s.unusable(c); ok {
			return nil, refuseWith(http.StatusConflict, problem)
		}
	}
	if id == deviceCertificateID {
		if err := match(etag(s.showDeviceCertificate(cfg).Fingerprint)); err != nil {
			return nil, err
		}
	}
	p, err := s.commitTentative(ctx, comment, "page", s.trial(), func(cfg *pbx.Config) error {
		if chosen != "" {
			c := certificateByID(cfg, chosen)
			if c == nil {
				return noCertificate()
			}
			if err := match(etag(c)); err != nil {
				return err
			}
		}
		if cfg.Page.Certificate == chosen {
			return refuse(http.StatusConflict, "The page is shown with this certificate already.")
		}
		cfg.Page.Certificate = chosen
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.record(ctx, "use-certificate", name)
	return &acceptedChange{p}, nil
}
