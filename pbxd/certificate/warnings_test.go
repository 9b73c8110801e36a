package certificate

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWarnings(t *testing.T) {
	h := newHierarchy(t)
	own := issue(t, leafTemplate(), newKey(t), nil)
	soon := leafTemplate()
	soon.NotAfter = now.AddDate(0, 0, 10)
	ending := issue(t, soon, newKey(t), &h.middle)
	lasting := leafTemplate()
	lasting.NotAfter = now.AddDate(3, 0, 0)
	long := issue(t, lasting, newKey(t), &h.middle)
	endingRoot := authority("Root")
	endingRoot.NotAfter = now.AddDate(0, 0, 5)
	root := issue(t, endingRoot, newKey(t), nil)
	under := issue(t, leafTemplate(), newKey(t), &root)
	for _, c := range []struct {
		name  string
		leaf  issued
		chain []byte
		now   time.Time
		hosts []string
		want  []string
	}{
		{"none", h.leaf, join(h.leaf.pem(), h.middle.pem()), now, []string{"pbx.example", "a.pbx.example", "192.0.2.1"}, nil},
		{"other name and address", h.leaf, join(h.leaf.pem(), h.middle.pem()), now, []string{"galilei", "192.168.0.50"}, []string{templateOtherName, templateOtherName}},
		{"issuer missing", h.leaf, h.leaf.pem(), now, nil, []string{templateLacksIssuers}},
		{"signed by itself", own, own.pem(), now, nil, []string{templateSelfSigned}},
		{"ten days left", ending, join(ending.pem(), h.middle.pem()), now, nil, []string{templateExpiring}},
		{"three years", long, join(long.pem(), h.middle.pem()), now, nil, []string{TemplateLong}},
		{"issuer has five days left", under, join(under.pem(), root.pem()), now, nil, []string{templateExpiring}},
		{"clock not set", h.leaf, join(h.leaf.pem(), h.middle.pem()), time.Unix(3600, 0), nil, []string{templateClock}},
	} {
		info, _, err := Check(c.chain, c.leaf.keyPEM(t), c.now, c.hosts...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, w := range info.Warnings {
			got = append(got, w.Template)
			if !slices.Contains(Messages(), w.Template) || strings.ContainsAny(w.Text(), "{}") {
				t.Errorf("%s: warning %q", c.name, w.Text())
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: warnings %q, want %q", c.name, got, c.want)
		}
		for _, w := range info.Warnings {
			if w.Template == templateExpiring && w.Args["days"] != 10 && w.Args["days"] != 5 {
				t.Errorf("%s: %v", c.name, w.Args)
			}
		}
	}
}

func FuzzCheck(f *testing.F) {
	h := newHierarchy(f)
	f.Add(join(h.leaf.pem(), h.middle.pem()), h.leaf.keyPEM(f))
	f.Add(h.root.pem(), h.root.keyPEM(f))
	f.Add(h.leaf.pem(), []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, chain, key []byte) {
		info, served, err := Check(chain, key, now, "pbx.example")
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || !slices.Contains(Messages(), e.Template()) || e.Field == "" || e.Problem == "" {
				t.Fatalf("no sentence for people: %v", err)
			}
			return
		}
		if len(served.Certificate) == 0 || len(info.Names) == 0 || now.After(info.NotAfter) {
			t.Fatalf("accepted: %+v", info)
		}
		if _, err := tls.X509KeyPair(chainOf(served), key); err != nil {
			t.Fatalf("accepted, and crypto/tls refuses it: %v", err)
		}
	})
}

func chainOf(c tls.Certificate) (text []byte) {
	for _, der := range c.Certificate {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: der})...)
	}
	return text
}
