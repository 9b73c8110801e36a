package srtp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
)

// wire is an endpoint: what is written to it is kept, and what the side sends
// is given to its peer.
type wire struct {
	peer      media.Endpoint
	rtp, rtcp [][]byte
	discard   bool
}

func (w *wire) SetPeer(e media.Endpoint) { w.peer = e }
func (w *wire) WriteRTP(p []byte) {
	if !w.discard {
		w.rtp = append(w.rtp, slices.Clone(p))
	}
}
func (w *wire) WriteRTCP(p []byte) { w.rtcp = append(w.rtcp, slices.Clone(p)) }

func packet(t testing.TB, seq uint16, ssrc uint32) []byte {
	t.Helper()
	b, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 8, SequenceNumber: seq, Timestamp: uint32(seq) * 160, SSRC: ssrc}, Payload: bytes.Repeat([]byte{byte(seq)}, 160)}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pair returns two endpoints that speak to each other over wires, and what each
// passes on.
func pair(t *testing.T, suite media.Suite) (a, b *Endpoint, wa, wb, heardA, heardB *wire, ka, kb media.Crypto) {
	t.Helper()
	ka, kb = media.NewCrypto(1, suite), media.NewCrypto(1, suite)
	wa, wb, heardA, heardB = &wire{}, &wire{}, &wire{}, &wire{}
	a, b = New(wa), New(wb)
	a.SetPeer(heardA)
	b.SetPeer(heardB)
	if err := errors.Join(a.SetKeys(ka, kb), b.SetKeys(kb, ka)); err != nil {
		t.Fatal(err)
	}
	return a, b, wa, wb, heardA, heardB, ka, kb
}

func TestBothWays(t *testing.T) {
	for suite, tag := range map[media.Suite]int{media.AES80: 10, media.AES32: 4} {
		a, b, wa, wb, heardA, heardB, _, _ := pair(t, suite)
		for seq := range uint16(300) { // over the roll-over of the sequence number
			p := packet(t, 65400+seq, 7)
			a.WriteRTP(p)
			sent := wa.rtp[seq]
			if len(sent) != len(p)+tag || bytes.Equal(sent[12:40], p[12:40]) {
				t.Fatalf("%s: sent %d octets for %d", suite, len(sent), len(p))
			}
			wb.peer.WriteRTP(sent)
			if n := len(heardB.rtp); n != int(seq)+1 || !bytes.Equal(heardB.rtp[n-1], p) {
				t.Fatalf("%s: packet %d did not come as it was", suite, seq)
			}
		}
		rr, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 9}})
		if err != nil {
			t.Fatal(err)
		}
		b.WriteRTCP(rr)
		wa.peer.WriteRTCP(wb.rtcp[0])
		if len(heardA.rtcp) != 1 || !bytes.Equal(heardA.rtcp[0], rr) || len(wb.rtcp[0]) != len(rr)+14 {
			t.Errorf("%s: report of %d octets sent as %d, %d came", suite, len(rr), len(wb.rtcp[0]), len(heardA.rtcp))
		}
		if a.Dropped() != (Dropped{}) || b.Dropped() != (Dropped{}) {
			t.Errorf("%s: dropped %+v and %+v", suite, a.Dropped(), b.Dropped())
		}
	}
}

// A key that is named in each packet, as some phones do, is found there.
func TestKeyIsNamed(t *testing.T) {
	near, far := media.NewCrypto(1, media.AES80), media.NewCrypto(1, media.AES80)
	far.MKI = "\x00\x01"
	wn, wf, heard, said := &wire{}, &wire{}, &wire{}, &wire{}
	n, f := New(wn), New(wf)
	n.SetPeer(heard)
	f.SetPeer(said)
	if err := errors.Join(n.SetKeys(near, far), f.SetKeys(far, near)); err != nil {
		t.Fatal(err)
	}
	for seq := range uint16(3) {
		p := packet(t, seq, 7)
		f.WriteRTP(p)
		if sent := wf.rtp[seq]; len(sent) != len(p)+2+10 || string(sent[len(p):len(p)+2]) != far.MKI {
			t.Fatalf("sent %x, want the key's name before the tag", sent[len(p):])
		}
		wn.peer.WriteRTP(wf.rtp[seq])
		n.WriteRTP(p)
		wf.peer.WriteRTP(wn.rtp[seq])
	}
	if len(heard.rtp) != 3 || len(said.rtp) != 3 {
		t.Errorf("%d and %d packets came, want 3 each", len(heard.rtp), len(said.rtp))
	}
	wrong := slices.Clone(wf.rtp[2])
	wrong[len(wrong)-11] ^= 1
	if intake := wn.peer.(media.Authenticator); intake.TakeRTP(wrong) {
		t.Error("a packet with the name of another key was taken")
	}
}

