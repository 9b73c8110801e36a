package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func TestQuota(t *testing.T) {
	q, now := newQuota(60), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range 60 {
		if wait := q.take("eva", now); wait != 0 {
			t.Fatalf("change %d must wait %v", i, wait)
		}
	}
	if wait := q.take("eva", now); wait != time.Minute {
		t.Errorf("one too many must wait %v, want 1m", wait)
	}
	if wait := q.take("ben", now); wait != 0 {
		t.Errorf("another user must wait %v", wait)
	}
	q.giveBack("eva")
	if wait := q.take("eva", now); wait != 0 {
		t.Errorf("one that was given back must wait %v", wait)
	}
	if wait := q.take("eva", now.Add(time.Minute)); wait != 0 {
		t.Errorf("a minute later: must wait %v", wait)
	}
	if wait := q.take("eva", now.AddDate(-50, 0, 0)); wait != 0 {
		t.Errorf("with the clock set back: must wait %v", wait)
	}
	for i := range 2 * maxQuotas {
		q.take(fmt.Sprint(i), now.Add(time.Duration(i)*2*time.Hour))
	}
	if len(q.full) > maxQuotas {
		t.Errorf("%d users are counted", len(q.full))
	}
}

// TestPlainUsersChangeSoMuch checks that a plain user makes so many revisions
// an hour, that refused changes do not count, and that administrators go on.
func TestPlainUsersChangeSoMuch(t *testing.T) {
	m, s := office(t)
	anna, boss := enter(t, s, "anna"), enter(t, s, pbx.AdminID)
	numbered := func(i int) string { return fmt.Sprintf(`{"mobile":"%d","home":"","language":""}`, i) }
	for range revisionsAnHour {
		anna.want(422, "PUT", "/profile", `{"mobile":"x","home":"","language":""}`, nil)
	}
	for i := range revisionsAnHour {
		anna.want(200, "PUT", "/profile", numbered(i+1000), nil)
	}
	res := anna.do("PUT", apiPrefix+"/profile", numbered(1))
	if res.StatusCode != 429 || res.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: got %d %s", res.StatusCode, res.text)
	}
	for i := range revisionsAnHour + 5 {
		boss.want(200, "PUT", "/profile", numbered(i), nil)
	}
	for i := range m.revisions {
		if r := &m.revisions[i]; r.Author == "anna" && !strings.HasPrefix(r.Message.Template, pbx.OwnChange) {
			t.Errorf("%q is not known as a change of own data", r.Message.Template)
		}
	}
	anna.want(201, "POST", "/private-contacts", `{"lastName":"Maier"}`, nil) // has a limit of its own
	for range actsAnHour {
		s.acts.take("anna", s.Now())
	}
	anna.want(429, "POST", "/private-contacts", `{"lastName":"Maier"}`, nil)
	anna.want(200, "GET", "/private-contacts", "", nil)
}

// TestRestoresAndTrialsCount checks that who is no administrator goes back to
// old revisions, and tries certificates, only so often: each is a revision.
func TestRestoresAndTrialsCount(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		withModules(cfg, "rita", 306, "revisions", "certificates")
		withModules(cfg, "carl", 307, "certificates")
	})
	m.edit(t, func(cfg *pbx.Config) { cfg.SIP.RingTime = 61 })
	m.edit(t, func(cfg *pbx.Config) { cfg.SIP.RingTime = 62 })
	m.addCertificate(t, "c1", "new.example")
	_, last := m.Current()
	rita, carl, boss := enter(t, s, "rita"), enter(t, s, "carl"), enter(t, s, pbx.AdminID)
	back := func(i int) string { return fmt.Sprintf("/revisions/%d/restore", last-1-int64(i%2)) }
	for range revisionsAnHour {
		rita.want(404, "POST", "/revisions/99999/restore", "", nil)
	}
	for i := range revisionsAnHour {
		rita.want(200, "POST", back(i), "", nil)
	}
	_, before := m.Current()
	if res := rita.do("POST", apiPrefix+back(0), ""); res.StatusCode != 429 || res.Header.Get("Retry-After") == "" {
		t.Errorf("one restore too many: got %d %s", res.StatusCode, res.text)
	}
	boss.want(200, "POST", back(0), "", nil)
	if _, now := m.Current(); before != last+revisionsAnHour || now != before+1 {
		t.Errorf("revisions %d, %d, %d", last, before, now)
	}
	boss.want(200, "POST", fmt.Sprintf("/revisions/%d/restore", last), "", nil)
	for range revisionsAnHour {
		carl.want(404, "POST", "/certificates/nope/use", "", nil)
	}
	for range revisionsAnHour - 1 {
		s.commits.take("carl", s.Now())
	}
	carl.want(202, "POST", "/certificates/c1/use", "", nil)
	carl.want(429, "POST", "/certificates/c1/use", "", nil)
}

// TestOwnActs checks that the audit log knows what plain users may do all day.
func TestOwnActs(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	own := pbx.ActsOf(pbx.ActOwn)
	for _, act := range s.auditActions() {
		mine := strings.Contains(act, "contact") || strings.Contains(act, "own-") || act == "change-profile" || act == "send-text"
		if mine != slices.Contains(own, act) {
			t.Errorf("%s: own %v, want %v", act, !mine, mine)
		}
	}
	for _, kind := range []pbx.ActKind{pbx.ActLogin, pbx.ActFailure, pbx.ActOwn} {
		for _, act := range pbx.ActsOf(kind) {
			if !slices.Contains(s.auditActions(), act) {
				t.Errorf("%s is no action of the API", act)
			}
		}
	}
}

// TestPictureOfNobody checks that no picture is kept for an entry that there is
// not, or in another state than the client has seen.
func TestPictureOfNobody(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	var made pbx.Contact
	c.want(201, "POST", "/private-contacts", `{"lastName":"Maier"}`, &made)
	for _, x := range []struct {
		path, match string
		status      int
	}{
		{"/private-contacts/nope/image", "*", 404}, {"/contacts/nope/image", "*", 404}, {"/users/nope/image", "*", 404},
		{"/private-contacts/" + made.ID + "/image", `"old"`, 412}, {"/profile/image", `"old"`, 412},
	} {
		res := c.do(http.MethodPut, apiPrefix+x.path, pictureIn(t, "png"), "Content-Type", "image/png", "If-Match", x.match)
		if res.StatusCode != x.status || !json.Valid([]byte(res.text)) {
			t.Errorf("%s: got %d %s, want %d", x.path, res.StatusCode, res.text, x.status)
		}
	}
	if len(m.pictures) != 0 {
		t.Errorf("%d pictures are kept", len(m.pictures))
	}
}
