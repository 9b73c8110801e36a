package mail

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sort"
	"sync/atomic"
	"time"

	"galilei/pbxd/pbx"
)

// States of a job.
const (
	stateWaiting = "waiting"
	stateFailed  = "failed"
)

const (
	holdAfterFault   = time.Minute      // mails that come meanwhile wait: the server was just asked
	holdAfterRefusal = 15 * time.Minute // after a refused login: providers lock accounts that try too often
	mailsPerSession  = 50
	tidyEvery        = time.Hour
)

// delay returns how long to wait after the given number of failed attempts,
// or false when the mail is given up.
func delay(attempts int) (time.Duration, bool) {
	schedule := [...]time.Duration{
		time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	}
	if attempts < 1 || attempts > len(schedule) {
		return 0, attempts < 1
	}
	return schedule[attempts-1], true
}

// round sends everything that is due.
func (o *Outbox) round(ctx context.Context) {
	settings := o.deps.Config().Mail
	if o.inForce != nil && o.changed(ctx, *o.inForce, settings) {
		o.hold = time.Time{}
		if err := o.hasten(ctx); err != nil {
			o.deps.Log.Error("hasten mails after a change of the settings", "error", err)
			return // inForce is as before: the next round tries again
		}
	}
	o.inForce = &settings
	if !o.confirm(ctx) {
		return
	}
	now := o.deps.Now()
	o.tidy(ctx, now)
	if !settings.Enabled || now.Before(o.hold) && o.hold.Sub(now) <= holdAfterRefusal { // a hold further away is from before the clock was set
		return
	}
	o.hold = time.Time{}
	r := &delivery{outbox: o, settings: settings, now: now, seen: map[int64]bool{}}
	stop := r.watch(ctx)
	defer stop()
	defer r.end()
	for ctx.Err() == nil && !r.stale.Load() {
		jobs, err := o.deps.Queue.DueMail(ctx, now, 1) // one, since a mail may have MaxAttachments
		if err != nil {
			o.deps.Log.Error("read due mails", "error", err)
			return
		}
		if len(jobs) == 0 || !r.job(ctx, jobs[0]) {
			return
		}
	}
}

// changed reports whether the settings are others than before. A refresh token
// that the OAuth server itself gave is no change.
func (o *Outbox) changed(ctx context.Context, before, settings pbx.Mail) bool {
	if before == settings {
		return false
	}
	before.Password = settings.Password
	if before != settings || settings.Method != "xoauth2" {
		return true
	}
	refresh, err := o.deps.Open(pbx.MailPasswordPurpose, settings.Password)
	return err != nil || !o.tokens.gave(ctx, refresh)
}

// hasten makes all that waits due now. The attempt that follows takes the
// place of the last one, so that changing the settings gives no mail up sooner.
func (o *Outbox) hasten(ctx context.Context) error {
	jobs, err := o.deps.Queue.MailJobs(ctx)
	if err != nil {
		return fmt.Errorf("hasten mails: %w", err)
	}
	now := o.deps.Now()
	for _, j := range jobs {
		if j.State == stateFailed || !j.Next.After(now) {
			continue
		}
		if err := o.deps.Queue.MailFailed(ctx, j.ID, max(j.Attempts-1, 0), now, j.Reason); err != nil {
			return fmt.Errorf("hasten mail %d: %w", j.ID, err)
		}
	}
	return nil
}

// confirm tells the queue of mails that were delivered while it could not be
// written. Until it knows, nothing is sent: it would offer them again.
func (o *Outbox) confirm(ctx context.Context) bool {
	for len(o.accepted) > 0 {
		err := o.deps.Queue.MailDone(ctx, o.accepted[0])
		if err != nil && o.queued(ctx, o.accepted[0]) {
			o.deps.Log.Error("take delivered mail out of the queue", "mail", o.accepted[0], "error", err)
			return false
		}
		o.accepted = o.accepted[1:]
	}
	return true
}

// queued reports whether the queue may still hold a mail; an administrator
// may have deleted it meanwhile.
func (o *Outbox) queued(ctx context.Context, id int64) bool {
	jobs, err := o.deps.Queue.MailJobs(ctx)
	return err != nil || slices.ContainsFunc(jobs, func(j pbx.MailJob) bool { return j.ID == id })
}

