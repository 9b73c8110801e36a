package store

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func TestDrafts(t *testing.T) {
	c := &clock{time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	s := openAt(t, dir, c)
	ctx := t.Context()
	var told []int
	stop := s.WatchDrafts(func(n int) { told = append(told, n) })
	set := func(d pbx.Draft) {
		t.Helper()
		if err := s.SetDraft(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want ...pbx.Draft) {
		t.Helper()
		got, err := s.Drafts(ctx)
		if err != nil || got == nil || len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	check()
	ring := pbx.Draft{Path: "sip.ringTime", Value: "45", Author: "anna", Time: c.at}
	port := pbx.Draft{Path: "media.rtpPortMin", Value: "20002", Author: "ben", Time: c.at.Add(-time.Hour)}
	set(pbx.Draft{Path: "sip.ringTime", Value: `"first"`, Author: "ben"})
	set(pbx.Draft{Path: "sip.ringTime", Value: "45", Author: "anna"})
	set(port)
	check(port, ring)
	for name, d := range map[string]pbx.Draft{
		"no path":    {Value: "1"},
		"no value":   {Path: "a.b"},
		"no JSON":    {Path: "a.b", Value: "{"},
		"long path":  {Path: strings.Repeat("x", maxDraftPath+1), Value: "1"},
		"long value": {Path: "a.b", Value: `"` + strings.Repeat("x", maxDraftValue) + `"`},
	} {
		if err := s.SetDraft(ctx, d); err == nil {
			t.Errorf("%s: kept", name)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	stop()
	s = openAt(t, dir, c)
	check(port, ring)
	s.WatchDrafts(func(n int) { told = append(told, n) })
	if err := s.DeleteDraft(ctx, "sip.ringTime"); err != nil {
		t.Error(err)
	}
	if err := s.DeleteDraft(ctx, "sip.ringTime"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted twice: %v", err)
	}
	check(port)
	for i := range maxDrafts - 1 {
		set(pbx.Draft{Path: fmt.Sprint("p", i), Value: "1"})
	}
	if err := s.SetDraft(ctx, pbx.Draft{Path: "one.more", Value: "1"}); !errors.Is(err, pbx.ErrTooMany) {
		t.Errorf("draft 201: %v", err)
	}
	set(pbx.Draft{Path: "p0", Value: "2"}) // there is one already
	if err := s.DeleteDrafts(ctx); err != nil {
		t.Error(err)
	}
	check()
	want := []int{1, 1, 2, 1}
	for i := range maxDrafts - 1 {
		want = append(want, i+2)
	}
	if want = append(want, maxDrafts, 0); !slices.Equal(told, want) {
		t.Errorf("watchers were told %v, want %v", told, want)
	}
}
