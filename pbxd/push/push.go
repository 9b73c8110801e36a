// Package push brings text messages to users (F096): to their phones at once,
// and into the store, where those that no phone took can be read in the page.
package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"galilei/pbxd/pbx"
)

// Limits.
const (
	MaxReceivers = 1000 // of one message
	maxWaiting   = 4096 // deliveries; beyond, messages are only kept
	maxArriving  = 64   // messages of phones that wait to be kept
	workers      = 8    // deliveries at a time
	deliverTime  = 10 * time.Second
	perMinute    = 30 // messages of one sender, of the page and of phones together
)

// Errors of Send.
var (
	ErrText      = errors.New("a message has 1 to 1000 characters, and no control characters")
	ErrReceivers = errors.New("a message has 1 to 1000 receivers")
	ErrRate      = errors.New("a sender has 30 messages a minute")
)

// Store keeps messages.
type Store interface {
	// AddTexts keeps a message for each of users and returns its numbers.
	AddTexts(ctx context.Context, users []string, m pbx.Text) ([]int64, error)
	TextDelivered(ctx context.Context, id int64) error
}

// Deps is what the delivery needs.
type Deps struct {
	Config func() *pbx.Config
	Store  Store
	// Phone sends a text to the phones of an extension and returns when one has
	// taken it.
	Phone   func(ctx context.Context, extension string, from Sender, body string) error
	Changed func(user string) // the messages of a user, by ID, are others; does not block
	Now     func() time.Time
	Log     *slog.Logger
}

// Sender is who sends a message.
type Sender struct {
	UserID string
	Number string // extension; "" of an administrator without one
	Name   string
}

// Sent says what became of a message at first.
type Sent struct {
	Receivers int      // for whom it is kept, and whose phones are tried
	Refused   []string // IDs of those who take no messages of the sender
}

// Delivery delivers messages.
type Delivery struct {
	deps     Deps
	waiting  chan one
	arriving chan arrival

	mu     sync.Mutex
	minute time.Time      // that is counted
	counts map[string]int // messages in it, by ID of the sender
}

// one is a message on its way to one user.
type one struct {
	id   int64
	user string
	from Sender
	body string
}

type arrival struct {
	from Sender
	to   []string // IDs of users
	body string
}

// New returns a Delivery that waits for Run.
func New(d Deps) *Delivery {
	return &Delivery{deps: d, waiting: make(chan one, maxWaiting), arriving: make(chan arrival, maxArriving), counts: map[string]int{}}
}

// Send keeps a message for users, by their IDs, and has it sent to their phones.
// It waits for the store, not for the phones. The error is ErrText,
// ErrReceivers, ErrRate or that of the store.
func (d *Delivery) Send(ctx context.Context, from Sender, to []string, body string) (Sent, error) {
	if n := utf8.RuneCountInString(body); n == 0 || n > pbx.MaxText || !pbx.PlainText(body) {
		return Sent{}, fmt.Errorf("text of %d characters: %w", n, ErrText)
	}
	if len(to) == 0 || len(to) > MaxReceivers {
		return Sent{}, fmt.Errorf("text to %d users: %w", len(to), ErrReceivers)
	}
	if !d.counted(from.UserID) {
		return Sent{}, fmt.Errorf("text of %s: %w", from.Name, ErrRate)
	}
	return d.keep(ctx, from, to, body)
}

// Takes reports whether a user takes messages of a sender: the permission
// Receive push messages towards the sender.
func Takes(c *pbx.Config, user *pbx.User, from string) bool {
	sender := c.UserByID(from)
	return sender != nil && c.May(user, pbx.PermitPushMessages, sender)
}

