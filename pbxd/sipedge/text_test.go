package sipedge_test

import (
	"errors"
	"strings"
	"testing"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge"
)

func TestTextOfAPhone(t *testing.T) {
	got := make(chan sipedge.Text, 8)
	o := newOffice(t, func(d *sipedge.Deps) {
		d.Text = func(x sipedge.Text) pbx.Cause {
			got <- x
			return map[string]pbx.Cause{"103": pbx.CauseUnallocated, "104": pbx.CauseCongestion}[x.To]
		}
	})
	a := o.phone("101")
	if res, _ := a.RequestWith("MESSAGE", "104", "", "text/plain", "one too many"); res.Status() != 503 || res.Get("Retry-After") == "" {
		t.Errorf("too many get\n%s", res)
	}
	<-got
	for _, tt := range []struct {
		to, kind, body string
		want           int
	}{
		{"102", "text/plain", "Grüße", 200},
		{"102", "text/plain;charset=UTF-8", "x", 200},
		{"103", "text/plain", "nobody takes it", 404},
		{"102", "text/plain;charset=iso-8859-1", "x", 415},
		{"102", "text/html", "<p>", 415},
		{"102", "text/plain", "\xff\xfe", 400},
		{"102", "text/plain", strings.Repeat("x", 8193), 413},
		{"102", "text/plain", strings.Repeat("ü", 1000), 200},
		{"102", "text/plain", strings.Repeat("x", 1001), 413},
		{"102", "text/plain", "a\x00\x1b[2J", 400},
	} {
		res, _ := a.RequestWith("MESSAGE", tt.to, "", tt.kind, tt.body)
		if res.Status() != tt.want {
			t.Errorf("%s %.20q to %s got %s, want %d", tt.kind, tt.body, tt.to, res.Start, tt.want)
		}
	}
	if x := <-got; x != (sipedge.Text{From: call.Party{Number: "101", Name: "user101"}, To: "102", Body: "Grüße"}) {
		t.Errorf("text is told as %+v", x)
	}
	p := newOffice(t).phone("101")
	if res, _ := p.RequestWith("MESSAGE", "102", "", "text/plain", "x"); res.Status() != 404 {
		t.Errorf("without anybody who takes it MESSAGE got %s, want 404", res.Start)
	}
}

func TestTextToPhones(t *testing.T) {
	o := newOffice(t)
	from := call.Party{Number: "101", Name: "Anna"}
	if err := o.edge.SendText(t.Context(), "102", from, "x"); !errors.Is(err, sipedge.ErrNoPhone) {
		t.Errorf("without a phone: %v, want %v", err, sipedge.ErrNoPhone)
	}
	if err := o.edge.SendText(t.Context(), "102", from, strings.Repeat("x", 8193)); !errors.Is(err, sipedge.ErrTextSize) {
		t.Errorf("too long: %v, want %v", err, sipedge.ErrTextSize)
	}
	b, c := o.phone("102").MustRegister(), o.phone("102").MustRegister()
	for _, status := range []int{200, 488} {
		done := make(chan error, 1)
		go func() { done <- o.edge.SendText(t.Context(), "102", from, "Grüße") }()
		m := b.Request("MESSAGE")
		if m.Body != "Grüße" || m.Get("Content-Type") != "text/plain;charset=utf-8" || !strings.Contains(m.Get("From"), `"Anna" <sip:101@`) {
			t.Errorf("MESSAGE is\n%s", m)
		}
		b.Reply(m, "", 488, "No", "", "")
		c.Reply(c.Request("MESSAGE"), "", status, "So", "", "")
		if err := <-done; (err == nil) != (status == 200) {
			t.Errorf("one phone answered 488, one %d: error %v", status, err)
		}
	}
}
