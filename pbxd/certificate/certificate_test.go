package certificate

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestChainIsPutInOrder(t *testing.T) {
	h := newHierarchy(t)
	want := [][]byte{h.leaf.cert.Raw, h.middle.cert.Raw, h.root.cert.Raw}
	notes := []byte("Bag Attributes\n    friendlyName: pbx\nsubject=CN = pbx.example\n")
	for name, c := range map[string]struct {
		chain []byte
		n     int
	}{
		"in order":               {join(h.leaf.pem(), h.middle.pem(), h.root.pem()), 3},
		"turned round":           {join(h.root.pem(), h.middle.pem(), h.leaf.pem()), 3},
		"mixed":                  {join(h.middle.pem(), h.root.pem(), h.leaf.pem()), 3},
		"without root":           {join(h.middle.pem(), h.leaf.pem()), 2},
		"alone":                  {h.leaf.pem(), 1},
		"one twice":              {join(h.leaf.pem(), h.middle.pem(), h.middle.pem(), h.leaf.pem()), 2},
		"with notes":             {join(notes, h.leaf.pem(), notes, h.middle.pem(), []byte("\n \n")), 2},
		"with CRLF":              {bytes.ReplaceAll(join(h.leaf.pem(), h.middle.pem()), []byte("\n"), []byte("\r\n")), 2},
		"with a byte order mark": {join([]byte("\ufeff"), h.leaf.pem(), h.middle.pem()), 2},
		"and spare space":        {join([]byte("\n\n"), h.leaf.pem(), []byte("\n\n"), h.middle.pem()), 2},
	} {
		info, served, err := Check(c.chain, h.leaf.keyPEM(t), now)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.EqualFunc(served.Certificate, want[:c.n], bytes.Equal) {
			t.Errorf("%s: %d certificates served, not the %d in order", name, len(served.Certificate), c.n)
		}
		if info.Subject != "pbx.example" || info.Issuer != "Middle" || info.SelfSigned || info.KeyType != "ECDSA P-256" ||
			!slices.Equal(info.Names, []string{"pbx.example", "*.pbx.example", "192.0.2.1"}) || !info.NotAfter.Equal(h.leaf.cert.NotAfter) || len(info.Fingerprint) != 95 {
			t.Errorf("%s: %+v", name, info)
		}
	}
}

// What Check accepts serves a client that trusts the root.
func TestServes(t *testing.T) {
	for _, key := range []crypto.Signer{newKey(t), rsaKey(t, 2048)} {
		h := newHierarchy(t)
		leaf := issue(t, leafTemplate(), key, &h.middle)
		_, served, err := Check(join(h.middle.pem(), leaf.pem()), leaf.keyPEM(t), now)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(h.root.cert)
		a, b := net.Pipe()
		server := tls.Server(a, &tls.Config{Certificates: []tls.Certificate{served}, MinVersion: tls.VersionTLS12})
		done := make(chan error, 1)
		go func() { done <- server.HandshakeContext(t.Context()) }()
		client := tls.Client(b, &tls.Config{RootCAs: roots, ServerName: "pbx.example", Time: func() time.Time { return now }})
		if err := client.HandshakeContext(t.Context()); err != nil {
			t.Errorf("%T: %v", key, err)
		}
		if err := <-done; err != nil {
			t.Errorf("%T: server: %v", key, err)
		}
		a.Close()
		b.Close()
	}
}

func TestKeyForms(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	r := rsaKey(t, 2048)
	curve, err := asn1.Marshal(asn1.ObjectIdentifier{1, 3, 132, 0, 34})
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	for _, c := range []struct {
		name string
		key  crypto.Signer
		pem  []byte
		want string
	}{
		{"SEC1", ec, block(blockEC, sec1), "ECDSA P-384"},
		{"SEC1 with its curve", ec, join(block(blockCurve, curve), block(blockEC, sec1)), "ECDSA P-384"},
		{"PKCS#8", ec, issued{key: ec}.keyPEM(t), "ECDSA P-384"},
		{"PKCS#1", r, block(blockRSA, x509.MarshalPKCS1PrivateKey(r)), "RSA 2048"},
		{"PKCS#1 called PKCS#8", r, block(blockPKCS8, x509.MarshalPKCS1PrivateKey(r)), "RSA 2048"},
		{"PKCS#8 RSA", r, issued{key: r}.keyPEM(t), "RSA 2048"},
	} {
		own := issue(t, leafTemplate(), c.key, nil)
		info, served, err := Check(own.pem(), c.pem, now)
		if err != nil || info.KeyType != c.want || !info.SelfSigned || info.Issuer != "pbx.example" || served.PrivateKey == nil {
			t.Errorf("%s: %+v, %v", c.name, info, err)
		}
	}
}

