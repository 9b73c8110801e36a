package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

func insecure() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func TestServe(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	https, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, https, plain) }()

	web := insecure()
	res, err := web.Get("http://" + plain.Addr().String() + "/users?x=1")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if got, want := res.Header.Get("Location"), "https://"+https.Addr().String()+"/users?x=1"; res.StatusCode != 308 || got != want {
		t.Errorf("plain HTTP: got %d to %q, want 308 to %q", res.StatusCode, got, want)
	}
	c := loggedIn(t, s)
	stream := openEvents(t, web, "https://"+https.Addr().String(), c.token)
	if name, data := stream.next(); name != "snapshot" || !strings.Contains(data, `"revision":2`) {
		t.Errorf("first event: %s %s", name, data)
	}
	m.tell(registration("101", "Snom", "192.168.0.21:5060"))
	if name, data := stream.next(); name != "fact" || !strings.Contains(data, "192.168.0.21") {
		t.Errorf("second event: %s %s", name, data)
	}
	cancel() // an open stream does not hold the stop up
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("serve: %v", err)
		}
	case <-time.After(stopTimeout):
		t.Error("the server did not stop")
	}
}

// TestServeSurvivesListener checks that a dead listener is an error.
func TestServeListenerFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := newServer(t, newMemory(), nil).Serve(t.Context(), l, nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want %v", err, net.ErrClosed)
	}
}

func TestCertificate(t *testing.T) {
	m := newMemory()
	first, second := newServer(t, m, nil), newServer(t, m, nil)
	if string(first.device.Certificate[0]) != string(second.device.Certificate[0]) {
		t.Error("the second start made another certificate")
	}
	cert, err := x509.ParseCertificate(first.device.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"galilei", "galilei.local", "192.168.0.50", "127.0.0.1"} {
		if err := cert.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	unset := time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC) // clock of a device that has not met a time server
	if cert.NotBefore.After(unset) || cert.NotAfter.Year() < 2045 {
		t.Errorf("valid from %s to %s", cert.NotBefore, cert.NotAfter)
	}
	m.secrets[certificateSecret] = []byte("damaged")
	third, fourth := newServer(t, m, nil), newServer(t, m, nil)
	if a, b := string(third.device.Certificate[0]), string(fourth.device.Certificate[0]); a == string(first.device.Certificate[0]) || a != b {
		t.Error("no new certificate was made and kept in place of a damaged one")
	}
}

func TestRedirect(t *testing.T) {
	for _, tc := range []struct{ https, host, target, want string }{
		{"192.168.0.50:443", "galilei", "/", "https://galilei/"},
		{"192.168.0.50:443", "galilei:80", "/a%2Fb?q=1", "https://galilei/a%2Fb?q=1"},
		{"127.0.0.1:8443", "127.0.0.1:8080", "/", "https://127.0.0.1:8443/"},
		{"[::1]:8443", "[::1]:8080", "/", "https://[::1]:8443/"},
		{"127.0.0.1:8443", "[::1]", "/", "https://[::1]:8443/"},
		{"127.0.0.1:443", "galilei", "//evil.example/x", "https://galilei//evil.example/x"},
		{"127.0.0.1:443", "", "/", ""},
		{"127.0.0.1:443", "a b", "/", ""},
		{"127.0.0.1:443", "galilei@evil.example", "/", ""},
		{"127.0.0.1:443", "galilei:http", "/", ""},
		{"127.0.0.1:443", "[evil]", "/", ""},
	} {
		https, err := net.ResolveTCPAddr("tcp", tc.https)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "http://x"+tc.target, nil)
		r.Host = tc.host
		w := httptest.NewRecorder()
		redirectTo(https).ServeHTTP(w, r)
		status := 308
		if tc.want == "" {
			status = 400
		}
		if got := w.Header().Get("Location"); w.Code != status || got != tc.want {
			t.Errorf("%s %s: got %d %q, want %d %q", tc.host, tc.target, w.Code, got, status, tc.want)
		}
	}
}

func TestConnectionLimits(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConns(inner, 2, 1)
	defer l.Close()
	accepted := make(chan net.Conn, 4)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	dial()
	first := <-accepted
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("a second connection of one address was let in")
	}
	first.Close()
	first.Close() // gives its place once
	dial()
	<-accepted
	if lim := l.(*limitedListener); lim.total != 1 {
		t.Errorf("got %d connections counted, want 1", lim.total)
	}
}

func TestAssets(t *testing.T) {
	c := &client{t: t, s: newServer(t, newMemory(), nil), addr: lanAddr}
	res := c.do("GET", "/js/app.js", "")
	tag := res.Header.Get("ETag")
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/javascript") || tag == "" {
		t.Errorf("got %d %s, ETag %q", res.StatusCode, res.Header.Get("Content-Type"), tag)
	}
	if res := c.do("GET", "/js/app.js", "", "If-None-Match", tag); res.StatusCode != 304 || res.text != "" {
		t.Errorf("unchanged: got %d with %d bytes", res.StatusCode, len(res.text))
	}
	small := c.do("GET", "/js/app.js", "", "Accept-Encoding", "br, gzip;q=0.8")
	if small.Header.Get("Content-Encoding") != "gzip" || len(small.text) >= len(res.text) {
		t.Errorf("compressed: %q, %d bytes of %d", small.Header.Get("Content-Encoding"), len(small.text), len(res.text))
	}
	if res := c.do("GET", "/js/app.js", "", "Accept-Encoding", "gzip;q=0"); res.Header.Get("Content-Encoding") != "" {
		t.Error("compressed for a client that refuses it")
	}
	if res := c.do("HEAD", "/", ""); res.StatusCode != 200 || res.text != "" {
		t.Errorf("HEAD: got %d with %d bytes", res.StatusCode, len(res.text))
	}
	if res := c.do("GET", "/js/../../server.go", ""); res.StatusCode == 200 && strings.Contains(res.text, "package") {
		t.Error("served a file from outside")
	}
}

func TestHealth(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	s.Health = func(context.Context) error { return io.ErrUnexpectedEOF }
	c := loggedIn(t, s)
	res := c.do("GET", "/healthz", "")
	if res.StatusCode != 503 || strings.Contains(res.text, "EOF") {
		t.Errorf("got %d %q", res.StatusCode, res.text)
	}
	var st Status
	c.want(200, "GET", "/status", "", &st)
	if st.Healthy || !strings.Contains(st.Problem, "EOF") {
		t.Errorf("healthy %t, problem %q", st.Healthy, st.Problem)
	}
	s.Health = func(context.Context) error { return fmt.Errorf("store: %w", syscall.ENOSPC) }
	c.want(200, "GET", "/status", "", &st)
	if st.Problem != memoryFull {
		t.Errorf("problem %q, want %q", st.Problem, memoryFull)
	}
	for _, reason := range []error{syscall.EROFS, syscall.EIO} {
		s.Health = func(context.Context) error { return fmt.Errorf("store: %w", reason) }
		c.want(200, "GET", "/status", "", &st)
		if st.Problem != memoryReadOnly {
			t.Errorf("problem %q, want %q", st.Problem, memoryReadOnly)
		}
	}
}
