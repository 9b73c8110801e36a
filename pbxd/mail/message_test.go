package mail

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"galilei/pbxd/pbx"
)

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func parse(t *testing.T, content string) *netmail.Message {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(content))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, content)
	}
	return m
}

func header(t *testing.T, content, name string) string {
	t.Helper()
	values := parse(t, content).Header[name]
	if len(values) != 1 {
		t.Fatalf("header %s is there %d times, want once", name, len(values))
	}
	text, err := new(mime.WordDecoder).DecodeHeader(values[0])
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestMessage(t *testing.T) {
	server := startServer(t, serverOptions{utf8: true}, nil)
	settings := settingsFor(t, server.addr, func(m *pbx.MailSettings) { m.SenderName = `Müller & "Söhne"` })
	d := newDevice(t, nil, settings, "")
	d.reach.host = func() string { return "pbx.example.com" }
	wav := strings.Repeat("RIFF\x00\xff", 5000)
	m := Message{
		ID: "galilei.7.abc", Date: time.Date(2026, 3, 1, 12, 30, 0, 0, time.FixedZone("", 3600)),
		To: "bob@bücher.example", Subject: "Nachricht von Jürgen, grüße 你好 " + strings.Repeat("sehr lang ", 12),
		Text: "Grüße.\n.\n..doppelt\nFrom here\n" + strings.Repeat("lang ", 400),
		Attachments: []pbx.MailAttachment{
			{Name: "../../Anrüf 1.wav", Type: "audio/wav", Data: []byte(wav)},
			{Name: "x\"\r\nBcc: eve@example.com", Type: "text/html; charset=\"a\r\nX-Evil: 1\"", Data: []byte("<p>")},
		},
	}
	if err := d.Send(t.Context(), settings, "", m); err != nil {
		t.Fatal(err)
	}
	got := server.got()[0]
	if got.to != "bob@xn--bcher-kva.example" || got.from != "pbx@example.com" || got.utf8 {
		t.Errorf("got envelope %q to %q, utf8 %v", got.from, got.to, got.utf8)
	}
	for name, want := range map[string]string{
		"Subject": strings.TrimSpace(m.Subject), "Date": "Sun, 01 Mar 2026 12:30:00 +0100",
		"Message-Id": "<galilei.7.abc@pbx.example.com>", "Auto-Submitted": "auto-generated",
		"From": `Müller & "Söhne" <pbx@example.com>`, "To": "<bob@xn--bcher-kva.example>", "Mime-Version": "1.0",
	} {
		if text := header(t, got.content, name); text != want {
			t.Errorf("%s: got %q, want %q", name, text, want)
		}
	}
	for n, l := range strings.Split(got.content, "\r\n") {
		if len(l) > 998 || strings.ContainsAny(l, "\r\n") {
			t.Errorf("line %d has %d bytes or a bare CR or LF", n+1, len(l))
		}
	}
	parsed := parse(t, got.content)
	for _, name := range []string{"Bcc", "X-Evil", "User-Agent", "X-Mailer"} {
		if parsed.Header.Get(name) != "" {
			t.Errorf("header %s: %q", name, parsed.Header.Get(name))
		}
	}
	text, files := parts(t, parsed)
	if text = strings.ReplaceAll(text, "\r\n", "\n"); text != m.Text {
		t.Errorf("got text %q, want %q", text, m.Text)
	}
	if len(files) != 2 || files["Anrüf 1.wav"] != wav {
		t.Errorf("got files %q of %d bytes, want Anrüf 1.wav of %d", keys(files), len(files["Anrüf 1.wav"]), len(wav))
	}
}

func keys(m map[string]string) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	return names
}

// parts returns the text and the attachments of a multipart message.
func parts(t *testing.T, m *netmail.Message) (text string, files map[string]string) {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return text, files
		}
		if err != nil {
			t.Fatal(err)
		}
		if evil := p.Header.Get("Bcc") + p.Header.Get("X-Evil"); evil != "" {
			t.Errorf("injected header in a part: %q", evil)
		}
		var body io.Reader = base64.NewDecoder(base64.StdEncoding, p)
		if p.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(p)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		if p.Header.Get("Content-Disposition") == "" {
			text = string(b)
			continue
		}
		_, disposition, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		if err != nil {
			t.Fatal(err)
		}
		name, err := new(mime.WordDecoder).DecodeHeader(disposition["filename"])
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(b)
	}
}

