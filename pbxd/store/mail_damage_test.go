package store

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// TestDamagedMail checks that mails which cannot be read are given up and hold
// up neither those behind them nor the list.
func TestDamagedMail(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx := t.Context()
	for _, damage := range []string{"attachments = '[{'", "attachments = x'ff'", "created = 'yesterday'", "next = -1, attempts = 'x'"} {
		bad, err := s.EnqueueMail(ctx, pbx.MailJob{To: "anna@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.db.writer.ExecContext(ctx, "UPDATE mail SET "+damage+" WHERE id = ?", bad); err != nil {
			t.Fatal(err)
		}
	}
	good, err := s.EnqueueMail(ctx, pbx.MailJob{To: "ben@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		list, err := s.DueMail(ctx, time.Now(), 1)
		if err != nil || len(list) != 1 || list[0].ID != good {
			t.Fatalf("due: %+v, %v; want mail %d", list, err, good)
		}
	}
	if err := s.MailDone(ctx, good); err != nil {
		t.Fatal(err)
	}
	if list, err := s.DueMail(ctx, time.Now(), 1); err != nil || len(list) != 0 {
		t.Errorf("due: %+v, %v; want none", list, err)
	}
	jobs, err := s.MailJobs(ctx)
	if err != nil || len(jobs) != 4 {
		t.Fatalf("%d mails, %v; want 4", len(jobs), err)
	}
	for i, j := range jobs {
		if j.ID != int64(i+1) || j.State != "failed" || j.Reason != "The mail is damaged." {
			t.Errorf("got %+v", j)
		}
		if err := s.DeleteMail(ctx, j.ID); err != nil {
			t.Error(err)
		}
	}
}

func TestRetryMail(t *testing.T) {
	c := &clock{time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)}
	s := openAt(t, t.TempDir(), c)
	ctx := t.Context()
	id, err := s.EnqueueMail(ctx, pbx.MailJob{To: "anna@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	for _, next := range []time.Time{{}, c.at.Add(time.Hour)} { // given up, and one that waits
		if err := s.MailFailed(ctx, id, 8, next, "550 no"); err != nil {
			t.Fatal(err)
		}
		if err := s.RetryMail(ctx, id); err != nil {
			t.Fatal(err)
		}
		list, err := s.DueMail(ctx, c.at, 1)
		if err != nil || len(list) != 1 || list[0].Attempts != 0 || list[0].State != "waiting" || list[0].Reason != "550 no" {
			t.Errorf("due: %+v, %v", list, err)
		}
	}
	if err := s.RetryMail(ctx, id+1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such mail: %v", err)
	}
	if err := s.MailFailed(ctx, id, 8, time.Time{}, "550 no"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.writer.ExecContext(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO mail SELECT NULL, 0, 0, 0, '', '', '', 'waiting', '', 5, '', '[]' FROM n", maxMailWaiting); err != nil {
		t.Fatal(err)
	}
	if err := s.RetryMail(ctx, id); !errors.Is(err, pbx.ErrTooMany) {
		t.Errorf("mail 1001: %v", err)
	}
}
