package mail

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"galilei/pbxd/pbx"
)

const (
	tokenAnswer  = 64 << 10 // bytes of an OAuth answer; access tokens of Microsoft take 2 to 4 KiB
	tokenLength  = 16 << 10
	expiryMargin = 60 * time.Second // a token is not used this close to its end
	unknownLife  = 5 * time.Minute  // of a token that comes without expires_in
	longestLife  = 24 * time.Hour
)

// grant is what an access token is asked with: a refresh token (RFC 6749
// section 6) or, when it is empty, the client's own credentials (section 4.4).
type grant struct {
	url, clientID, scope, user string
	clientSecret, refresh      string
}

// key tells grants apart without holding their secrets.
func (g grant) key() [32]byte {
	h := sha256.New()
	for _, s := range []string{g.url, g.clientID, g.scope, g.user, g.clientSecret, g.refresh} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return [32]byte(h.Sum(nil))
}

// grantOf takes the settings' words; refresh and secret are opened already.
func grantOf(s pbx.MailSettings, refresh, secret pbx.Secret) grant {
	return grant{
		url: s.OAuthTokenURL, clientID: s.OAuthClientID, scope: s.OAuthScope, user: s.UserName,
		clientSecret: secret.Reveal(), refresh: refresh.Reveal(),
	}
}

// token is what an OAuth server gave.
type token struct {
	access  string
	life    time.Duration // from now on, not over longestLife
	refresh string        // new refresh token, "" when the old one stays good
}

// host returns the OAuth server's name, for messages.
func (g grant) host() string {
	u, err := url.Parse(g.url)
	if err != nil {
		return ""
	}
	return u.Host
}

// endpoint checks the address: https, or http to this machine, where nobody
// can listen.
func (g grant) endpoint() (*url.URL, error) {
	u, err := url.Parse(g.url)
	if err != nil || u.Host == "" || u.User != nil {
		return nil, &Error{Step: StepToken, Fault: FaultTokenURL}
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback) {
		return nil, &Error{Step: StepToken, Fault: FaultTokenURL}
	}
	return u, nil
}

// fetch asks for a token. Its errors are *Error.
func (r reach) fetch(ctx context.Context, g grant) (token, error) {
	u, err := g.endpoint()
	if err != nil {
		return token{}, err
	}
	clean := newCleaner(g.clientSecret, g.refresh)
	unreachable := func(err error) error {
		e := &Error{Step: StepToken, Fault: FaultTokenUnreachable, Server: u.Host, Err: errors.New(clean.text(err.Error()))}
		if errors.Is(ctx.Err(), context.Canceled) {
			e.Fault = FaultInterrupted
		}
		return e
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {g.clientID}}
	if g.refresh != "" {
		form.Set("grant_type", "refresh_token")
		form.Set("refresh_token", g.refresh)
	}
	if g.clientSecret != "" {
		form.Set("client_secret", g.clientSecret)
	}
	if g.scope != "" {
		form.Set("scope", g.scope)
	}
	timed, cancel := context.WithTimeout(ctx, r.limits.token)
	defer cancel()
	req, err := http.NewRequestWithContext(timed, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return token{}, unreachable(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	transport := &http.Transport{
		DialContext: r.dial, TLSClientConfig: &tls.Config{RootCAs: r.roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true, MaxResponseHeaderBytes: tokenAnswer,
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // secrets go nowhere but where the administrator sent them
	}}
	resp, err := client.Do(req)
	if err != nil {
		return token{}, unreachable(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, tokenAnswer+1))
	if err != nil {
		return token{}, unreachable(err)
	}
	if len(body) > tokenAnswer {
		return token{}, unreachable(fmt.Errorf("answer over %d bytes", tokenAnswer))
	}
	t, refused, err := parseToken(resp.StatusCode, body)
	if err != nil {
		return token{}, unreachable(err)
	}
	if refused != "" {
		return token{}, &Error{Step: StepToken, Fault: FaultTokenRefused, Server: u.Host, Answer: clean.text(refused)}
	}
	if t.refresh == g.refresh {
		t.refresh = ""
	}
	return t, nil
}

// parseToken reads an answer (RFC 6749 sections 5.1 and 5.2): a token, or why
// there is none, or an error when it is neither.
func parseToken(status int, body []byte) (t token, refused string, err error) {
	var answer struct {
		AccessToken  string          `json:"access_token"`
		TokenType    string          `json:"token_type"`
		ExpiresIn    json.RawMessage `json:"expires_in"` // a number; some servers write it as a string
		RefreshToken string          `json:"refresh_token"`
		Error        string          `json:"error"`
		Description  string          `json:"error_description"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return token{}, "", fmt.Errorf("status %d: read answer of %d bytes as JSON: %w", status, len(body), err)
	}
	switch {
	case answer.Error != "" && status >= 400 && status < 500 && status != http.StatusTooManyRequests:
		return token{}, strings.TrimSpace(answer.Error + " " + answer.Description), nil
	case status != http.StatusOK:
		return token{}, "", fmt.Errorf("status %d", status)
	case !visible(answer.AccessToken) || !visible(answer.RefreshToken) && answer.RefreshToken != "":
		return token{}, "", fmt.Errorf("answer of %d bytes holds no usable token", len(body))
	case answer.TokenType != "" && !strings.EqualFold(answer.TokenType, "bearer"):
		return token{}, "", errors.New("token is not of type Bearer")
	}
	t = token{access: answer.AccessToken, refresh: answer.RefreshToken, life: unknownLife}
	if seconds, err := strconv.ParseFloat(strings.Trim(string(answer.ExpiresIn), `"`), 64); err == nil {
		t.life = time.Duration(min(max(seconds, 0), longestLife.Seconds()) * float64(time.Second))
	}
	return t, "", nil
}

// visible reports whether s can be a token: 1 to tokenLength visible ASCII
// letters (RFC 6749 appendix A.12).
func visible(s string) bool {
	return s != "" && len(s) <= tokenLength && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > unicode.MaxASCII || r == 0x7f
	})
}