func TestForeignLetters(t *testing.T) {
	for _, utf8 := range []bool{true, false} {
		server := startServer(t, serverOptions{utf8: utf8}, nil)
		m := settingsFor(t, server.addr, nil)
		d := newDevice(t, nil, m, "")
		err := d.Send(t.Context(), m, "", testMessage("jürgen@example.com"))
		if !utf8 {
			if e := wantFault(t, err, StepRecipient, FaultForeignLetters); !e.Permanent() {
				t.Error("tried again for ever")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := server.got()[0]; got.to != "jürgen@example.com" || !got.utf8 {
			t.Errorf("got %q, utf8 %v", got.to, got.utf8)
		}
	}
}

func TestServerSize(t *testing.T) {
	server := startServer(t, serverOptions{most: 100_000}, nil)
	m := settingsFor(t, server.addr, nil)
	d := newDevice(t, nil, m, "")
	message := testMessage("bob@example.com")
	message.Attachments = []pbx.MailAttachment{{Name: "a", Data: make([]byte, 60_000)}}
	if err := d.Send(t.Context(), m, "", message); err != nil {
		t.Fatal(err)
	}
	message.Attachments[0].Data = make([]byte, 80_000)
	wantFault(t, d.Send(t.Context(), m, "", message), StepContent, FaultTooLarge)
	sent := server.got()
	if len(sent) != 1 || len(sent[0].content) > message.size() {
		t.Errorf("got %d mails; %d bytes were sent, estimated from above at %d", len(sent), len(sent[0].content), message.size())
	}
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"bob@example.com": "<bob@example.com>", "a.b+c@x.example": "<a.b+c@x.example>", "root@localhost": "<root@localhost>",
		`"a b"@example.com`: `<"a b"@example.com>`, "bob@[192.0.2.1]": "<bob@[192.0.2.1]>", "x@MÜLLER.example": "<x@xn--mller-kva.example>",
		"": "", "bob": "", "@example.com": "", "bob@": "", "Bob <bob@example.com>": "", "<bob@example.com>": "", "a@b.c, d@e.f": "",
		"bob@example.com\r\nDATA": "", "bob@exa\x00mple.com": "", "bob@example.com>\r\nRCPT TO:<eve@example.com": "",
		"bob@a b": "", strings.Repeat("a", 251) + "@b.c": "", "\xff@example.com": "",
	} {
		a, err := parseAddress(in)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q: got %s, want an error", in, a.path())
		case want != "" && (err != nil || a.path() != want):
			t.Errorf("%q: got %s, %v, want %s", in, a.path(), err, want)
		}
	}
}

// FuzzMessage puts anything into every word that others choose and wants the
// headers to be ours.
func FuzzMessage(f *testing.F) {
	f.Add("Galilei PBX", "pbx@example.com", "bob@example.com", "Hello", "Text", "a.wav", "audio/wav", "galilei")
	f.Add("x\r\nBcc: e@x.y", "a@b.c\r\n", "d@e.f>\n", "s\r\n\r\nbody", "\r\n.\r\n", "a\"\r\nX: y", "text/x\r\nX: y", "h\r\nX: y")
	f.Add("=?utf-8?q?=0D=0ABcc?=", "ü@ü.de", "ü@ü.de", strings.Repeat("ü", 500), strings.Repeat("x", 3000), strings.Repeat("ü", 300), "multipart/mixed", "")
	f.Fuzz(func(t *testing.T, name, from, to, subject, text, file, kind, host string) {
		s := pbx.MailSettings{SenderName: name, SenderAddress: from}
		m := Message{ID: "galilei.1.1", Date: time.Unix(1_800_000_000, 0), To: to, Subject: subject, Text: text,
			Attachments: []pbx.MailAttachment{{Name: file, Type: kind, Data: []byte(text)}}}
		msg, fromAddress, toAddress, err := compose(s, m, headerHost(host))
		if err != nil {
			return
		}
		for _, p := range []string{fromAddress.path(), toAddress.path()} {
			if strings.ContainsAny(p, "\r\n\x00") || !strings.HasPrefix(p, "<") || !strings.HasSuffix(p, ">") {
				t.Fatalf("address %q", p)
			}
		}
		var b strings.Builder
		if _, err := msg.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if b.Len() > m.size() {
			t.Errorf("%d bytes, estimated from above at %d", b.Len(), m.size())
		}
		parsed, err := netmail.ReadMessage(strings.NewReader(b.String()))
		if err != nil {
			t.Fatalf("%v in:\n%s", err, b.String())
		}
		allowed := "Subject Date Message-Id Auto-Submitted From To Mime-Version Content-Type"
		for name, values := range parsed.Header {
			if !strings.Contains(allowed, name) || len(values) != 1 {
				t.Fatalf("header %s %q in:\n%s", name, values, b.String())
			}
		}
		for _, l := range strings.Split(b.String(), "\r\n") {
			if len(l) > 998 || strings.ContainsAny(l, "\r\n") {
				t.Fatalf("line of %d bytes or with a bare CR or LF: %.100q", len(l), l)
			}
		}
		if !utf8.ValidString(b.String()) {
			t.Fatal("message is no UTF-8")
		}
	})
}
