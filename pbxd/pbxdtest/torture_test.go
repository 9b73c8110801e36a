package pbxdtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// torture is one message of RFC 4475. permitted are the answers that its
// section leaves room for: a status, 0 for none. Where a challenge is one of
// them, the message is sent again with the credentials of 101, and with 101 as
// the address of record in REGISTER; known are the answers permitted then.
type torture struct {
	name, section string
	permitted     []int
	known         []int
	tcp           []int // permitted over TCP where that differs; nil for the same
	why           string
}

var (
	challenged = []int{401}
	bad        = []int{400}
	silence    = []int{0}
	nobody     = []int{404, 480, 484} // the call is understood, the number does not exist
	stored     = []int{200}
)

var torturous = []torture{
	{"wsinv", "3.1.1.1", []int{481}, nil, nil, "well-formed, with a To tag of no dialog (RFC 3261 section 12.2.2)"},
	{"intmeth", "3.1.1.2", []int{405, 501}, nil, nil, "well-formed, unknown method"},
	{"esc01", "3.1.1.3", challenged, nobody, nil, "the user part is no URI"},
	{"escnull", "3.1.1.4", challenged, stored, nil, "two contacts"},
	{"esc02", "3.1.1.5", []int{405, 501}, nil, nil, "unknown method, not REGISTER"},
	{"lwsdisp", "3.1.1.6", []int{200, 404}, nil, nil, "well-formed"},
	{"longreq", "3.1.1.7", challenged, nobody, nil, "well-formed"},
	{"dblreq", "3.1.1.8", challenged, stored, nil, "the second request in the datagram is none"},
	{"semiuri", "3.1.1.9", []int{200, 404}, nil, nil, "well-formed"},
	{"transports", "3.1.1.10", []int{200, 404}, nil, nil, "well-formed"},
	{"mpart01", "3.1.1.11", []int{200, 401, 404, 405, 415}, []int{415}, nil, "well-formed; a message of several parts is no text"},
	{"unreason", "3.1.1.12", silence, nil, nil, "a response"},
	{"noreason", "3.1.1.13", silence, nil, nil, "a response"},
	{"badinv01", "3.1.2.1", bad, nil, nil, "extraneous separators"},
	{"clerr", "3.1.2.2", bad, nil, challenged, "Content-Length is larger than the datagram; a stream goes on"},
	{"ncl", "3.1.2.3", bad, nil, nil, "negative Content-Length"},
	{"scalar02", "3.1.2.4", bad, nil, nil, "overlarge values"},
	{"scalarlg", "3.1.2.5", silence, nil, nil, "overlarge values in a response"},
	{"quotbal", "3.1.2.6", []int{400, 401}, nobody, nil, "string without end; may be guessed"},
	{"ltgtruri", "3.1.2.7", []int{400, 401}, nobody, nil, "Request-URI in brackets; may be ignored"},
	{"lwsruri", "3.1.2.8", []int{400, 401}, nobody, nil, "space in the Request-URI; may be taken out"},
	{"lwsstart", "3.1.2.9", []int{400, 401}, nobody, nil, "two spaces; may be ignored"},
	{"trws", "3.1.2.10", []int{400, 200, 404}, nil, nil, "space at the end; may be ignored"},
	{"escruri", "3.1.2.11", []int{400, 401}, nobody, nil, "header fields in the Request-URI; may be ignored"},
	{"baddate", "3.1.2.12", []int{400, 401}, nobody, nil, "time zone is not GMT; may be ignored"},
	{"regbadct", "3.1.2.13", bad, nil, nil, "URI with header fields without brackets"},
	{"badaspec", "3.1.2.14", []int{400, 200, 404}, nil, nil, "spaces in the URI; may be ignored"},
	{"baddn", "3.1.2.15", []int{400, 200, 404}, nil, nil, "display name without quotes; may be inferred"},
	{"badvers", "3.1.2.16", []int{505}, nil, nil, "unknown version"},
	{"mismatch01", "3.1.2.17", bad, nil, nil, "another method in CSeq"},
	{"mismatch02", "3.1.2.18", []int{400, 501}, nil, nil, "another, and unknown"},
	{"bigcode", "3.1.2.19", silence, nil, nil, "overlarge status"},
	{"badbranch", "3.2.1", []int{400, 200, 404}, nil, nil, "branch is only the cookie"},
	{"insuf", "3.3.1", bad, nil, nil, "From, To and Call-ID are missing"},
	{"unkscm", "3.3.2", []int{416}, nil, nil, "unknown scheme"},
	{"novelsc", "3.3.3", []int{416}, nil, nil, "known scheme that is not SIP's"},
	{"unksm2", "3.3.4", bad, nil, nil, "To is no SIP URI"},
	{"bext01", "3.3.5", []int{420}, nil, nil, "requires what nobody supports"},
	{"invut", "3.3.6", []int{401, 415}, []int{415}, nil, "unknown content type"},
	{"regaut01", "3.3.7", challenged, stored, nil, "unknown authorization scheme"},
	{"multi01", "3.3.8", bad, nil, nil, "single fields given twice"},
	{"mcl01", "3.3.9", bad, nil, nil, "two lengths"},
	{"bcast", "3.3.10", silence, nil, nil, "a response with a broadcast address in Via"},
	{"zeromf", "3.3.11", []int{200, 404, 483}, nil, nil, "no more hops, and here"},
	{"cparam01", "3.3.12", challenged, stored, nil, "parameter of the field"},
	{"cparam02", "3.3.13", challenged, stored, nil, "parameter of the URI"},
	{"regescrt", "3.3.14", challenged, []int{200, 400}, nil, "header field in the contact URI"},
	{"sdp01", "3.3.15", []int{401, 406}, []int{406}, nil, "takes no session description"},
	{"inv2543", "3.4.1", challenged, []int{400, 404, 480, 484}, bad, "of RFC 2543, with which nobody need be compatible; a stream needs Content-Length"},
}