func TestRefuses(t *testing.T) {
	h := newHierarchy(t)
	leafPEM, keyPEM := h.leaf.pem(), h.leaf.keyPEM(t)
	stranger := newHierarchy(t)
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	// with issues a certificate of the changed template for a key.
	with := func(key crypto.Signer, change func(*x509.Certificate)) issued {
		template := leafTemplate()
		change(template)
		return issue(t, template, key, &h.middle)
	}
	pair := func(i issued) [2][]byte { return [2][]byte{i.pem(), i.keyPEM(t)} }
	keyOnly := func(key any) [2][]byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return [2][]byte{leafPEM, block(blockPKCS8, der)}
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	xKey, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak := rsaKey(t, 1024)
	weakLeaf := issue(t, leafTemplate(), weak, &h.middle)
	legacy := pem.EncodeToMemory(&pem.Block{Type: blockEC, Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: []byte("sealed")})
	none := func(*x509.Certificate) {}
	oid := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}
	oldMiddle := authority("Middle")
	oldMiddle.NotAfter = now.AddDate(0, 0, -1)
	expiredMiddle := issue(t, oldMiddle, h.middle.key, &h.root)
	notCA := issue(t, func() *x509.Certificate { c := authority("Middle"); c.IsCA, c.KeyUsage = false, 0; return c }(), h.middle.key, &h.root)

	for _, c := range []struct {
		name    string
		in      [2][]byte
		field   Field
		problem Problem
	}{
		{"nothing", [2][]byte{nil, keyPEM}, FieldCertificate, NotPEM},
		{"DER", [2][]byte{h.leaf.cert.Raw, keyPEM}, FieldCertificate, NotPEM},
		{"too large", [2][]byte{append(bytes.Repeat([]byte(" "), MaxSize), leafPEM...), keyPEM}, FieldCertificate, TooLarge},
		{"cut", [2][]byte{leafPEM[:len(leafPEM)-40], keyPEM}, FieldCertificate, NotPEM},
		{"second one cut", [2][]byte{join(leafPEM, h.middle.pem()[:100]), keyPEM}, FieldCertificate, NotPEM},
		{"first one cut", [2][]byte{join(h.middle.pem()[:100], leafPEM), keyPEM}, FieldCertificate, NotPEM},
		{"text behind", [2][]byte{join(leafPEM, []byte("garbage")), keyPEM}, FieldCertificate, NotPEM},
		{"key among the certificates", [2][]byte{join(leafPEM, keyPEM), keyPEM}, FieldCertificate, WrongBlock},
		{"request", [2][]byte{block("CERTIFICATE REQUEST", []byte{1}), keyPEM}, FieldCertificate, WrongBlock},
		{"eleven", [2][]byte{bytes.Repeat(leafPEM, 11), keyPEM}, FieldCertificate, WrongBlock},
		{"not ASN.1", [2][]byte{block(blockCertificate, []byte("no certificate")), keyPEM}, FieldCertificate, Unreadable},
		{"bytes behind the ASN.1", [2][]byte{block(blockCertificate, append(bytes.Clone(h.leaf.cert.Raw), 0)), keyPEM}, FieldCertificate, Unreadable},

		{"no key", [2][]byte{leafPEM, nil}, FieldKey, NotPEM},
		{"certificate for a key", [2][]byte{leafPEM, leafPEM}, FieldKey, WrongBlock},
		{"two keys", [2][]byte{leafPEM, join(keyPEM, keyPEM)}, FieldKey, WrongBlock},
		{"curve without key", [2][]byte{leafPEM, block(blockCurve, []byte{6, 0})}, FieldKey, WrongBlock},
		{"key too large", [2][]byte{leafPEM, append(bytes.Repeat([]byte("\n"), MaxSize), keyPEM...)}, FieldKey, TooLarge},
		{"key cut", [2][]byte{leafPEM, keyPEM[:len(keyPEM)-30]}, FieldKey, NotPEM},
		{"text behind the key", [2][]byte{leafPEM, append(bytes.Clone(keyPEM), "x"...)}, FieldKey, NotPEM},
		{"key not ASN.1", [2][]byte{leafPEM, block(blockRSA, []byte("no key"))}, FieldKey, Unreadable},
		{"encrypted PKCS#8", [2][]byte{leafPEM, block(blockEncrypted, []byte("sealed"))}, FieldKey, Encrypted},
		{"encrypted by old OpenSSL", [2][]byte{leafPEM, legacy}, FieldKey, Encrypted},
		{"another key", [2][]byte{leafPEM, stranger.leaf.keyPEM(t)}, FieldKey, Mismatch},
		{"Ed25519", keyOnly(edKey), FieldKey, KeyKind},
		{"X25519", keyOnly(xKey), FieldKey, KeyKind},
		{"P-521", keyOnly(p521), FieldKey, KeyKind},
		{"RSA 1024 key", keyOnly(weak), FieldKey, KeyKind},
		{"RSA 1024 certificate", [2][]byte{weakLeaf.pem(), keyPEM}, FieldCertificate, KeyKind},

		{"expired", pair(with(newKey(t), func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) })), FieldCertificate, Expired},
		{"not yet valid", pair(with(newKey(t), func(c *x509.Certificate) { c.NotBefore = now.Add(time.Second) })), FieldCertificate, NotYetValid},
		{"no names", pair(with(newKey(t), func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil })), FieldCertificate, NoNames},
		{"mail address only", pair(with(newKey(t), func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses, c.EmailAddresses = nil, nil, []string{"a@example"}
		})), FieldCertificate, NoNames},
		{"for clients", pair(with(newKey(t), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })), FieldCertificate, Usage},
		{"for encryption", pair(with(newKey(t), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })), FieldCertificate, Usage},
		{"unknown critical extension", pair(with(newKey(t), func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: oid, Critical: true, Value: []byte{5, 0}}}
		})), FieldCertificate, Usage},
		{"authority", pair(h.middle), FieldCertificate, Authority},
		{"authority by itself", pair(h.root), FieldCertificate, Authority},

		{"foreign certificate besides", [2][]byte{join(leafPEM, stranger.middle.pem()), keyPEM}, FieldCertificate, BrokenChain},
		{"middle is missing", [2][]byte{join(leafPEM, h.root.pem()), keyPEM}, FieldCertificate, BrokenChain},
		{"behind a certificate of its own", func() [2][]byte {
			own := issue(t, leafTemplate(), newKey(t), nil)
			return [2][]byte{join(own.pem(), h.root.pem()), own.keyPEM(t)}
		}(), FieldCertificate, BrokenChain},
		{"issuer expired", [2][]byte{join(leafPEM, expiredMiddle.pem()), keyPEM}, FieldCertificate, Expired},
		{"issuer is no authority", [2][]byte{join(leafPEM, notCA.pem()), keyPEM}, FieldCertificate, BrokenChain},
	} {
		_, served, err := Check(c.in[0], c.in[1], now)
		var e *Error
		if !errors.As(err, &e) || e.Field != c.field || e.Problem != c.problem {
			t.Errorf("%s: %v, want %s of %s", c.name, err, c.problem, c.field)
			continue
		}
		if served.Certificate != nil || served.PrivateKey != nil {
			t.Errorf("%s: refused, and returned to be served", c.name)
		}
		if !slices.Contains(Messages(), e.Template()) || strings.ContainsAny(pbx.Message{Template: e.Template(), Args: e.Args()}.Text(), "{}") {
			t.Errorf("%s: sentence %q", c.name, e.Error())
		}
		if strings.Contains(c.name, "key") && strings.Contains(e.Error(), strings.Split(string(keyPEM), "\n")[1]) {
			t.Errorf("%s: the error repeats the key", c.name)
		}
	}
	if _, _, err := Check(pair(with(newKey(t), none))[0], keyPEM, now); err == nil {
		t.Error("a certificate with the key of another one is accepted")
	}
}

