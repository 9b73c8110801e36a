package pbxdtest

import (
	"bufio"
	"crypto/md5"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Phone is a SIP user agent that does only what the test says: it keeps no
// transactions, repeats nothing and answers nothing by itself.
type Phone struct {
	T             testing.TB
	Ext           string
	Password      string
	pbx           netip.AddrPort
	conn          net.Conn // connected UDP, TCP or TLS
	network       string
	in            chan *Message
	seq           atomic.Uint32
	Contact       string // URI
	Hops          int    // Max-Forwards of its calls; 0 for 70
	Scheme        string // of the URIs that it writes; "" for sip
	ContactParams string // of requests with further fields, each after a semicolon
	answers       atomic.Pointer[func(*Message) bool]
}

// Answers lets f see each message before the test does. What f returns true
// for, having answered it, the test does not get.
func (p *Phone) Answers(f func(*Message) bool) { p.answers.Store(&f) }

func (p *Phone) take(m *Message) {
	if f := p.answers.Load(); f == nil || m == nil || !(*f)(m) {
		p.in <- m
	}
}

// Message is one SIP message as text with its header fields found.
type Message struct {
	Start string
	Lines []string // header fields
	Body  string
}

// Get returns the first value of a field by its long name.
func (m *Message) Get(name string) string {
	if v := m.All(name); len(v) > 0 {
		return v[0]
	}
	return ""
}

// All returns all values of a field.
func (m *Message) All(name string) (values []string) {
	for _, l := range m.Lines {
		k, v, _ := strings.Cut(l, ":")
		if strings.EqualFold(strings.TrimSpace(k), name) {
			values = append(values, strings.TrimSpace(v))
		}
	}
	return values
}

// Status returns the status of a response, 0 for a request.
func (m *Message) Status() int {
	if f := strings.Fields(m.Start); len(f) > 1 && f[0] == "SIP/2.0" {
		n, _ := strconv.Atoi(f[1])
		return n
	}
	return 0
}

// Method returns the method of a request, or that of a response's CSeq.
func (m *Message) Method() string {
	if m.Status() == 0 {
		return strings.Fields(m.Start)[0]
	}
	if f := strings.Fields(m.Get("CSeq")); len(f) == 2 {
		return f[1]
	}
	return ""
}

// Tag returns the tag of a From or To field.
func (m *Message) Tag(field string) string {
	_, after, _ := strings.Cut(m.Get(field), ";tag=")
	tag, _, _ := strings.Cut(after, ";")
	return tag
}

// AudioPort returns the port of the first audio section, 0 when there is none.
func (m *Message) AudioPort() int {
	for line := range strings.Lines(m.Body) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "m=audio" {
			n, _ := strconv.Atoi(f[1])
			return n
		}
	}
	return 0
}

func (m *Message) String() string {
	return m.Start + "\r\n" + strings.Join(m.Lines, "\r\n") + "\r\n\r\n" + m.Body
}

// Phone returns a phone of a demo user that has not registered yet.
func (s *System) Phone(ext, network string) *Phone {
	s.T.Helper()
	at := s.SIP
	if network == "tls" {
		at = s.TLS
	}
	return NewPhone(s.T, at, network, ext, s.Password(ext))
}

// NewPhone returns a phone for any SIP server.
func NewPhone(t testing.TB, server netip.AddrPort, network, ext, password string) *Phone {
	t.Helper()
	return NewPhoneFrom(t, netip.Addr{}, server, network, ext, password)
}

// NewPhoneFrom is NewPhone for a phone with an address of this machine; one that is
// not valid is the machine's choice.
func NewPhoneFrom(t testing.TB, local netip.Addr, server netip.AddrPort, network, ext, password string) *Phone {
	t.Helper()
	conn, err := dialPhone(local, network, server)
	if err != nil {
		t.Fatalf("phone %s: %v", ext, err)
	}
	t.Cleanup(func() { conn.Close() })
	p := &Phone{T: t, Ext: ext, Password: password, pbx: server, conn: conn, network: network, in: make(chan *Message, 256)}
	p.Contact = fmt.Sprintf("sip:%s@%s", ext, conn.LocalAddr())
	if network != "udp" {
		p.Contact += ";transport=" + network
	}
	go p.read()
	return p
}

func dialPhone(local netip.Addr, network string, server netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	switch at := netip.AddrPortFrom(local, 0); {
	case !local.IsValid():
	case network == "udp":
		d.LocalAddr = net.UDPAddrFromAddrPort(at)
	default:
		d.LocalAddr = net.TCPAddrFromAddrPort(at)
	}
	if network == "tls" {
		return tls.DialWithDialer(&d, "tcp", server.String(), &tls.Config{InsecureSkipVerify: true}) // the device signs its certificate itself
	}
	return d.Dial(network, server.String())
}

func (p *Phone) read() {
	defer close(p.in)
	if p.network == "udp" {
		buf := make([]byte, 65536)
		for {
			n, err := p.conn.Read(buf)
			if err != nil {
				if strings.Contains(err.Error(), "refused") {
					continue
				}
				return
			}
			p.take(parse(bufio.NewReader(strings.NewReader(string(buf[:n]))), n))
		}
	}
	r := bufio.NewReader(p.conn)
	for {
		m := parse(r, -1)
		if m == nil {
			return
		}
		p.take(m)
	}
}

