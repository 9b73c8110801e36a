package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"galilei/pbxd/pbx"
)

// Bounds of the queue.
const (
	MaxWaiting   = 1000
	keepFailed   = 200                 // mails that were given up, for the screen
	keepFailedIn = 30 * 24 * time.Hour // and no older ones
)

// Errors of Enqueue.
var (
	ErrDisabled  = errors.New("e-mail delivery is switched off")
	ErrQueueFull = fmt.Errorf("queue of mails is full: %w", pbx.ErrTooMany)
	ErrTooLarge  = errors.New("mail is too large")
)

// Queue keeps mails over a restart. The store has it.
type Queue interface {
	// EnqueueMail adds a job in state waiting and returns its number.
	EnqueueMail(ctx context.Context, job pbx.MailJob) (id int64, err error)
	// DueMail returns at most limit waiting jobs whose Next is not after now, the earliest Next first.
	DueMail(ctx context.Context, now time.Time, limit int) ([]pbx.MailJob, error)
	// MailDone forgets a job that was delivered; one that is gone already is no error.
	MailDone(ctx context.Context, id int64) error
	// MailFailed writes how often the job was tried, when it is tried next and why it failed.
	// A zero next gives the job up: its state becomes failed.
	MailFailed(ctx context.Context, id int64, attempt int, next time.Time, reason string) error
	// MailJobs returns all jobs in both states, without their attachments and text.
	MailJobs(ctx context.Context) ([]pbx.MailJob, error)
	// DeleteMail forgets a job.
	DeleteMail(ctx context.Context, id int64) error
}

// Deps is what an Outbox needs.
type Deps struct {
	Config   func() *pbx.Config // the settings in force
	Queue    Queue
	Open     func(purpose string, s pbx.Sealed) (pbx.Secret, error) // opens a sealed secret
	Hostname func() string                                          // of the device, for EHLO and Message-ID
	Now      func() time.Time
	Log      *slog.Logger
	TLS      *x509.CertPool // authorities to trust; nil: those of the system
	// SaveRefreshToken stores, as MailPasswordPurpose, the refresh token that an
	// OAuth server gave in place of the stored one, unless that is no longer
	// the old one: then the account has been changed. May be nil.
	SaveRefreshToken func(ctx context.Context, old, new pbx.Secret) error
	// Dial connects to mail and OAuth servers; nil: the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Outbox sends what is queued. Its methods may be called at the same time.
type Outbox struct {
	deps   Deps
	reach  reach
	tokens *tokens
	wake   chan struct{}
	look   chan struct{} // the settings may have changed under a round

	enqueue sync.Mutex // counting and adding are one

	// Of the goroutine in Run.
	inForce  *pbx.Mail // settings that the last round saw
	hold     time.Time // no round before this: the server was just found unfit
	tidied   time.Time
	accepted []int64 // delivered, but the queue could not be told
}

// New makes an Outbox. Nothing is sent before Run.
func New(d Deps) *Outbox {
	r := reach{dial: d.Dial, roots: d.TLS, host: d.Hostname, limits: deviceLimits()}
	if r.dial == nil {
		r.dial = (&net.Dialer{}).DialContext
	}
	return &Outbox{deps: d, reach: r, tokens: newTokens(r, d.Now, d.SaveRefreshToken, d.Log), wake: make(chan struct{}, 1), look: make(chan struct{}, 1)}
}

// Enqueue takes a mail and returns its number. Only To, Subject, Text, Kind
// and Attachments of the job count. It fails with ErrDisabled when delivery is
// switched off, ErrQueueFull when MaxWaiting mails wait, ErrTooLarge over
// MaxText or MaxAttachments, and *Error for an address that cannot be used.
func (o *Outbox) Enqueue(ctx context.Context, job pbx.MailJob) (int64, error) {
	if !o.deps.Config().Mail.Enabled {
		return 0, fmt.Errorf("enqueue mail: %w", ErrDisabled)
	}
	if err := messageOf(job).check(); err != nil {
		return 0, fmt.Errorf("enqueue mail: %w", err)
	}
	o.enqueue.Lock()
	defer o.enqueue.Unlock()
	jobs, err := o.deps.Queue.MailJobs(ctx)
	if err != nil {
		return 0, fmt.Errorf("enqueue mail: count what waits: %w", err)
	}
	waiting := 0
	for _, j := range jobs {
		if j.State != stateFailed {
			waiting++
		}
	}
	if waiting >= MaxWaiting {
		return 0, fmt.Errorf("enqueue mail: %w: %d wait", ErrQueueFull, waiting)
	}
	now := o.deps.Now()
	id, err := o.deps.Queue.EnqueueMail(ctx, pbx.MailJob{
		Created: now, Next: now, To: job.To, Subject: line(job.Subject, maxSubject), Text: job.Text,
		Kind: job.Kind, State: stateWaiting, Attachments: job.Attachments,
	})
	if err != nil {
		return 0, fmt.Errorf("enqueue mail: %w", err)
	}
	o.Configured()
	return id, nil
}

// Configured wakes the queue. After a change of the mail settings it tries all
// that waits at once, and leaves what is under way with the settings of before.
// It never blocks.
func (o *Outbox) Configured() {
	for _, c := range []chan struct{}{o.look, o.wake} {
		select {
		case c <- struct{}{}:
		default: // it is awake already
		}
	}
}

// poll is how often the queue is looked at when nothing wakes it. The wall
// clock may be set at any time, so that no timer can know when a mail is due.
const poll = 15 * time.Second

// Run sends mails until ctx ends.
func (o *Outbox) Run(ctx context.Context) {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		o.round(ctx)
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		case <-ticker.C:
		}
	}
}

// Send sends one message at once, past the queue. For xoauth2, password is the
// access token. Its errors are *Error.
func (o *Outbox) Send(ctx context.Context, settings pbx.MailSettings, password pbx.Secret, m Message) error {
	if _, _, _, err := compose(settings, m, "localhost"); err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	s, err := o.reach.open(ctx, settings, login{settings.UserName, password.Reveal()}, nil)
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	if err := s.deliver(m); err != nil {
		s.drop()
		return fmt.Errorf("send mail: %w", err)
	}
	s.close()
	return nil
}
