package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func TestMailQueue(t *testing.T) {
	c := &clock{time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	s := openAt(t, dir, c)
	ctx := t.Context()
	told := 0
	s.WatchMail(func() { told++ })
	add := func(j pbx.MailJob) int64 {
		t.Helper()
		id, err := s.EnqueueMail(ctx, j)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	due := func(limit int) (ids []int64) {
		t.Helper()
		list, err := s.DueMail(ctx, c.at, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range list {
			ids = append(ids, j.ID)
		}
		return ids
	}
	full := pbx.MailJob{To: "anna@example.org", Subject: "Grüße", Text: "Hallo\r\n", Kind: pbx.MailKindSystem, Next: c.at.Add(-time.Minute),
		Attachments: []pbx.MailAttachment{{Name: "a.wav", Type: "audio/wav", Data: []byte{0, 1, 0xff}}}}
	later, full2 := add(pbx.MailJob{To: "ben@example.org", Next: c.at.Add(time.Hour)}), add(full)
	plain := add(pbx.MailJob{To: "c@example.org"})
	if got := due(0); !reflect.DeepEqual(got, []int64{full2, plain}) {
		t.Errorf("due: %v", got)
	}
	if got := due(1); !reflect.DeepEqual(got, []int64{full2}) {
		t.Errorf("the longest due: %v", got)
	}
	list, err := s.DueMail(ctx, c.at, 1)
	want := full
	want.ID, want.Created, want.State = full2, c.at, "waiting"
	if err != nil || !reflect.DeepEqual(list[0], want) {
		t.Errorf("%+v, %v; want %+v", list[0], err, want)
	}
	if err := s.MailFailed(ctx, full2, 1, c.at.Add(time.Minute), "451 try later"); err != nil {
		t.Error(err)
	}
	if err := s.MailFailed(ctx, plain, 3, time.Time{}, "550 no such user"); err != nil {
		t.Error(err)
	}
	if got := due(0); got != nil {
		t.Errorf("due after both failed: %v", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, dir, c)
	jobs, err := s.MailJobs(ctx)
	if err != nil || len(jobs) != 3 || jobs[0].ID != later || jobs[1].Attempts != 1 || jobs[1].Reason != "451 try later" || !jobs[1].Next.Equal(c.at.Add(time.Minute)) ||
		jobs[2].State != "failed" || !jobs[2].Next.IsZero() || jobs[2].Attempts != 3 || jobs[1].Text != "" || jobs[1].Attachments != nil {
		t.Errorf("%+v, %v", jobs, err)
	}
	c.at = c.at.Add(2 * time.Hour)
	if got := due(0); !reflect.DeepEqual(got, []int64{full2, later}) {
		t.Errorf("due: %v", got)
	}
	for range 2 { // a second report does no harm: the mail is gone
		if err := s.MailDone(ctx, full2); err != nil {
			t.Error(err)
		}
		if err := s.MailFailed(ctx, full2, 2, c.at, "late"); err != nil {
			t.Error(err)
		}
	}
	if err := s.DeleteMail(ctx, plain); err != nil {
		t.Error(err)
	}
	if err := s.DeleteMail(ctx, plain); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted twice: %v", err)
	}
	if jobs, err := s.MailJobs(ctx); err != nil || len(jobs) != 1 || jobs[0].ID != later {
		t.Errorf("%+v, %v", jobs, err)
	}
	if again := add(pbx.MailJob{}); again <= plain {
		t.Errorf("number %d was given before", again)
	}
	if told != 5 {
		t.Errorf("watchers were told %d times before the restart, want 5", told)
	}
}

func TestMailQueueIsBounded(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx := t.Context()
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := s.db.writer.ExecContext(ctx, query, args...); err != nil {
			t.Fatal(err)
		}
	}
	count := func(state string) (n int) {
		jobs, err := s.MailJobs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			if j.State == state {
				n++
			}
		}
		return n
	}
	// Many that wait.
	exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO mail SELECT NULL, 0, 0, 0, '', '', '', 'waiting', '', 5, '', '[]' FROM n", maxMailWaiting-1)
	last, err := s.EnqueueMail(ctx, pbx.MailJob{Text: "the last"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.EnqueueMail(ctx, pbx.MailJob{}); !errors.Is(err, pbx.ErrTooMany) || count("waiting") != maxMailWaiting {
		t.Errorf("mail 1001: %v, %d wait", err, count("waiting"))
	}
	// Many that were given up.
	for i := range int64(maxMailFailed + 5) {
		if err := s.MailFailed(ctx, last-i, 1, time.Time{}, "no"); err != nil {
			t.Fatal(err)
		}
	}
	if n := count("failed"); n != maxMailFailed {
		t.Errorf("%d mails kept that were given up", n)
	}
	// Large ones: sizes are believed as they stand in the row.
	exec("UPDATE mail SET size = 0 WHERE state = 'waiting'")
	exec("UPDATE mail SET size = ? WHERE state = 'failed'", maxMailSize/maxMailFailed)
	if _, err := s.EnqueueMail(ctx, pbx.MailJob{Text: strings.Repeat("x", maxMailSize/100)}); err != nil || count("failed") > maxMailFailed-2 || count("failed") < maxMailFailed-4 {
		t.Errorf("%d mails left that were given up, %v", count("failed"), err)
	}
	exec("UPDATE mail SET size = ? WHERE id = ?", maxMailSize-5, last+1)
	waiting, failed := count("waiting"), count("failed")
	if _, err := s.EnqueueMail(ctx, pbx.MailJob{Text: "too much"}); !errors.Is(err, pbx.ErrTooMany) || count("waiting") != waiting || count("failed") != failed {
		t.Errorf("mails over 64 MiB: %v", err)
	}
	if s.db.lastWriteFailed() {
		t.Error("a refusal counts as a failure of the disk")
	}
}

func TestDueMailHoldsLittle(t *testing.T) {
	s := openIn(t, t.TempDir())
	data := bytes.Repeat([]byte{7}, 5<<20)
	for i := range 6 {
		j := pbx.MailJob{Subject: fmt.Sprint(i), Attachments: []pbx.MailAttachment{{Name: "a", Data: data}}}
		if _, err := s.EnqueueMail(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.DueMail(t.Context(), time.Now(), 100)
	if err != nil || len(list) != 3 || list[0].Subject != "0" || !bytes.Equal(list[2].Attachments[0].Data, data) { // 6.7 MiB each as JSON
		t.Errorf("%d mails, %v", len(list), err)
	}
}
