package pbxdtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

// A phone that takes INFO and no telephone-event gets by INFO the keys that the
// other side sends as events (RFC 2976, RFC 4733).
func TestEventsBecomeINFO(t *testing.T) {
	s, a, b := twoPhones(t, Options{})
	ua, ub := listenUDP(t, "127.0.0.1"), listenUDP(t, "127.0.0.1")
	call := a.Dial("102", SDP(port(ua)))
	in := b.Ringing()
	plain := strings.Replace(strings.Replace(SDP(port(ub)), "8 0 101", "8", 1), "a=rtpmap:101 telephone-event/8000\r\n", "", 1)
	b.Reply(in.Invite, in.Local, 200, "OK", "Allow: INVITE, ACK, BYE, INFO\r\n", plain)
	b.Request("ACK")
	to := call.Answered().AudioPort()
	s.Eventually("the bridge", func() bool {
		send(t, ua, "127.0.0.1", to, rtp(1))
		return receive(ub) != nil
	})
	for key, digit := range []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"} {
		stamp := uint32(10000 + 2000*key)
		for i := range uint16(9) { // RFC 4733: updates each 20 ms, the end three times
			end, ms := byte(0), uint16(20*min(i+1, 6))
			if i >= 6 {
				end = 0x80
			}
			p := []byte{0x80, 101, 0, 0, byte(stamp >> 24), byte(stamp >> 16), byte(stamp >> 8), byte(stamp), 0, 0, 0, 7, byte(key), end | 10, byte(ms * 8 >> 8), byte(ms * 8)}
			seq := uint16(2+9*key) + i
			p[2], p[3] = byte(seq>>8), byte(seq)
			if i == 0 {
				p[1] |= 0x80
			}
			send(t, ua, "127.0.0.1", to, p)
			time.Sleep(10 * time.Millisecond)
		}
		info := b.Request("INFO")
		b.Reply(info, "", 200, "OK", "", "")
		if info.Get("Content-Type") != "application/dtmf-relay" || !strings.HasPrefix(info.Body, "Signal="+digit+"\r\nDuration=1") {
			t.Fatalf("INFO has %q of %q, want the key %s of about 120 ms", info.Body, info.Get("Content-Type"), digit)
		}
	}
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// The cause that one side gives reaches the other (RFC 3326), when a call is
// refused and when it ends.
func TestReasonIsPassedOn(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	call := a.Dial("102", SDP(16000))
	in := b.Ringing()
	b.Reply(in.Invite, in.Local, 480, "No", "Reason: SIP;cause=480\r\nReason: Q.850;cause=27;text=\"out of order\"\r\n", "")
	b.Request("ACK")
	res := a.Final("INVITE")
	call.AckRefusal(res)
	if !strings.HasPrefix(res.Get("Reason"), "Q.850;cause=27;") {
		t.Errorf("refused with %s, Reason %q; want cause 27", res.Start, res.Get("Reason"))
	}
	call = a.Dial("102", SDP(16000))
	in = b.Ringing()
	in.Answer(SDP(16002))
	call.Answered()
	call.SendWith("BYE", "Reason: Q.850;cause=31\r\n", "", "")
	a.Response("BYE", 200)
	bye := b.Request("BYE")
	b.Reply(bye, "", 200, "OK", "", "")
	if !strings.HasPrefix(bye.Get("Reason"), "Q.850;cause=31;") {
		t.Errorf("BYE has the Reason %q, want cause 31", bye.Get("Reason"))
	}
	nothingLeft(t, s)
}

// Another certificate holds for connections that begin after the change. Who is
// connected stays so, and can be called.
func TestCertificateOfPhones(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	b := s.Phone("102", "tls").MustRegister()
	served := func() string {
		c, err := tls.Dial("tcp", s.TLS.String(), &tls.Config{InsecureSkipVerify: true}) // the certificate is what is asked for
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return strings.Join(c.ConnectionState().PeerCertificates[0].DNSNames, " ")
	}
	before := served()
	admin := s.Login()
	var made struct {
		ID string `json:"id"`
	}
	chain, key := certificate(t, "phones.example")
	admin.Do("POST", "/api/v1/certificates", map[string]string{"description": "Phones", "certificate": chain, "key": key}, 201, &made)
	admin.Do("POST", "/api/v1/certificates/"+made.ID+"/use", nil, 202, nil)
	if now := served(); now != "phones.example" || before == now {
		t.Errorf("new connections are shown %q after %q, want phones.example", now, before)
	}
	a := s.Phone("101", "tls").MustRegister()
	call := a.Dial("102", SDP(16000))
	b.Ringing().Answer(SDP(16002))
	call.Answered()
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// certificate makes a certificate for a host and its key, as PEM.
func certificate(t *testing.T, host string) (chain, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}
