package mail

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"
)

// script answers one connection. next reads the client's next line without
// its end; it reports false when the client has gone.
type script func(c net.Conn, next func() (string, bool))

// rawServer runs the script on each connection, whatever SMTP wants.
func rawServer(t *testing.T, run script) net.Addr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				r := bufio.NewReader(c)
				run(c, func() (string, bool) {
					line, err := r.ReadString('\n')
					return strings.TrimRight(line, "\r\n"), err == nil
				})
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr()
}

// talk writes the answers one after the other, each but the first after a line of the client.
func talk(answers ...string) script {
	return func(c net.Conn, next func() (string, bool)) {
		for i, a := range answers {
			if i > 0 {
				if _, ok := next(); !ok {
					return
				}
			}
			if _, err := c.Write([]byte(a)); err != nil {
				return
			}
		}
		hang(c, next)
	}
}

// hang reads and says nothing until the client hangs up.
func hang(_ net.Conn, next func() (string, bool)) {
	for ok := true; ok; {
		_, ok = next()
	}
}
