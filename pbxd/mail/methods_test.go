package mail

import (
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"

	"galilei/pbxd/pbx"
)

// allMethods is a server's side of the six methods, for one user.
func allMethods(user, password string) map[string]func() sasl.Server {
	domain, account, ok := strings.Cut(user, `\`)
	if !ok {
		domain, account = "", user
	}
	return map[string]func() sasl.Server{
		"PLAIN":       func() sasl.Server { return plainServer(user, password) },
		"LOGIN":       func() sasl.Server { return loginServer(user, password) },
		"CRAM-MD5":    func() sasl.Server { return cramServer(user, password) },
		"SCRAM-SHA-1": func() sasl.Server { return scramServer(user, password, 4096, false) },
		"NTLM":        func() sasl.Server { return ntlmServer(domain, account, password) },
		"XOAUTH2":     func() sasl.Server { return xoauthServer(user, func() string { return password }) },
	}
}

func TestMethods(t *testing.T) {
	const user, password = "anna@example.com", "correct horse battery"
	ca := newAuthority(t)
	cert := ca.issue(t, "127.0.0.1", time.Now().Add(time.Hour))
	for _, security := range []string{"starttls", "tls"} {
		server := startServer(t, serverOptions{cert: &cert, implicit: security == "tls"}, allMethods(user, password))
		for _, method := range []string{"plain", "login", "cram-md5", "scram-sha-1", "ntlm", "xoauth2"} {
			t.Run(security+" "+method, func(t *testing.T) {
				m := settingsFor(t, server.addr, func(m *pbx.MailSettings) {
					m.Security, m.Authentication, m.Method, m.UserName = security, true, method, user
				})
				d := newDevice(t, ca.roots, m, "")
				before := len(server.got())
				if err := d.Send(t.Context(), m, password, testMessage("bob@example.com")); err != nil {
					t.Fatalf("right password: %v", err)
				}
				if got := len(server.got()); got != before+1 {
					t.Fatalf("server has %d mails, want %d", got, before+1)
				}
				err := d.Send(t.Context(), m, "wrong horse battery", testMessage("bob@example.com"))
				e := wantFault(t, err, StepLogin, FaultLogin)
				if e.Answer == "" || strings.Contains(err.Error(), "horse") {
					t.Errorf("got error %q, answer %q, want what the server said and no password", err, e.Answer)
				}
				if got := len(server.got()); got != before+1 {
					t.Errorf("server has %d mails after a refused login, want %d", got, before+1)
				}
			})
		}
	}
}

func TestNTLMDomain(t *testing.T) {
	server := startServer(t, serverOptions{}, allMethods(`OFFICE\anna`, "secret word"))
	m := settingsFor(t, server.addr, func(m *pbx.MailSettings) {
		m.Authentication, m.Method, m.UserName = true, "ntlm", `OFFICE\anna`
	})
	d := newDevice(t, nil, m, "")
	if err := d.Send(t.Context(), m, "secret word", testMessage("bob@example.com")); err != nil {
		t.Fatal(err)
	}
	m.UserName = `HOME\anna`
	wantFault(t, d.Send(t.Context(), m, "secret word", testMessage("bob@example.com")), StepLogin, FaultLogin)
}

func TestMethodNotOffered(t *testing.T) {
	server := startServer(t, serverOptions{}, map[string]func() sasl.Server{
		"CRAM-MD5": func() sasl.Server { return cramServer("anna", "secret word") },
		"LOGIN":    func() sasl.Server { return loginServer("anna", "secret word") },
	})
	m := settingsFor(t, server.addr, func(m *pbx.MailSettings) {
		m.Authentication, m.Method, m.UserName = true, "ntlm", "anna"
	})
	d := newDevice(t, nil, m, "")
	e := wantFault(t, d.Send(t.Context(), m, "secret word", testMessage("bob@example.com")), StepLogin, FaultMethod)
	if text := e.What().Text(); !strings.Contains(text, "CRAM-MD5, LOGIN") {
		t.Errorf("got %q, want it to name what is offered", text)
	}
	none := startServer(t, serverOptions{}, nil)
	m = settingsFor(t, none.addr, func(m *pbx.MailSettings) { m.Authentication, m.UserName = true, "anna" })
	wantFault(t, d.Send(t.Context(), m, "secret word", testMessage("bob@example.com")), StepLogin, FaultNoLogin)
}

func TestPlaintextPassword(t *testing.T) {
	const user, password = "anna", "secret word"
	server := startServer(t, serverOptions{}, allMethods(user, password))
	for method, readable := range map[string]bool{
		"plain": true, "login": true, "xoauth2": true, "cram-md5": false, "scram-sha-1": false, "ntlm": false,
	} {
		t.Run(method, func(t *testing.T) {
			m := settingsFor(t, server.addr, func(m *pbx.MailSettings) {
				m.Authentication, m.Method, m.UserName = true, method, user
			})
			d := newDevice(t, nil, m, "")
			_, loginsBefore := server.count()
			err := d.Send(t.Context(), m, password, testMessage("bob@example.com"))
			_, logins := server.count()
			if !readable {
				if err != nil {
					t.Fatalf("a method that hides the password: %v", err)
				}
				return
			}
			wantFault(t, err, StepLogin, FaultPlaintext)
			if logins != loginsBefore {
				t.Error("the device began a login")
			}
			m.AllowPlaintextPassword = true
			if err := d.Send(t.Context(), m, password, testMessage("bob@example.com")); err != nil {
				t.Fatalf("allowed: %v", err)
			}
		})
	}
}

func TestSCRAMServer(t *testing.T) {
	const user, password = "anna", "secret word"
	for _, c := range []struct {
		name   string
		server func() sasl.Server
		fault  Fault
	}{
		{"does not know the password", func() sasl.Server { return scramServer(user, "another", 4096, true) }, FaultUnproven},
		{"proves nothing", func() sasl.Server {
			return &stepwise{steps: []func([]byte) ([]byte, bool, error){
				func([]byte) ([]byte, bool, error) { return nil, false, nil },
				func([]byte) ([]byte, bool, error) { return nil, true, nil },
			}}
		}, FaultUnproven},
		{"keeps the processor busy", func() sasl.Server { return scramServer(user, password, 2_000_000_000, false) }, FaultNotSMTP},
		{"asks without end", func() sasl.Server {
			s := &stepwise{}
			for range 100 {
				s.steps = append(s.steps, func([]byte) ([]byte, bool, error) { return nil, false, nil })
			}
			return s
		}, FaultNotSMTP},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := startServer(t, serverOptions{}, map[string]func() sasl.Server{"SCRAM-SHA-1": c.server})
			m := settingsFor(t, server.addr, func(m *pbx.MailSettings) {
				m.Authentication, m.Method, m.UserName = true, "scram-sha-1", user
			})
			d := newDevice(t, nil, m, "")
			wantFault(t, d.Send(t.Context(), m, password, testMessage("bob@example.com")), StepLogin, c.fault)
			if got := server.got(); len(got) != 0 {
				t.Errorf("a server that is not ours got %d mails", len(got))
			}
		})
	}
}