// tidy forgets mails that were given up long ago, and brings back those whose
// next attempt lies further away than any delay: the clock was set back.
func (o *Outbox) tidy(ctx context.Context, now time.Time) {
	if since := now.Sub(o.tidied); since >= 0 && since < tidyEvery {
		return
	}
	o.tidied = now
	jobs, err := o.deps.Queue.MailJobs(ctx)
	if err != nil {
		o.deps.Log.Error("tidy queue of mails", "error", err)
		return
	}
	sort.Slice(jobs, func(i, j int) bool {
		return cmp.Or(jobs[j].Created.Compare(jobs[i].Created), cmp.Compare(jobs[j].ID, jobs[i].ID)) < 0
	})
	longest, _ := delay(7)
	failed := 0
	for _, j := range jobs { // the newest first
		var err error
		switch {
		case j.State == stateFailed:
			if failed++; failed > keepFailed || now.Sub(j.Created) > keepFailedIn {
				err = o.deps.Queue.DeleteMail(ctx, j.ID)
			}
		case j.Next.Sub(now) > longest:
			err = o.deps.Queue.MailFailed(ctx, j.ID, j.Attempts, now, j.Reason)
		}
		if err != nil {
			o.deps.Log.Error("tidy queue of mails", "mail", j.ID, "error", err)
			return
		}
	}
}

// delivery is one round over the queue.
type delivery struct {
	outbox   *Outbox
	settings pbx.Mail
	now      time.Time
	session  *session
	sent     int            // over session
	unfit    *Error         // what the server or the settings lack: speaks for all mails of the round
	seen     map[int64]bool // guards against a queue that offers a mail twice
	stale    atomic.Bool    // the settings have changed: the rest of the mails is for the next round
	sending  context.Context
}

// end closes the connection.
func (d *delivery) end() {
	if d.session != nil {
		d.session.close()
	}
}

// job tries one mail and writes what came of it. It reports whether the round goes on.
func (d *delivery) job(ctx context.Context, j pbx.MailJob) bool {
	o := d.outbox
	if d.seen[j.ID] {
		o.deps.Log.Error("queue offers a mail twice in a round", "mail", j.ID)
		return false
	}
	d.seen[j.ID] = true
	var failure *Error
	level := slog.LevelWarn
	if d.unfit != nil {
		failure, level = d.unfit, slog.LevelDebug // one line tells it
	} else if err := d.try(d.sending, messageOf(j)); err != nil {
		failure = asError(err, StepContent)
	}
	switch {
	case failure == nil:
		o.deps.Log.Info("mail delivered", "mail", j.ID, "kind", j.Kind, "attempts", j.Attempts+1)
		// The server has the mail: that is written down even when the device goes down now.
		o.accepted = append(o.accepted, j.ID)
		written, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return o.confirm(written)
	case failure.Fault == FaultInterrupted:
		return false
	case !failure.aboutMail() && d.unfit == nil:
		d.unfit = failure
		o.hold = d.now.Add(holdAfterFault)
		switch failure.Fault {
		case FaultLogin, FaultPasswordsOff, FaultAppPassword, FaultTokenRefused:
			o.hold = d.now.Add(holdAfterRefusal)
		}
	}
	attempts, next := j.Attempts+1, time.Time{}
	if wait, again := delay(attempts); again && !failure.Permanent() {
		next = d.now.Add(wait)
	}
	reason := failure.What().Text() + " " + failure.Advice().Text()
	o.deps.Log.Log(ctx, level, "mail not delivered", "mail", j.ID, "kind", j.Kind, "attempts", attempts, "next", next, "error", failure)
	if err := o.deps.Queue.MailFailed(ctx, j.ID, attempts, next, reason); err != nil {
		o.deps.Log.Error("write failed attempt of a mail", "mail", j.ID, "error", err)
		return false
	}
	return true
}

// try sends one message, over the open connection when there is one. A mail
// that makes the client panic is given up: it would end the PBX at each start.
func (d *delivery) try(ctx context.Context, m Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			d.outbox.deps.Log.Error("panic while sending a mail", "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			if d.session != nil {
				d.session.drop()
				d.session = nil
			}
			err = &Error{Step: StepContent, Fault: FaultContent, Answer: "internal error"}
		}
	}()
	if d.session != nil && d.sent >= mailsPerSession {
		d.session.close()
		d.session = nil
	}
	reused := d.session != nil
	for {
		if d.session == nil {
			if d.session, err = d.outbox.openStored(ctx, d.settings); err != nil {
				d.session = nil
				return err
			}
			d.sent = 0
		}
		err = d.session.deliver(m)
		d.sent++
		if err == nil {
			return nil
		}
		e := asError(err, d.session.step)
		if e.aboutMail() {
			return e
		}
		d.session.drop()
		d.session = nil
		// Servers close connections after some mails. That tells nothing about this one, as long as its content was not sent.
		gone := e.Code == 0 || e.Code == 421
		if !reused || !gone || e.Step == StepContent || ctx.Err() != nil {
			return e
		}
		reused = false
	}
}