func (d *Delivery) keep(ctx context.Context, from Sender, to []string, body string) (sent Sent, err error) {
	cfg := d.deps.Config()
	var ids []string
	known := map[string]bool{}
	for _, id := range to {
		u := cfg.UserByID(id)
		if u == nil || known[id] {
			continue
		}
		known[id] = true
		if !Takes(cfg, u, from.UserID) {
			sent.Refused = append(sent.Refused, id)
			continue
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return sent, nil
	}
	numbers, err := d.deps.Store.AddTexts(ctx, ids, pbx.Text{Number: from.Number, Name: from.Name, Time: d.deps.Now(), Body: body})
	if err != nil {
		return Sent{}, fmt.Errorf("text to %d users: %w", len(ids), err)
	}
	sent.Receivers = len(ids)
	for i, id := range ids {
		d.deps.Changed(id)
		select {
		case d.waiting <- one{numbers[i], id, from, body}:
		default:
			d.deps.Log.Warn("message kept, but sent to no phone: too many are on their way", "waiting", maxWaiting)
		}
	}
	return sent, nil
}

// FromPhone takes the message of a phone to a dialled number, that of a user or
// of a hunt group, and does not block. It returns why it is not taken, or 0:
// pbx.CauseUnallocated when nobody has the number or takes messages of the
// sender, pbx.CauseCongestion when there are too many.
func (d *Delivery) FromPhone(extension, number, body string) pbx.Cause {
	cfg := d.deps.Config()
	from := cfg.UserByExtension(extension)
	if from == nil || body == "" {
		return pbx.CauseUnallocated
	}
	to := slices.DeleteFunc(reachedBy(cfg, number), func(id string) bool { return id == from.ID || !Takes(cfg, cfg.UserByID(id), from.ID) })
	switch {
	case len(to) == 0:
		return pbx.CauseUnallocated
	case !d.counted(from.ID):
		return pbx.CauseCongestion
	}
	select {
	case d.arriving <- arrival{Sender{from.ID, from.Extension, from.DisplayName()}, to, body}:
		return 0
	default:
		d.deps.Log.Warn("message of a phone not taken: too many wait", "from", extension, "waiting", maxArriving)
		return pbx.CauseCongestion
	}
}

// reachedBy returns who has a number: a user, or the members of a hunt group.
func reachedBy(c *pbx.Config, number string) (ids []string) {
	if u := c.UserByExtension(number); u != nil {
		return []string{u.ID}
	}
	for i := range c.HuntGroups {
		if g := &c.HuntGroups[i]; g.Extension == number {
			for _, m := range g.Members {
				if c.UserByID(m.User) != nil {
					ids = append(ids, m.User)
				}
			}
		}
	}
	return ids
}

// counted reports whether a user, by ID, may send one more message in this
// minute.
func (d *Delivery) counted(user string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.deps.Now().Truncate(time.Minute); !now.Equal(d.minute) {
		d.minute = now
		clear(d.counts)
	}
	d.counts[user]++
	return d.counts[user] <= perMinute
}

// Run delivers messages until ctx ends. Those that no phone has taken stay in
// the store.
func (d *Delivery) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for range workers {
		wg.Go(func() {
			for {
				select {
				case m := <-d.waiting:
					d.deliver(ctx, m)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	for {
		select {
		case a := <-d.arriving:
			if _, err := d.keep(ctx, a.from, a.to, a.body); err != nil {
				d.deps.Log.Error("message of a phone lost", "from", a.from.Number, "err", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

func (d *Delivery) deliver(ctx context.Context, m one) {
	u := d.deps.Config().UserByID(m.user)
	if u == nil || u.Extension == "" {
		return
	}
	sending, cancel := context.WithTimeout(ctx, deliverTime)
	defer cancel()
	if err := d.deps.Phone(sending, u.Extension, m.from, m.body); err != nil {
		d.deps.Log.Info("no phone has taken a message; it is kept for the page", "extension", u.Extension, "err", err)
		return
	}
	if err := d.deps.Store.TextDelivered(ctx, m.id); err != nil {
		d.deps.Log.Error("delivery of a message not noted", "err", err)
		return
	}
	d.deps.Changed(m.user)
}
