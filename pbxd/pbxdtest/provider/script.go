package provider

import (
	"fmt"
	"strings"
)

// Check is what a field of a message, or its body, must say.
type Check struct {
	Field   string // name of the header field; empty for the whole message, "body" for the body
	Pattern string // regular expression (POSIX); empty: the message must not have the field
}

// script writes a scenario of sipp: one dialogue, seen from one of its sides.
// What the side that is called says to an INVITE goes with what it came with,
// whatever came since.
type script struct {
	b      strings.Builder
	caller bool
	cseq   int    // of the last request of ours
	invite int    // CSeq of our last INVITE
	uri    string // of our first INVITE
	first  string // From and To of our first INVITE
	fields string // From and To of our requests within the dialog
	dialog bool   // an INVITE of ours has succeeded
	checks int    // numbers the variables of checks
	vars   []string
}

func newScript(name string, caller bool) *script {
	s := &script{caller: caller}
	fmt.Fprintf(&s.b, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<scenario name=%q>\n", name)
	if !caller {
		s.fields = "From:[$to];tag=[pid]p[call_number]\nTo:[$from]\n"
	}
	return s
}

// xml returns the whole. sipp wants each variable used.
func (s *script) xml() []byte {
	text := s.b.String()
	if len(s.vars) > 0 {
		text += fmt.Sprintf("  <Reference variables=%q/>\n", strings.Join(s.vars, ","))
	}
	return []byte(text + "</scenario>\n")
}

func (s *script) variable(name string) string {
	s.vars = append(s.vars, name)
	return name
}

// ereg writes one look at a message.
func (s *script) ereg(field, pattern, must string, names ...string) {
	where := `search_in="msg"`
	switch field {
	case "":
	case "body":
		where = `search_in="body"`
	default:
		where = fmt.Sprintf(`search_in="hdr" header="%s:"`, field)
	}
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;") // no other that sipp knows
	fmt.Fprintf(&s.b, "      <ereg regexp=\"%s\" %s %s assign_to=\"%s\"/>\n", escape.Replace(pattern), where, must, strings.Join(names, ","))
}

func (s *script) look(checks []Check) {
	for _, c := range checks {
		s.checks++
		pattern, must := c.Pattern, `check_it="true"`
		if pattern == "" {
			pattern, must = ".", `check_it_inverse="true"`
		}
		s.ereg(c.Field, pattern, must, s.variable(fmt.Sprintf("check%d", s.checks)))
	}
}

// audio notes at which port the far end wants audio, when it says so.
func (s *script) audio() {
	s.checks++
	port := fmt.Sprintf("port%d", s.checks)
	s.ereg("body", "m=audio ([0-9]+) ", "", s.variable("line"+port), s.variable(port))
	fmt.Fprintf(&s.b, "      <log message=\"rtp [$%s]\"/>\n", port)
}

// once declares the variables of an INVITE, which each INVITE fills anew.
func (s *script) once(names ...string) []string {
	if !strings.Contains(","+strings.Join(s.vars, ",")+",", ","+names[0]+",") {
		s.vars = append(s.vars, names...)
	}
	return names
}

// invited waits for an INVITE.
func (s *script) invited(checks ...Check) {
	s.b.WriteString("  <recv request=\"INVITE\" rrs=\"true\">\n    <action>\n      <log message=\"call [call_id]\"/>\n")
	for _, keep := range []struct{ field, pattern, name string }{
		{"", "(Via: [^\r\n]*\r\n)+", "via"}, {"From", ".*", "from"}, {"To", ".*", "to"}, {"CSeq", ".*", "cseq"}, {"", "(Record-Route: [^\r\n]*\r\n)+", "route"},
	} {
		s.ereg(keep.field, keep.pattern, "", s.once(keep.name)...)
	}
	s.look(checks)
	s.audio()
	s.b.WriteString("    </action>\n  </recv>\n")
}

// received waits for another request.
func (s *script) received(method string, checks ...Check) { s.take(method, "", checks) }

func (s *script) take(method, action string, checks []Check) {
	fmt.Fprintf(&s.b, "  <recv request=%q>\n    <action>\n      <log message=\"%s [call_id]\"/>\n%s", method, method, action)
	s.look(checks)
	s.b.WriteString("    </action>\n  </recv>\n")
}

// proven waits for a request with the right answer to a challenge by 401; sipp
// verifies no other.
func (s *script) proven(method, user, password string, checks ...Check) {
	s.checks++
	label, valid := s.checks, s.variable(fmt.Sprintf("valid%d", s.checks))
	s.take(method, fmt.Sprintf("      <verifyauth assign_to=%q username=%q password=%q/>\n", valid, user, password), checks)
	fmt.Fprintf(&s.b, "  <nop next=\"%d\" test=%q/>\n", label, valid)
	fmt.Fprintf(&s.b, "  <nop><action><error message=\"%s: wrong credentials\"/></action></nop>\n  <label id=\"%d\"/>\n", method, label)
}

// wait lets the scenario stand until the test says that it may go on (peer.Sipp.Go).
func (s *script) wait() { s.b.WriteString("  <recv request=\"GO\"/>\n") }

// stay lets the scenario stand until the test ends it.
func (s *script) stay() { s.b.WriteString("  <recv request=\"END\"/>\n") }

func (s *script) send(retransmit bool, head, body string, fields ...string) {
	attribute := ""
	if retransmit {
		attribute = ` retrans="500"`
	}
	if body != "" {
		fields = append(fields, "Content-Type: application/sdp")
	}
	for _, f := range fields {
		head += f + "\n"
	}
	fmt.Fprintf(&s.b, "  <send%s>\n    <![CDATA[\n%sContent-Length: [len]\n\n%s\n    ]]>\n  </send>\n", attribute, head, body)
}

const contact = "Contact: <sip:provider@[local_ip]:[local_port];transport=[transport]>"

// answer answers the INVITE that was waited for last. A redirection names its
// contacts itself.
func (s *script) answer(status, body string, fields ...string) {
	if status[0] != '3' {
		fields = append([]string{contact}, fields...)
	}
	s.send(status[0] == '2', "SIP/2.0 "+status+"\n[$via][$route]From:[$from]\nTo:[$to];tag=[pid]p[call_number]\nCall-ID: [call_id]\nCSeq:[$cseq]\n", body, fields...)
}

// reply answers the request of another method that came last.
func (s *script) reply(status, body string, fields ...string) {
	s.send(false, "SIP/2.0 "+status+"\n[last_Via:]\n[last_Record-Route:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n"+contact+"\n", body, fields...)
}

// calls sends the first INVITE, to a URI.
func (s *script) calls(uri, from, to, body string, fields ...string) {
	from = "From: " + from + ";tag=[pid]p[call_number]\n"
	s.uri, s.first, s.fields = uri, from+"To: "+to+"\n", from+"To:[$to]\n"
	s.again(body, fields...)
}

// again sends the INVITE of a call that has yet to begin once more.
func (s *script) again(body string, fields ...string) {
	s.cseq++
	s.invite = s.cseq
	s.send(true, head("INVITE", s.uri, s.first, s.cseq), body, append([]string{contact, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE"}, fields...)...)
}

func head(method, uri, fromTo string, cseq int) string {
	return fmt.Sprintf("%s %s SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport\nMax-Forwards: 70\n%sCall-ID: [call_id]\nCSeq: %d %s\n", method, uri, fromTo, cseq, method)
}

// request sends one within the dialog.
func (s *script) request(method, body string, fields ...string) {
	s.cseq++
	if method == "INVITE" {
		s.invite = s.cseq
	}
	s.send(true, head(method, "[next_url]", s.fields, s.cseq), body, append([]string{"[routes]", contact}, fields...)...)
}

// ack acknowledges the success of our last INVITE.
func (s *script) ack(body string, fields ...string) {
	s.dialog = true
	s.send(false, head("ACK", "[next_url]", s.fields, s.invite), body, append([]string{"[routes]", contact}, fields...)...)
}

// refused acknowledges its failure, which has just come.
func (s *script) refused() {
	uri, fields := s.uri, []string(nil)
	if s.dialog {
		uri, fields = "[next_url]", []string{"[routes]"}
	}
	s.send(false, fmt.Sprintf("ACK %s SIP/2.0\n[last_Via:]\nMax-Forwards: 70\n[last_From:]\n[last_To:]\nCall-ID: [call_id]\nCSeq: %d ACK\n", uri, s.invite), "", fields...)
}

// cancel takes back our first INVITE, whose Via is that of its answers.
func (s *script) cancel() {
	s.send(false, fmt.Sprintf("CANCEL %s SIP/2.0\n[last_Via:]\nMax-Forwards: 70\n%sCall-ID: [call_id]\nCSeq: %d CANCEL\n", s.uri, s.first, s.invite), "")
}

// optional lets answers come, in any number.
func (s *script) optional(status ...int) {
	for _, n := range status {
		fmt.Fprintf(&s.b, "  <recv response=\"%d\" optional=\"true\"/>\n", n)
	}
}

// answered waits for an answer, and for a dialog by it; 100 may come before.
func (s *script) answered(status int, checks ...Check) {
	s.optional(100)
	attribute := ""
	switch {
	case status == 401 || status == 407:
		attribute = ` auth="true"`
	case status < 300:
		attribute = ` rrs="true"`
	}
	fmt.Fprintf(&s.b, "  <recv response=\"%d\"%s>\n    <action>\n      <log message=\"%d [call_id]\"/>\n", status, attribute, status)
	if s.caller {
		s.ereg("To", ".*", "", s.once("to")...)
	}
	s.look(checks)
	s.audio()
	s.b.WriteString("    </action>\n  </recv>\n")
}

// ringsReliably waits for 180 or 183, which must be reliable, and acknowledges it
// (RFC 3262).
func (s *script) ringsReliably() {
	s.checks++
	s.optional(100)
	rseq, to := s.variable("rseq"), s.once("to")[0]
	for _, r := range []struct {
		status int
		more   string
	}{{183, fmt.Sprintf(` optional="true" next="%d"`, s.checks)}, {180, ""}} {
		fmt.Fprintf(&s.b, "  <recv response=\"%d\" rrs=\"true\"%s>\n    <action>\n", r.status, r.more)
		s.ereg("RSeq", "[0-9]+", `check_it="true"`, rseq)
		s.ereg("To", ".*", "", to)
		s.b.WriteString("    </action>\n  </recv>\n")
	}
	fmt.Fprintf(&s.b, "  <label id=\"%d\"/>\n", s.checks)
	s.request("PRACK", "", fmt.Sprintf("RAck: [$rseq] %d INVITE", s.invite))
	s.answered(200)
}

// outside answers a request that belongs to no dialog.
func (s *script) outside(status string, fields ...string) {
	s.send(false, "SIP/2.0 "+status+"\n[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]p[call_number]\n[last_Call-ID:]\n[last_CSeq:]\n", "", fields...)
}

// ends waits for the far end to hang up.
func (s *script) ends() {
	s.received("BYE")
	s.reply("200 OK", "")
}

// hangsUp ends the call.
func (s *script) hangsUp() {
	s.request("BYE", "")
	s.answered(200)
}

// sdp describes audio, in these formats of G.711 and key events.
func sdp(formats ...string) string {
	if len(formats) == 0 {
		formats = []string{"8"}
	}
	b := fmt.Sprintf("v=0\no=- 1 1 IN IP[local_ip_type] [local_ip]\ns=-\nc=IN IP[local_ip_type] [local_ip]\nt=0 0\nm=audio [rtp] RTP/AVP %s 101\n", strings.Join(formats, " "))
	for _, f := range formats {
		b += fmt.Sprintf("a=rtpmap:%s %s\n", f, map[string]string{"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000"}[f])
	}
	return b + "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:20\na=sendrecv"
}
