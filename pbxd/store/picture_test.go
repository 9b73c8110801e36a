package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"galilei/pbxd/pbx"
)

// picture returns bytes of that size that stand for a picture, and their hash.
func picture(n, size int) (hash string, jpeg []byte) {
	jpeg = bytes.Repeat([]byte(fmt.Sprintf("%07d ", n)), (size+7)/8)[:size]
	sum := sha256.Sum256(jpeg)
	return hex.EncodeToString(sum[:]), jpeg
}

func TestPictures(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx := t.Context()
	hash, jpeg := picture(1, maxPicture)
	if _, err := s.Picture(ctx, hash); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("picture that was never put: %v", err)
	}
	for range 2 {
		if err := s.PutPicture(ctx, pbx.PicturesOfUsers, hash, jpeg); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Picture(ctx, hash); err != nil || !bytes.Equal(got, jpeg) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	large, over := picture(2, maxPicture+1)
	for name, err := range map[string]error{
		"too large":    s.PutPicture(ctx, pbx.PicturesOfUsers, large, over),
		"empty":        s.PutPicture(ctx, pbx.PicturesOfUsers, hash, nil),
		"another hash": s.PutPicture(ctx, pbx.PicturesOfUsers, large, jpeg),
	} {
		if err == nil {
			t.Errorf("%s: kept", name)
		}
	}
	addContacts(t, s, "", []pbx.Contact{{ID: "a", Image: hash}, {ID: "b", Image: hash}, {ID: "c"}})
	addContacts(t, s, "u1", []pbx.Contact{{ID: "a", Image: hash}})
	if owners, err := s.PictureOwners(ctx, hash); err != nil || !slices.Equal(owners, []string{"", "u1"}) {
		t.Errorf("owners %q, %v", owners, err)
	}
	for _, h := range []string{large, ""} {
		if owners, err := s.PictureOwners(ctx, h); err != nil || owners == nil || len(owners) != 0 {
			t.Errorf("owners of %q: %q, %v", h, owners, err)
		}
	}
}

// When there is no room the oldest that nothing names go, never one that a
// user or a contact shows.
func TestPicturesMakeRoom(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx := t.Context()
	var hashes []string
	put := func(n int) error {
		hash, jpeg := picture(n, 1000)
		hashes = append(hashes, hash)
		return s.PutPicture(ctx, pbx.PicturesOfUsers, hash, jpeg)
	}
	for n := range 40 {
		if err := put(n); err != nil {
			t.Fatal(err)
		}
	}
	addContacts(t, s, "u1", []pbx.Contact{{ID: "a", Image: hashes[1]}})
	if _, err := s.Commit(ctx, "a", pbx.Typed(""), func(c *pbx.Config) error { c.Users[1].Image = hashes[2]; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.PutPicture(ctx, pbx.PicturesOfUsers, hashes[3], must(picture(3, 1000))); err != nil { // is new again
		t.Fatal(err)
	}
	// Sizes are believed as they stand in the row: make them fill the store.
	fill := func(size int) {
		t.Helper()
		if _, err := s.db.writer.ExecContext(ctx, "UPDATE picture SET size = ?", size); err != nil {
			t.Fatal(err)
		}
	}
	fill(maxPictures / 40)
	kept := func(n int) bool {
		_, err := s.Picture(ctx, hashes[n])
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return err == nil
	}
	if err := put(40); err != nil {
		t.Fatal(err)
	}
	if kept(0) || !kept(1) || !kept(2) || !kept(3) || !kept(4) || !kept(40) {
		t.Errorf("kept: 0 %v, 1 %v, 2 %v, 3 %v, 4 %v, 40 %v", kept(0), kept(1), kept(2), kept(3), kept(4), kept(40))
	}
	fill(maxPictures / 4) // 40 pictures ten times too large: all go that may
	if err := put(41); !errors.Is(err, pbx.ErrTooMany) {
		t.Errorf("no room: %v", err)
	}
	if !kept(4) || kept(41) {
		t.Error("a refusal has deleted pictures")
	}
	if s.db.lastWriteFailed() {
		t.Error("a refusal counts as a failure of the disk")
	}
	fill(maxPictures / 19) // 22 that nothing names are to go, and 18 stay: 16 new ones, 2 in use
	if err := put(42); err != nil {
		t.Fatal(err)
	}
	for n := range 41 {
		if want := n == 1 || n == 2 || n == 3 || n > 25; kept(n) != want {
			t.Errorf("picture %d kept %v, want %v", n, kept(n), want)
		}
	}
}

func must(_ string, jpeg []byte) []byte { return jpeg }

// A directory takes no room from others: not from another private one, not from
// the global one, and none takes all from users.
func TestPictureQuota(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx := t.Context()
	n := 0
	put := func(owner string, size int) error {
		t.Helper()
		n++
		hash, jpeg := picture(n, 1000)
		if err := s.PutPicture(ctx, owner, hash, jpeg); err != nil {
			return err
		}
		addContacts(t, s, owner, []pbx.Contact{{ID: fmt.Sprint(n), Image: hash}})
		// Sizes are believed as they stand in the row.
		_, err := s.db.writer.ExecContext(ctx, "UPDATE picture SET size = ? WHERE hash = ?", size, hash)
		return err
	}
	for i := range maxPrivate / maxOfOwner {
		owner := fmt.Sprint("u", i)
		if err := put(owner, maxOfOwner); err != nil {
			t.Fatal(err)
		}
		if err := put(owner, 1); !errors.Is(err, pbx.ErrTooMany) {
			t.Errorf("%s has more than its room: %v", owner, err)
		}
	}
	if err := put("another", 1); !errors.Is(err, pbx.ErrTooMany) {
		t.Errorf("private directories have more than their room: %v", err)
	}
	if err := put("", maxGlobal); err != nil {
		t.Fatal(err)
	}
	if err := put("", 1); !errors.Is(err, pbx.ErrTooMany) {
		t.Errorf("the global directory has more than its room: %v", err)
	}
	hash, jpeg := picture(1000, maxPicture)
	if err := s.PutPicture(ctx, pbx.PicturesOfUsers, hash, jpeg); err != nil {
		t.Errorf("nothing is left for users: %v", err)
	}
}