// Without encryption packets pass as they are, until there are keys again.
func TestPlain(t *testing.T) {
	w, heard := &wire{}, &wire{}
	e := New(w)
	e.SetPeer(heard)
	p := packet(t, 1, 7)
	e.WriteRTP(p)
	w.peer.WriteRTP(p)
	if len(w.rtp)+len(heard.rtp) != 0 {
		t.Error("packets passed before anything was agreed")
	}
	e.SetPlain()
	e.WriteRTP(p)
	e.WriteRTCP([]byte{0x80, 201, 0, 1, 0, 0, 0, 1})
	w.peer.WriteRTP(p)
	if len(w.rtp) != 1 || len(w.rtcp) != 1 || len(heard.rtp) != 1 || !bytes.Equal(w.rtp[0], p) || !bytes.Equal(heard.rtp[0], p) {
		t.Errorf("%d, %d and %d packets passed, want one each as it was", len(w.rtp), len(w.rtcp), len(heard.rtp))
	}
	if err := e.SetKeys(media.NewCrypto(1, media.AES80), media.NewCrypto(1, media.AES80)); err != nil {
		t.Fatal(err)
	}
	e.WriteRTP(p)
	w.peer.WriteRTP(p)
	if len(w.rtp) != 2 || bytes.Equal(w.rtp[1], p) || len(heard.rtp) != 1 {
		t.Error("a packet passes as it is though there are keys")
	}
}

