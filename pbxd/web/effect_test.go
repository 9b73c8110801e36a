package web

import (
	"fmt"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// TestRestoreEffect changes users in every way and asks what each restore
// would do.
func TestRestoreEffect(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	var eva User
	c.want(201, "POST", "/users", `{"user":"eva","extension":"210","admin":true,"pin":"314159"}`, &eva)              // 3
	c.want(200, "PUT", "/users/demo101", `{"user":"demo101","extension":"101","admin":true}`, nil)                   // 4
	c.want(200, "PUT", "/users/demo101", `{"user":"anna","extension":"101"}`, nil)                                   // 5
	c.want(204, "DELETE", "/users/demo102", "", nil)                                                                 // 6
	c.want(204, "DELETE", "/users/demo103", "", nil)                                                                 // 7
	c.want(201, "POST", "/users", `{"user":"demo103","extension":"103"}`, nil)                                       // 8: another of that name
	c.want(200, "PUT", "/users/"+eva.ID, `{"user":"eva","extension":"210","admin":false,"firstName":"Eva"}`, nil)    // 9
	c.want(200, "PUT", "/users/demo101", `{"user":"anna2","extension":"101","admin":false,"firstName":"Anna"}`, nil) // 10
	c.want(200, "PUT", "/media-settings", `{"rtpPortMin":20000,"rtpPortMax":20099}`, nil)                            // 11
	for number, want := range map[int]string{
		11: "[] [] [] []",
		10: "[] [] [] []",
		9:  "[] [] [anna2] []",
		8:  "[] [] [anna2 eva] []",
		7:  "[demo103] [] [anna2 eva] []",
		6:  "[demo103] [demo103] [anna2 eva] []",
		5:  "[demo103] [demo102 demo103] [anna2 eva] []",
		4:  "[demo103] [demo102 demo103] [anna2 eva] []",
		3:  "[demo103] [demo102 demo103] [eva] []",
		2:  "[demo103 eva] [demo102 demo103] [] []",
		1:  "[demo103 eva] [demo102 demo103] [] []",
	} {
		var e Effect
		c.want(200, "GET", fmt.Sprintf("/revisions/%d/effect", number), "", &e)
		if got := fmt.Sprint(e.Deleted, e.Back, e.Promoted, e.Demoted); got != want {
			t.Errorf("revision %d: got %s, want %s", number, got, want)
		}
	}
	c.want(422, "GET", "/revisions/0/effect", "", nil)
}

// TestRestoreKeepsOneself checks that nobody deletes or demotes themselves by a
// restore, and that it is told who would be.
func TestRestoreKeepsOneself(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	admin := loggedIn(t, s)
	var eva User
	admin.want(201, "POST", "/users", `{"user":"eva","extension":"210"}`, &eva)
	admin.want(200, "PUT", "/users/"+eva.ID, `{"user":"eva","extension":"210","admin":true,"pin":"314159","mustChangePin":false}`, nil)
	self := &client{t: t, s: s, addr: lanAddr}
	self.login("eva", "314159")
	for number, words := range map[int]string{2: "delete yourself", 3: "no administrator"} {
		res := self.want(409, "POST", fmt.Sprintf("/revisions/%d/restore", number), "", nil)
		if !strings.Contains(res.text, words) {
			t.Errorf("revision %d: got %s", number, res.text)
		}
	}
	admin.want(200, "POST", "/revisions/2/restore", "", nil)
	if cfg, _ := m.Current(); cfg.UserByID(eva.ID) != nil {
		t.Error("another administrator's restore left the user")
	}
}

// FuzzUndo takes back any changes.
func FuzzUndo(f *testing.F) {
	f.Add("users[eva].admin", "true", "")
	f.Add("users[#k3].user", "eva", "anna")
	f.Add("users[]].id", "", "x")
	f.Fuzz(func(t *testing.T, path, old, now string) {
		p := past{"k3": {"anna", false}}
		p.undo([]pbx.Change{{Path: path, Old: old, New: now}})
		if len(p) > 2 {
			t.Errorf("one change made %d users", len(p))
		}
	})
}
