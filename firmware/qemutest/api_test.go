package qemutest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// api is a client of a machine's API, as a script would be one. The device's
// certificate is its own: the first one seen is trusted, and no other after.
type api struct {
	http  *http.Client
	token string

	mu          sync.Mutex
	certificate [sha256.Size]byte
}

func newAPI() *api {
	a := &api{}
	a.http = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, // the device restarts below us
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, VerifyConnection: a.trust},
	}}
	return a
}

func (a *api) trust(state tls.ConnectionState) error {
	sum := sha256.Sum256(state.PeerCertificates[0].Raw)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.certificate == [sha256.Size]byte{} {
		a.certificate = sum
	}
	if a.certificate != sum {
		return errors.New("the device has another certificate than before")
	}
	return nil
}

// problem is an answer other than 2xx (RFC 9457).
type problem struct {
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d: %s %v", p.Status, p.Detail, p.Errors) }

// call sends a request with in as its body, unless nil, and reads the answer
// into out, unless nil. An answer other than 2xx is a *problem.
func (a *api) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, "https://"+webAddress+path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	res, err := a.http.Do(r)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.StatusCode/100 != 2 {
		p := &problem{}
		if json.Unmarshal(text, p) != nil { // not of the API, such as /healthz
			p.Detail = string(text)
		}
		p.Status = res.StatusCode
		return fmt.Errorf("%s %s: %w", method, path, p)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s %s: answer %q: %w", method, path, text, err)
	}
	return nil
}

// want calls and fails the test unless the answer is 2xx.
func (a *api) want(tb testing.TB, method, path string, in, out any) {
	tb.Helper()
	if err := a.call(tb.Context(), method, path, in, out); err != nil {
		tb.Fatal(err)
	}
}

// refused calls and fails the test unless the answer has the status.
func (a *api) refused(tb testing.TB, status int, method, path string, in any) *problem {
	tb.Helper()
	err := a.call(tb.Context(), method, path, in, nil)
	var p *problem
	if !errors.As(err, &p) || p.Status != status {
		tb.Fatalf("%s %s: got %v, want %d", method, path, err, status)
	}
	return p
}

type loginRequest struct {
	User string `json:"user"`
	PIN  string `json:"pin"`
}

// logIn logs in and reports whether the PIN must be changed.
func (a *api) logIn(tb testing.TB, user, pin string) (mustChange bool) {
	tb.Helper()
	var answer struct {
		Token         string `json:"token"`
		MustChangePIN bool   `json:"mustChangePin"`
	}
	a.want(tb, "POST", "/api/v1/login", loginRequest{user, pin}, &answer)
	a.token = answer.Token
	return answer.MustChangePIN
}

// factoryPIN is the one of a new device, adminPIN what the tests change it to.
const (
	factoryPIN = "0000"
	adminPIN   = "482913"
)

type pinChange struct {
	Old string `json:"old"`
	New string `json:"new"`
}

// firstLogin logs in to a new device and changes the PIN, as it demands.
func firstLogin(tb testing.TB) *api {
	tb.Helper()
	a := newAPI()
	if !a.logIn(tb, "admin", factoryPIN) {
		tb.Error("a new device does not demand another PIN")
	}
	a.refused(tb, http.StatusForbidden, "GET", "/api/v1/users", nil)
	a.want(tb, "PUT", "/api/v1/profile/pin", pinChange{factoryPIN, adminPIN}, nil)
	return a
}

// user is a user of the device, as far as the tests need to know one.
type user struct {
	ID        string `json:"id,omitempty"`
	Name      string `json:"user"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Extension string `json:"extension"`
}

func (a *api) users(tb testing.TB) (list []user) {
	tb.Helper()
	a.want(tb, "GET", "/api/v1/users", nil, &list)
	return list
}

// addUser adds a user and returns the SIP password, revealed.
func (a *api) addUser(tb testing.TB, name, extension string) (password string) {
	tb.Helper()
	var made user
	a.want(tb, "POST", "/api/v1/users", user{Name: name, FirstName: "Test", LastName: name, Extension: extension}, &made)
	var answer struct {
		SIPPassword string `json:"sipPassword"`
	}
	a.want(tb, "POST", "/api/v1/users/"+made.ID+"/reveal-sip-password", nil, &answer)
	return answer.SIPPassword
}

// registration is one phone on an extension.
type registration struct {
	Extension string    `json:"extension"`
	Contact   string    `json:"contact"`
	Transport string    `json:"transport"`
	CallID    string    `json:"callId"`
	CSeq      uint32    `json:"cseq"`
	Since     time.Time `json:"since"`
}

// status is what the device says of itself.
type status struct {
	Healthy       bool           `json:"healthy"`
	Registrations []registration `json:"registrations"`
	Calls         []struct {
		From  string `json:"from"`
		To    string `json:"to"`
		State string `json:"state"`
	} `json:"calls"`
}

func (a *api) status(tb testing.TB) (s status) {
	tb.Helper()
	a.want(tb, "GET", "/api/v1/status", nil, &s)
	return s
}

// awaitStatus waits until the status is as wanted and returns it.
func (a *api) awaitStatus(tb testing.TB, what string, wanted func(status) bool) status {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	for {
		s := a.status(tb)
		if wanted(s) {
			return s
		}
		select {
		case <-ctx.Done():
			tb.Fatalf("wait until %s: status is %+v", what, s)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// awaitNoCalls waits until nothing is left of calls.
func (a *api) awaitNoCalls(tb testing.TB) {
	tb.Helper()
	a.awaitStatus(tb, "no call is left", func(s status) bool { return len(s.Calls) == 0 })
}