// crypto/x509 signs nothing with SHA-1 any more, so the algorithm is replaced
// in a certificate: it is judged by its name, before any signature.
func TestRefusesSHA1(t *testing.T) {
	h := newHierarchy(t)
	// ecdsa-with-SHA256 becomes ecdsa-with-SHA224, which crypto/x509 does not
	// know; SHA-1 has a shorter identifier there.
	der := bytes.ReplaceAll(h.leaf.cert.Raw, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2}, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1})
	_, _, err := Check(pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: der}), h.leaf.keyPEM(t), now)
	var e *Error
	if !errors.As(err, &e) || e.Problem != WeakSigning {
		t.Errorf("SHA-224: %v, want %s", err, WeakSigning)
	}
	k := rsaKey(t, 2048)
	root := issue(t, authority("RSA root"), k, nil)
	leaf := issue(t, leafTemplate(), newKey(t), &root)
	// sha256WithRSAEncryption becomes sha1WithRSAEncryption.
	rsaPrefix := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1}
	der = bytes.ReplaceAll(leaf.cert.Raw, append(bytes.Clone(rsaPrefix), 11), append(bytes.Clone(rsaPrefix), 5))
	_, _, err = Check(pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: der}), leaf.keyPEM(t), now)
	if !errors.As(err, &e) || e.Problem != WeakSigning || e.Args()["algorithm"] != "SHA1-RSA" {
		t.Errorf("SHA-1: %v, want %s", err, WeakSigning)
	}
}

// chainOf returns what is served as PEM.
