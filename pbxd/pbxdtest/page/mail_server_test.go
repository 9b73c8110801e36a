package page_test

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbxdtest/browser"
)

// mailServer is Debian's aiosmtpd, an SMTP server that nobody of us wrote. It
// knows no nobody@ and takes whatever else it is given.
type mailServer struct {
	port  int
	lines chan string
}

// mail is one that the server took.
type mail struct {
	From    string   `json:"from"`
	To      []string `json:"to"`
	Content string   `json:"content"`
}

// startMailServer starts the server on a port of the loopback address. The test
// is skipped when it is not installed.
func startMailServer(t *testing.T) *mailServer {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	if err := exec.Command(python, "-c", "import aiosmtpd").Run(); err != nil {
		t.Skip("aiosmtpd is missing: install python3-aiosmtpd")
	}
	cmd := exec.Command(python, filepath.Join(browser.Root(t), "pbxd", "mail", "testdata", "aiosmtpd_server.py"), "--security", "none")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start aiosmtpd: %v", err)
	}
	s := &mailServer{lines: make(chan string, 100)}
	go func() {
		defer close(s.lines)
		for r := bufio.NewScanner(stdout); r.Scan(); {
			s.lines <- r.Text()
		}
	}()
	t.Cleanup(func() {
		stdin.Close() // ends it
		kill := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		defer kill.Stop()
		for range s.lines { // to its end, before Wait closes the pipe
		}
		cmd.Wait()
		if t.Failed() {
			t.Logf("aiosmtpd: %s", stderr.String())
		}
	})
	if s.port, err = strconv.Atoi(s.line(t)); err != nil {
		t.Fatalf("the port of aiosmtpd: %v", err)
	}
	return s
}

// next waits for the next mail.
func (s *mailServer) next(t *testing.T) (m mail) {
	t.Helper()
	if err := json.Unmarshal([]byte(s.line(t)), &m); err != nil {
		t.Fatalf("a mail that aiosmtpd took: %v", err)
	}
	return m
}

func (s *mailServer) line(t *testing.T) string {
	t.Helper()
	select {
	case l, ok := <-s.lines:
		if !ok {
			t.Fatal("aiosmtpd has ended")
		}
		return l
	case <-time.After(30 * time.Second):
		t.Fatal("aiosmtpd says nothing")
	}
	return ""
}