// All messages of RFC 4475, over UDP and TCP. After each of them comes an
// OPTIONS, so that silence is seen without waiting.
func TestRFC4475(t *testing.T) {
	files, err := filepath.Glob("testdata/rfc4475/*.dat")
	if err != nil || len(files) != 49 || len(torturous) != 49 {
		t.Fatalf("%d messages and %d rows, %v; RFC 4475 has 49", len(files), len(torturous), err)
	}
	s := Start(t, Options{})
	t.Logf("%-11s %-9s %-16s %-5s %-5s %s", "message", "section", "permitted", "UDP", "TCP", "with credentials")
	for _, tt := range torturous {
		raw, err := os.ReadFile("testdata/rfc4475/" + tt.name + ".dat")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(raw), "\r\n\r\n") { // baddn, in the archive of the RFC
			raw = append(raw, "\r\n"...)
		}
		stream := string(raw)
		if tt.name == "clerr" {
			stream += strings.Repeat("x", 9999-150) // so that the message ends
		}
		tcp, _ := s.torture(tt, "tcp", stream)
		udp, known := s.torture(tt, "udp", string(raw))
		t.Logf("%-11s %-9s %-16v %-5d %-5d %d", tt.name, tt.section, tt.permitted, udp, tcp, known)
		if !slices.Contains(tt.permitted, udp) {
			t.Errorf("%s (%s, %s): got %d over UDP, permitted are %v", tt.name, tt.section, tt.why, udp, tt.permitted)
		}
		over := tt.permitted
		if tt.tcp != nil {
			over = tt.tcp
		}
		if !slices.Contains(over, tcp) {
			t.Errorf("%s (%s, %s): got %d over TCP, permitted are %v", tt.name, tt.section, tt.why, tcp, over)
		}
		if udp == 401 && !slices.Contains(tt.known, known) {
			t.Errorf("%s (%s, %s): got %d with credentials, permitted are %v", tt.name, tt.section, tt.why, known, tt.known)
		}
	}
	if strings.Contains(s.Log.String(), "panicked") {
		t.Errorf("a handler panicked:\n%s", s.Log)
	}
	nothingLeft(t, s)
}

// torture sends a message and returns the status of the final answer, 0 for
// none; and that to the same message with credentials, if it was challenged.
func (s *System) torture(tt torture, network, raw string) (status, known int) {
	s.T.Helper()
	p := s.Phone("101", network)
	status, challenge := p.torture(tt, raw)
	if network != "udp" || status != 401 || tt.known == nil {
		return status, 0
	}
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	start, fields, _ := strings.Cut(head, "\r\n")
	method, uri, _ := strings.Cut(start, " ")
	uri = strings.Fields(uri)[0]
	fields = regexp.MustCompile(`(?im)^Authorization:.*\r\n`).ReplaceAllString(fields, "")
	if method == "REGISTER" {
		fields = regexp.MustCompile(`(?m)^To:.*$`).ReplaceAllString(fields, "To: <sip:101@example.com>\r")
	}
	fields = strings.Replace(fields, "branch=z9hG4bK", "branch=z9hG4bK"+tt.name, 1) // some messages have the same
	known, _ = p.torture(tt, start+"\r\nAuthorization: "+p.Credentials(challenge, method, uri)+"\r\n"+fields+"\r\n\r\n"+body)
	return status, known
}

func (p *Phone) torture(tt torture, raw string) (status int, challenge string) {
	p.T.Helper()
	p.Send(raw)
	after := "after-" + p.Unique()
	sentinel := fmt.Sprintf("OPTIONS sip:x SIP/2.0\r\nVia: %s\r\nFrom: <sip:101@x>;tag=1\r\nTo: <sip:x>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", p.Via(), after)
	sent := p.trySend(sentinel)
	for calling := false; ; {
		m, ended := p.next(sent)
		switch {
		case !ended && m.Status() == 100:
			calling = true
		case ended:
			return status, challenge
		case m.Get("Call-ID") == after:
			if calling && status == 0 {
				continue // the call is refused by its own goroutine
			}
			return status, challenge
		case status == 0 && m.Status() >= 200:
			status, challenge = m.Status(), m.Get("WWW-Authenticate")
			if len(m.All("Via")) == 0 || m.Get("CSeq") == "" {
				p.T.Errorf("%s: the answer lacks Via or CSeq: %s", tt.name, m)
			}
			if strings.HasPrefix(raw, "INVITE ") {
				uri := strings.Fields(raw)[1]
				cseq, _, _ := strings.Cut(m.Get("CSeq"), " ")
				p.trySend(fmt.Sprintf("ACK %s SIP/2.0\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s ACK\r\nContent-Length: 0\r\n\r\n",
					uri, m.Get("Via"), m.Get("From"), m.Get("To"), m.Get("Call-ID"), cseq))
			}
			if slices.Contains(nobody, status) {
				return status, challenge
			}
		}
	}
}
