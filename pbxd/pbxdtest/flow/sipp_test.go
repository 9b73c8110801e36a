package flow

import (
	"embed"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"galilei/pbxd/pbxdtest/peer"
)

//go:embed testdata
var testdata embed.FS

// scenario reads one of sipp, with what it includes: "<?include NAME?>" stands
// for testdata/include/NAME, "<?include NAME|TEXT?>" puts TEXT for ARGUMENT in
// there. Then old words are replaced by new ones, given in turns.
func scenario(t *testing.T, name string, words ...string) []byte {
	t.Helper()
	read := func(path string) string {
		b, err := testdata.ReadFile("testdata/" + path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	include := regexp.MustCompile(`(?s)<\?include ([a-z.-]+)(?:\|(.*?))?\?>\n?`)
	text := read(name + ".xml")
	for depth := 0; include.MatchString(text); depth++ {
		if depth > 3 {
			t.Fatalf("scenario %s includes without end", name)
		}
		text = include.ReplaceAllStringFunc(text, func(s string) string {
			m := include.FindStringSubmatch(s)
			return strings.ReplaceAll(read("include/"+m[1]), "ARGUMENT", m[2])
		})
	}
	return []byte(strings.NewReplacer(words...).Replace(text))
}

// sipper is a phone that sipp plays, with its audio.
type sipper struct {
	*peer.Sipp
	*peer.Voice
	ports int            // of the other side that have been followed
	to    netip.AddrPort // the last of them
}

func (o *office) sipp(t *testing.T, name string, so peer.SippOptions, tone float64, words ...string) *sipper {
	t.Helper()
	peer.NeedSipp(t)
	v := voice(t, peer.PayloadPCMA, tone)
	so.Dir, so.Scenario, so.XML, so.RTPPort = t.TempDir(), peer.Scenario(name), scenario(t, name, words...), v.Port()
	if so.Keys["domain"] == "" {
		so.Domain = o.SIP.String()
	}
	s, err := peer.StartSipp(o.ctx, so)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return &sipper{Sipp: s, Voice: v}
}

// called starts a phone that is registered as ext and waits for a call.
func (o *office) called(t *testing.T, name, ext string, tone float64, keys map[string]string, words ...string) *sipper {
	t.Helper()
	s := o.sipp(t, name, peer.SippOptions{Keys: keys}, tone, words...)
	if err := s.WaitReady(o.ctx); err != nil {
		t.Fatal(err)
	}
	o.registered(t, ext, int(s.Sipp.Addr().Port()))
	return s
}

// calls starts a phone that calls.
func (o *office) calls(t *testing.T, name, ext, number string, tone float64, keys map[string]string, words ...string) *sipper {
	t.Helper()
	return o.sipp(t, name, peer.SippOptions{Keys: keys, Remote: o.SIP, Users: []peer.SippUser{{User: ext, Password: o.Password(ext), Number: number}}}, tone, words...)
}

// follow sends the audio to the next port that the other side names.
func (s *sipper) follow(t *testing.T, o *office) {
	t.Helper()
	s.ports++
	port, err := s.AwaitMediaPort(o.ctx, s.ports)
	if err != nil {
		t.Fatal(err)
	}
	s.to = local(port)
	s.SendTo(s.to)
}

// goOn lets the scenario go on from where it waits.
func (s *sipper) goOn(t *testing.T, o *office) {
	t.Helper()
	if err := s.Go(o.ctx); err != nil {
		t.Fatal(err)
	}
}

// said waits until the scenario has logged a value for the n-th time.
func (s *sipper) said(t *testing.T, o *office, name string, n int) string {
	t.Helper()
	v, err := s.AwaitSaid(o.ctx, name, n)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// done checks that scenarios ended as they should.
func done(t *testing.T, list ...*sipper) {
	t.Helper()
	for _, s := range list {
		if r, err := s.Wait(); err != nil || r.Unexpected > 0 {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

func port(v *peer.Voice) string { return strconv.Itoa(v.Port()) }

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
