package sipedge

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"galilei/pbxd/pbx"
)

// realm is the protection domain of phones (RFC 3261 section 22.1).
const realm = "galilei"

const (
	nonceLifetime = 2 * time.Minute
	maxNonces     = 100_000 // nonces whose count is remembered
	maxNoncesEach = 10_000  // of one user
)

// verdict is the outcome of a request's credentials.
type verdict int

const (
	authMissing verdict = iota // none, or for another realm: challenge
	authStale                  // right, but the nonce is old: challenge with stale=true
	authWrong
	authGood
)

// authenticator makes and checks digest challenges (RFC 3261 section 22,
// RFC 7616, RFC 8760). Nonces carry their time under a MAC, so that a
// challenge costs no memory; the counts of nonces in use are remembered.
type authenticator struct {
	key [32]byte
	now func() time.Time

	mu    sync.Mutex
	used  map[string]*list.Element
	order *list.List     // of *nonceUse, in the order of first use
	each  map[string]int // nonces of each user
}

type nonceUse struct {
	nonce string
	user  string
	first time.Time // of use
	count int
}

func newAuthenticator(now func() time.Time) *authenticator {
	a := &authenticator{now: now, used: map[string]*list.Element{}, order: list.New(), each: map[string]int{}}
	rand.Read(a.key[:])
	return a
}

// nonce is base64 of: 8 octets time in ns, 8 random, 16 of HMAC-SHA256.
func (a *authenticator) nonce() string {
	b := make([]byte, 16, 32)
	binary.BigEndian.PutUint64(b, uint64(a.now().UnixNano()))
	rand.Read(b[8:16])
	return base64.RawURLEncoding.EncodeToString(append(b, a.mac(b)...))
}

func (a *authenticator) mac(b []byte) []byte {
	h := hmac.New(sha256.New, a.key[:])
	h.Write(b)
	return h.Sum(nil)[:16]
}

// age returns how old a nonce of ours is; ok is false for any other text.
func (a *authenticator) age(nonce string) (age time.Duration, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != 32 || !hmac.Equal(b[16:], a.mac(b[:16])) {
		return 0, false
	}
	return a.now().Sub(time.Unix(0, int64(binary.BigEndian.Uint64(b)))), true
}

// challenge adds the WWW-Authenticate fields: SHA-256 before MD5 where it is
// wanted (RFC 8760 section 2.4: most preferred first).
func (a *authenticator) challenge(res *sip.Response, sha256 bool, stale bool) {
	algorithms := []string{"MD5"}
	if sha256 {
		algorithms = []string{"SHA-256", "MD5"}
	}
	nonce := a.nonce()
	for _, alg := range algorithms {
		v := `Digest realm="` + realm + `", nonce="` + nonce + `", algorithm=` + alg + `, qop="auth"`
		if stale {
			v += `, stale=true`
		}
		res.AppendHeader(sip.NewHeader("WWW-Authenticate", v))
	}
}

// check judges the credentials of a request. user is the name that they
// claim. password is asked for with the claimed name and returns false when
// there is no such user: the work and the answer are the same then.
func (a *authenticator) check(req *sip.Request, password func(user string) (pbx.Secret, bool)) (user string, v verdict) {
	for _, h := range req.GetHeaders("authorization") {
		c, err := digest.ParseCredentials(h.Value())
		if err != nil || c.Realm != realm {
			continue
		}
		v := a.judge(string(req.Method), c, password)
		if v != authWrong && !uriMatches(req, c.URI) {
			v = authWrong
		}
		return c.Username, v
	}
	return "", authMissing
}

// judge judges credentials for a method; whether their URI is that of the
// request is another matter.
func (a *authenticator) judge(method string, c *digest.Credentials, password func(user string) (pbx.Secret, bool)) verdict {
	chal := &digest.Challenge{Realm: realm, Nonce: c.Nonce, Opaque: c.Opaque, Algorithm: c.Algorithm}
	switch {
	case c.Algorithm != "" && !strings.EqualFold(c.Algorithm, "MD5") && !strings.EqualFold(c.Algorithm, "SHA-256"):
		return authWrong
	case c.QOP != "" && c.QOP != "auth":
		return authWrong
	case c.QOP == "auth":
		chal.QOP = []string{"auth"}
		if c.Cnonce == "" || c.Nc < 1 {
			return authWrong
		}
	}
	secret, exists := password(c.Username)
	if !exists {
		secret = "no such user" // computed with all the same
	}
	want, err := digest.Digest(chal, digest.Options{
		Method: method, URI: c.URI, Username: c.Username, Password: secret.Reveal(), Cnonce: c.Cnonce, Count: c.Nc,
	})
	if err != nil {
		return authWrong
	}
	same := subtle.ConstantTimeCompare([]byte(strings.ToLower(want.Response)), []byte(strings.ToLower(c.Response))) == 1
	if !same || !exists {
		return authWrong
	}
	age, ours := a.age(c.Nonce) // a nonce of before our restart is only stale
	if !ours || age < 0 || age > nonceLifetime || !a.count(c.Username, c.Nonce, c.Nc) {
		return authStale
	}
	return authGood
}

// uriMatches compares the digest's URI with the Request-URI as far as every
// phone gets it right: the host. Phones differ in parameters and ports.
func uriMatches(req *sip.Request, digestURI string) bool {
	var u sip.Uri
	if err := sip.ParseUri(digestURI, &u); err != nil {
		return false
	}
	return strings.EqualFold(u.Host, req.Recipient.Host)
}

// count accepts a nonce count only once and only rising (RFC 7616 section
// 3.4.5). Without qop there is no count: such a nonce is good once. A use is
// forgotten only when its nonce is too old to be accepted again; when there is
// no room for another, the answer is "stale" and the phone tries again.
func (a *authenticator) count(user, nonce string, nc int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if el, ok := a.used[nonce]; ok {
		use := el.Value.(*nonceUse)
		if nc <= use.count {
			return false
		}
		use.count = nc
		return true
	}
	now := a.now()
	for el := a.order.Front(); el != nil; el = a.order.Front() {
		use := el.Value.(*nonceUse)
		if now.Sub(use.first) <= nonceLifetime {
			break
		}
		a.order.Remove(el)
		delete(a.used, use.nonce)
		if a.each[use.user]--; a.each[use.user] <= 0 {
			delete(a.each, use.user)
		}
	}
	if len(a.used) >= maxNonces || a.each[user] >= maxNoncesEach {
		return false
	}
	a.used[nonce] = a.order.PushBack(&nonceUse{nonce: nonce, user: user, first: now, count: nc})
	a.each[user]++
	return true
}