// TestVector is the reference packet of libsrtp's srtp_validate; its key is that
// of RFC 3711 appendix B.3.
func TestVector(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key := media.Crypto{Tag: 1, Suite: media.AES80, Key: pbx.Secret(unhex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6"))}
	plain := unhex("800f1234decafbadcafebabe" + "abababababababababababababababab")
	want := unhex("800f1234decafbadcafebabe" + "4e55dc4ce79978d88ca4d215949d2402" + "b78d6acc99ea179b8dbb")
	w := &wire{}
	e := New(w)
	if err := e.SetKeys(key, key); err != nil {
		t.Fatal(err)
	}
	e.WriteRTP(plain)
	if len(w.rtp) != 1 || !bytes.Equal(w.rtp[0], want) {
		t.Errorf("sent %x, want %x", w.rtp, want)
	}
}

func TestRefused(t *testing.T) {
	a, b, wa, wb, _, heard, _, _ := pair(t, media.AES80)
	for seq := range uint16(3) {
		a.WriteRTP(packet(t, seq, 7))
	}
	forged := slices.Clone(wa.rtp[1])
	forged[20] ^= 1
	for _, p := range [][]byte{wa.rtp[0], wa.rtp[0], forged, packet(t, 5, 7), {0x80}, bytes.Repeat([]byte{0x80}, 2000), wa.rtp[2], wa.rtp[1]} {
		wb.peer.WriteRTP(p)
	}
	if len(heard.rtp) != 3 || b.Dropped().Refused != 5 {
		t.Errorf("%d packets passed, dropped %+v; want the three good ones and five refused", len(heard.rtp), b.Dropped())
	}
	// Many sources with the right key do not take memory for ever.
	for ssrc := range uint32(100) {
		a.WriteRTP(packet(t, 1, 1000+ssrc))
		wb.peer.WriteRTP(wa.rtp[len(wa.rtp)-1])
	}
	if n := len(b.rx.sources); n != maxSources {
		t.Errorf("%d sources kept, want %d", n, maxSources)
	}
}

// Who speaks to the side in ever new sources does not take memory for ever
// either.
func TestManySources(t *testing.T) {
	a, _, wa, _, _, _, _, _ := pair(t, media.AES80)
	for ssrc := range uint32(10 * maxSources) {
		a.WriteRTP(packet(t, 1, ssrc))
		a.WriteRTCP([]byte{0x80, 201, 0, 1, 0, 0, byte(ssrc >> 8), byte(ssrc)})
	}
	a.WriteRTP(packet(t, 2, 0))
	if len(wa.rtp) != maxSources+1 || len(wa.rtcp) != maxSources || a.Dropped().Unsent != 18*maxSources {
		t.Errorf("%d packets and %d reports sent, dropped %+v; want those of %d sources", len(wa.rtp), len(wa.rtcp), a.Dropped(), maxSources)
	}
}

func TestNoKeysNoPackets(t *testing.T) {
	w, heard := &wire{}, &wire{}
	e := New(w)
	e.SetPeer(heard)
	e.WriteRTP(packet(t, 1, 1))
	e.WriteRTCP(packet(t, 1, 1))
	w.peer.WriteRTP(packet(t, 1, 1))
	if len(w.rtp)+len(w.rtcp)+len(heard.rtp) != 0 || e.Dropped().Unkeyed != 3 {
		t.Errorf("packets passed without keys; dropped %+v", e.Dropped())
	}
	good := media.NewCrypto(1, media.AES80)
	for _, bad := range []media.Crypto{{}, {Suite: media.AES80, Key: "short"}, media.NewCrypto(1, "F8_128_HMAC_SHA1_80")} {
		if err := e.SetKeys(good, bad); !errors.Is(err, media.ErrNoCrypto) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if s := fmt.Sprintf("%v %+v %x", good, good, good); bytes.Contains([]byte(s), []byte(good.Key.Reveal()[:4])) || bytes.Contains([]byte(s), []byte(hex.EncodeToString([]byte(good.Key.Reveal()))[:8])) {
		t.Errorf("the key is printed: %s", s)
	}
	e.SetPeer(nil)
	if w.peer != nil {
		t.Error("still attached")
	}
}

func TestNewKeys(t *testing.T) {
	a, b, wa, wb, _, heard, ka, kb := pair(t, media.AES80)
	a.WriteRTP(packet(t, 65535, 7))
	a.WriteRTP(packet(t, 0, 7)) // on its way while the key changes
	wb.peer.WriteRTP(wa.rtp[0])
	same := b.rx.cipher
	if err := b.SetKeys(kb, ka); err != nil || b.rx.cipher != same {
		t.Errorf("the same keys again: %v, the state is new: %v", err, b.rx.cipher != same)
	}
	fresh := media.NewCrypto(1, media.AES32)
	if err := b.SetKeys(kb, fresh); err != nil {
		t.Fatal(err)
	}
	wb.peer.WriteRTP(wa.rtp[1])
	if err := a.SetKeys(fresh, kb); err != nil {
		t.Fatal(err)
	}
	a.WriteRTP(packet(t, 1, 7))
	wb.peer.WriteRTP(wa.rtp[2])
	if len(heard.rtp) != 3 {
		t.Errorf("%d packets came, want 3; %+v", len(heard.rtp), b.Dropped())
	}
	w := &wire{}
	old := New(w)
	if err := old.SetKeys(ka, kb); err != nil {
		t.Fatal(err)
	}
	old.WriteRTP(packet(t, 9, 7))
	wb.peer.WriteRTP(w.rtp[0])
	if len(heard.rtp) != 3 {
		t.Error("the old key is taken after the new one was used")
	}
}

func TestNothingAllocates(t *testing.T) {
	a, _, wa, wb, _, heard, _, _ := pair(t, media.AES80)
	heard.discard = true
	p := packet(t, 1, 7)
	var list [][]byte
	for seq := range uint16(1200) {
		a.WriteRTP(packet(t, seq, 7))
		list = wa.rtp
	}
	wa.discard = true
	seq := uint16(2000)
	if n := testing.AllocsPerRun(1000, func() {
		seq++
		p[2], p[3] = byte(seq>>8), byte(seq)
		a.WriteRTP(p)
	}); n != 0 {
		t.Errorf("%v allocations to encrypt, want 0", n)
	}
	i := 0
	if n := testing.AllocsPerRun(1000, func() { wb.peer.WriteRTP(list[i]); i++ }); n != 0 {
		t.Errorf("%v allocations to decrypt, want 0", n)
	}
}

func BenchmarkEncrypt(b *testing.B) {
	w := &wire{discard: true}
	e := New(w)
	k := media.NewCrypto(1, media.AES80)
	if err := e.SetKeys(k, k); err != nil {
		b.Fatal(err)
	}
	p := packet(b, 1, 7)
	seq := uint16(0)
	for b.Loop() {
		seq++
		p[2], p[3] = byte(seq>>8), byte(seq)
		e.WriteRTP(p)
	}
}

// FuzzIntake gives an endpoint datagrams of any content, and with the right
// key packets of any content to send.
func FuzzIntake(f *testing.F) {
	k := media.Crypto{Tag: 1, Suite: media.AES32, Key: pbx.Secret(bytes.Repeat([]byte{7}, media.CryptoKeySize))}
	w := &wire{}
	e := New(w)
	if err := e.SetKeys(k, k); err != nil {
		f.Fatal(err)
	}
	e.WriteRTP(packet(f, 1, 1))
	f.Add(w.rtp[0], false)
	f.Add(packet(f, 1, 1), true)
	f.Fuzz(func(t *testing.T, p []byte, plain bool) {
		out, in, heard := &wire{}, &wire{}, &wire{}
		e, far := New(out), New(in)
		e.SetPeer(heard)
		far.SetPeer(heard)
		if err := errors.Join(e.SetKeys(k, k), far.SetKeys(k, k)); err != nil {
			t.Fatal(err)
		}
		if !plain {
			out.peer.WriteRTP(p)
			out.peer.WriteRTCP(p)
			return
		}
		e.WriteRTP(p)
		e.WriteRTCP(p)
		for _, x := range out.rtp {
			in.peer.WriteRTP(x)
		}
		for _, got := range heard.rtp {
			if !bytes.Equal(got, p) {
				t.Fatalf("%x came as %x", p, got)
			}
		}
	})
}
