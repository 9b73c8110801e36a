package sipedge

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"galilei/pbxd/pbx"
)

// curl answers our challenge, with either algorithm: an implementation of RFC
// 7616 that is not ours. The requests are HTTP.
func TestDigestOfCurl(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skipf("curl is not installed (%v)", err)
	}
	tests := []struct {
		password string
		sha256   bool
		want     verdict
	}{{"secret", false, authGood}, {"secret", true, authGood}, {"guess", false, authWrong}, {"guess", true, authWrong}}
	for _, tt := range tests {
		a := newAuthenticator(time.Now)
		got, algorithm := authMissing, ""
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := digest.ParseCredentials(r.Header.Get("Authorization"))
			if err == nil {
				algorithm = c.Algorithm
				got = a.judge("REGISTER", c, func(user string) (pbx.Secret, bool) { return "secret", user == "101" })
				return
			}
			res := sip.NewResponseFromRequest(registerWith(""), 401, "Unauthorized", nil)
			a.challenge(res, tt.sha256, false)
			for _, h := range res.GetHeaders("www-authenticate") {
				w.Header().Add("WWW-Authenticate", h.Value())
			}
			w.WriteHeader(http.StatusUnauthorized)
		}))
		out, err := exec.Command("curl", "-sS", "--noproxy", "*", "--digest", "-u", "101:"+tt.password, "-X", "REGISTER", server.URL).CombinedOutput()
		server.Close()
		if err != nil {
			t.Fatalf("curl: %v: %s", err, out)
		}
		if want := map[bool]string{false: "MD5", true: "SHA-256"}[tt.sha256]; got != tt.want || algorithm != want {
			t.Errorf("password %s: verdict %d with %q, want %d with %s", tt.password, got, algorithm, tt.want, want)
		}
	}
}