func parse(r *bufio.Reader, size int) *Message {
	m := &Message{}
	for {
		line, err := r.ReadString('\n')
		if err != nil && line == "" {
			return nil
		}
		line = strings.TrimRight(line, "\r\n")
		switch {
		case line == "" && m.Start == "":
			if size >= 0 {
				return m
			}
			continue // pong of a keep-alive
		case line == "":
			n, _ := strconv.Atoi(m.Get("Content-Length"))
			body := make([]byte, n)
			for got := 0; got < n; {
				k, err := r.Read(body[got:])
				if err != nil {
					break
				}
				got += k
			}
			m.Body = string(body)
			return m
		case m.Start == "":
			m.Start = line
		default:
			m.Lines = append(m.Lines, line)
		}
	}
}

// Send writes a message as it is. A phone that was closed sends nothing: what
// it answers by itself may come after the end of the test.
func (p *Phone) Send(text string) {
	p.T.Helper()
	if _, err := p.conn.Write([]byte(text)); err != nil && !strings.Contains(err.Error(), "refused") && !errors.Is(err, net.ErrClosed) {
		p.T.Fatalf("phone %s: %v", p.Ext, err)
	}
}

// wait is how long a phone waits for a message; generous, since the machine
// may be busy.
const wait = 40 * time.Second

// Expect returns the next message that match accepts and drops others.
func (p *Phone) Expect(what string, match func(*Message) bool) *Message {
	p.T.Helper()
	var seen []string
	timeout := time.After(wait)
	for {
		select {
		case m, ok := <-p.in:
			if !ok {
				p.T.Fatalf("phone %s: connection ended while it waited for %s; before: %q", p.Ext, what, seen)
			}
			if match(m) {
				return m
			}
			seen = append(seen, m.Start)
		case <-timeout:
			p.T.Fatalf("phone %s: waited in vain for %s; got %q", p.Ext, what, seen)
		}
	}
}

// Serve gives every message to take until the socket is closed. Nothing else may
// wait for messages meanwhile.
func (p *Phone) Serve(take func(*Message)) {
	for m := range p.in {
		take(m)
	}
}

// Response waits for a response to method with one of the statuses.
func (p *Phone) Response(method string, status ...int) *Message {
	p.T.Helper()
	return p.Expect(fmt.Sprintf("%v to %s", status, method), func(m *Message) bool {
		return m.Method() == method && slices.Contains(status, m.Status())
	})
}

// Final waits for the final response to method.
func (p *Phone) Final(method string) *Message {
	p.T.Helper()
	return p.Expect("a final response to "+method, func(m *Message) bool { return m.Method() == method && m.Status() >= 200 })
}

// Request waits for a request.
func (p *Phone) Request(method string) *Message {
	p.T.Helper()
	return p.Expect(method, func(m *Message) bool { return m.Status() == 0 && m.Method() == method })
}

// Silent fails the test when a message that match accepts comes within d.
func (p *Phone) Silent(d time.Duration, what string, match func(*Message) bool) {
	p.T.Helper()
	timeout := time.After(d)
	for {
		select {
		case m := <-p.in:
			if m != nil && match(m) {
				p.T.Fatalf("phone %s got %s: %s", p.Ext, what, m.Start)
			}
		case <-timeout:
			return
		}
	}
}

// Via returns a Via field with a new branch.
func (p *Phone) Via() string {
	return fmt.Sprintf("SIP/2.0/%s %s;branch=z9hG4bK%s;rport", strings.ToUpper(p.network), p.conn.LocalAddr(), p.Unique())
}

// Unique returns text that no phone has used before.
func (p *Phone) Unique() string {
	return fmt.Sprintf("%s-%d-%d", strings.NewReplacer(":", "-", "[", "", "]", "").Replace(p.conn.LocalAddr().String()), p.seq.Add(1), time.Now().UnixNano())
}

// Credentials answers a digest challenge for a request.
func (p *Phone) Credentials(challenge, method, uri string) string {
	return p.credentials(challenge, method, uri, 1)
}

// credentials uses a nonce for the count-th time.
func (p *Phone) credentials(challenge, method, uri string, count int) string {
	c := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(challenge, "Digest "), ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		c[strings.ToLower(k)] = strings.Trim(v, `"`)
	}
	hash := func(s string) string { b := md5.Sum([]byte(s)); return hex.EncodeToString(b[:]) }
	if strings.EqualFold(c["algorithm"], "SHA-256") {
		hash = func(s string) string { b := sha256.Sum256([]byte(s)); return hex.EncodeToString(b[:]) }
	}
	const cnonce = "0a4f113b"
	nc := fmt.Sprintf("%08x", count)
	ha1 := hash(p.Ext + ":" + c["realm"] + ":" + p.Password)
	response := hash(ha1 + ":" + c["nonce"] + ":" + nc + ":" + cnonce + ":auth:" + hash(method+":"+uri))
	return fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", algorithm=%s, qop=auth, nc=%s, cnonce="%s"`,
		p.Ext, c["realm"], c["nonce"], uri, response, c["algorithm"], nc, cnonce)
}

// PhoneAt returns a phone that reaches the PBX at another of its addresses.
func (s *System) PhoneAt(addr, network, ext string) *Phone {
	s.T.Helper()
	return NewPhone(s.T, netip.MustParseAddrPort(addr), network, ext, s.Password(ext))
}

// trySend writes a message and reports false when the connection has ended.
func (p *Phone) trySend(text string) bool {
	_, err := p.conn.Write([]byte(text))
	return err == nil
}

// next returns the next message; ended is true when the connection has ended.
func (p *Phone) next(sent bool) (m *Message, ended bool) {
	p.T.Helper()
	select {
	case m, ok := <-p.in:
		return m, !ok
	case <-time.After(wait):
		p.T.Fatalf("phone %s: waited in vain for a message, sent %v", p.Ext, sent)
	}
	return nil, true
}
