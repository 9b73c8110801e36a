package toll

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata" // days are those of a zone

	"galilei/pbxd/pbx"
)

// book is a ledger with everything that it tells, in a bubble whose time begins on
// 2000-01-01: the clock is later by ahead.
type book struct {
	*Ledger
	t     *testing.T
	ahead time.Duration

	mu     sync.Mutex
	cfg    *pbx.Config
	told   []pbx.TollAlarm
	over   []string
	spoken []pbx.Spoken
	since  []time.Time // that was asked for
	until  time.Time   // the last time
	err    error
}

// noon is the beginning of the tests, in Berlin.
var noon = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

func inBook(t *testing.T, play func(b *book), set ...func(b *book)) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{t: t, cfg: pbx.Factory(pbx.Defaults{}), ahead: time.Until(noon)}
		b.cfg.Locale.TimeZone = "Europe/Berlin"
		g := pbx.Gateway{ID: "g1"}
		g.Name = "Line"
		b.cfg.Gateways = []pbx.Gateway{g}
		for _, f := range set {
			f(b)
		}
		b.Ledger = New(Deps{
			Config: func() *pbx.Config { b.mu.Lock(); defer b.mu.Unlock(); return b.cfg },
			Spoken: func(_ context.Context, since, until time.Time) ([]pbx.Spoken, error) {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.since, b.until = append(b.since, since), until
				return b.spoken, b.err
			},
			Tell: func(a pbx.TollAlarm) { b.mu.Lock(); defer b.mu.Unlock(); b.told = append(b.told, a) },
			Now:  func() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return time.Now().Add(b.ahead) },
			Log:  slog.New(slog.DiscardHandler),
		})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { b.Run(ctx); close(done) }()
		synctest.Wait()
		play(b)
		stop()
		<-done
	})
}

// begin begins a call that is answered at once.
func (b *book) begin(user string, class pbx.TollClass) uint64 {
	b.t.Helper()
	ticket, said, refused := b.Begin(user, "g1", class, func(why pbx.Message) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.over = append(b.over, user+": "+why.Text())
	})
	if refused != 0 || ticket == 0 {
		b.t.Fatalf("%s is refused: %v %v", user, refused, said)
	}
	b.Answered(ticket)
	return ticket
}

func (b *book) refuses(user string, class pbx.TollClass, cause pbx.Cause, words string) {
	b.t.Helper()
	ticket, said, refused := b.Begin(user, "g1", class, nil)
	if ticket != 0 || refused != cause || len(said) == 0 || said[0].Text() != words {
		b.t.Errorf("ticket %d, cause %d, %v; want %d, %s", ticket, refused, said, cause, words)
	}
}

// wants compares what was told since the last time.
func (b *book) wants(told ...pbx.TollAlarm) {
	b.t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.told, told) {
		b.t.Errorf("told %+v, want %+v", b.told, told)
	}
	b.told = nil
}

func (b *book) ends(want ...string) {
	b.t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.over, want) {
		b.t.Errorf("ended %q, want %q", b.over, want)
	}
	b.over = nil
}

func (b *book) set(f func(*pbx.Toll)) {
	b.mu.Lock()
	b.cfg = b.cfg.Clone()
	f(&b.cfg.Toll)
	b.mu.Unlock()
	b.Configured()
	synctest.Wait()
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// One call of a whole night is told of at 80 %, and ends at the limit.
func TestCallEndsAtTheLimit(t *testing.T) {
	inBook(t, func(b *book) {
		ticket := b.begin("demo101", pbx.TollForeign)
		time.Sleep(minutes(96) - 1)
		b.wants()
		time.Sleep(1 * time.Nanosecond)
		b.wants(pbx.TollAlarm{User: "demo101", Class: pbx.TollForeign, Spoken: 96, Limit: 120})
		time.Sleep(minutes(24) - 1)
		b.ends()
		time.Sleep(1 * time.Nanosecond)
		b.ends("demo101: Anna Demo (101) has spoken 120 of 120 minutes to other countries today")
		b.wants(pbx.TollAlarm{User: "demo101", Class: pbx.TollForeign, Spoken: 120, Limit: 120, Reached: true})
		b.End(ticket)
		b.refuses("demo101", pbx.TollForeign, pbx.CauseNotAuthorised, "Anna Demo (101) has spoken 120 of 120 minutes to other countries today")
		b.End(b.begin("demo101", pbx.TollNational))
		b.End(b.begin("demo101", pbx.TollPremium))
		b.End(b.begin("demo102", pbx.TollForeign))
		b.wants() // once is enough
		if s := b.GatewayToll("g1"); s.Foreign != minutes(120) || s.Calls != 0 {
			t.Errorf("the gateway: %+v", s)
		}
	})
}

// Calls at the same time share what is left.
func TestCallsShareTheLimit(t *testing.T) {
	inBook(t, func(b *book) {
		one := b.begin("demo101", pbx.TollPremium)
		time.Sleep(minutes(5))
		two := b.begin("demo101", pbx.TollPremium)
		other := b.begin("demo102", pbx.TollPremium)
		time.Sleep(minutes(5) - 1)
		b.ends()
		time.Sleep(1 * time.Nanosecond)
		b.ends("demo101: Anna Demo (101) has spoken 15 of 15 minutes to premium numbers today", "demo101: Anna Demo (101) has spoken 15 of 15 minutes to premium numbers today")
		b.End(one)
		b.End(two)
		b.End(other)
		b.End(other) // twice is once
		if s := b.UserToll("demo101"); s != (pbx.TollState{Premium: minutes(15)}) {
			t.Errorf("101: %+v", s)
		}
		if s := b.GatewayToll("g1"); s != (pbx.TollState{Premium: minutes(20)}) {
			t.Errorf("the gateway: %+v", s)
		}
	})
}

// A gateway has limits of its own, whoever calls.
func TestLimitOfGateway(t *testing.T) {
	inBook(t, func(b *book) {
		b.set(func(x *pbx.Toll) { x.GatewayForeignMinutes = 10 })
		b.begin("demo101", pbx.TollForeign)
		b.begin("demo102", pbx.TollForeign)
		b.begin("demo103", pbx.TollNational)
		time.Sleep(minutes(4))
		b.wants(pbx.TollAlarm{Gateway: "g1", Class: pbx.TollForeign, Spoken: 8, Limit: 10})
		time.Sleep(minutes(1))
		synctest.Wait()
		b.mu.Lock()
		slices.Sort(b.over)
		b.mu.Unlock()
		b.ends("demo101: 10 of 10 minutes to other countries were spoken over Line today", "demo102: 10 of 10 minutes to other countries were spoken over Line today")
		b.wants(pbx.TollAlarm{Gateway: "g1", Class: pbx.TollForeign, Spoken: 10, Limit: 10, Reached: true})
	})
}

// A new day begins at midnight of the device's zone, also for a call that goes on.
func TestMidnight(t *testing.T) {
	inBook(t, func(b *book) {
		time.Sleep(10*time.Hour + minutes(24)) // 22:24 in Berlin
		ticket := b.begin("demo101", pbx.TollForeign)
		time.Sleep(minutes(96) - time.Second)
		b.wants()
		if a := b.Alarms(); len(a) != 0 {
			t.Errorf("alarms %+v", a)
		}
		b.set(func(x *pbx.Toll) { x.AlarmPercent = 50 })
		b.wants(pbx.TollAlarm{User: "demo101", Class: pbx.TollForeign, Spoken: 95, Limit: 120})
		if a := b.Alarms(); len(a) != 1 || a[0].Reached {
			t.Errorf("alarms %+v", a)
		}
		time.Sleep(time.Second + minutes(3))
		if s := b.UserToll("demo101"); s != (pbx.TollState{Calls: 1, Foreign: minutes(3)}) {
			t.Errorf("after midnight: %+v", s)
		}
		if a := b.Alarms(); len(a) != 0 {
			t.Errorf("alarms of yesterday: %+v", a)
		}
		time.Sleep(minutes(57))
		b.wants(pbx.TollAlarm{User: "demo101", Class: pbx.TollForeign, Spoken: 60, Limit: 120})
		time.Sleep(minutes(60) - 1)
		b.ends()
		time.Sleep(1 * time.Nanosecond)
		b.ends("demo101: Anna Demo (101) has spoken 120 of 120 minutes to other countries today")
		b.End(ticket)
	})
}

// A limit that is raised takes the alarm away, lets calls go on, and can be
// reached again.
func TestRaisedLimit(t *testing.T) {
	inBook(t, func(b *book) {
		ticket := b.begin("demo101", pbx.TollForeign)
		time.Sleep(minutes(100))
		b.wants(pbx.TollAlarm{User: "demo101", Class: pbx.TollForeign, Spoken: 96, Limit: 120})
		b.set(func(x *pbx.Toll) { x.ForeignMinutes = 200 })
		if a := b.Alarms(); len(a) != 0 {
			t.Errorf("alarms %+v", a)
		}
		time.Sleep(minutes(60))
		b.wants(pbx.TollAlarm{User: "demo101", Class: pbx.TollForeign, Spoken: 160, Limit: 200})
		b.ends()
		b.set(func(x *pbx.Toll) { x.ForeignMinutes = 0 })
		time.Sleep(minutes(300))
		b.ends()
		b.wants()
		b.set(func(x *pbx.Toll) { x.ForeignMinutes = 100 })
		b.ends("demo101: Anna Demo (101) has spoken 460 of 100 minutes to other countries today")
		b.End(ticket)
	})
}

// Calls that begin at the same moment never exceed the number that is allowed.
func TestCallsAtOnce(t *testing.T) {
	inBook(t, func(b *book) {
		tickets := make(chan uint64, 100)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if ticket, _, refused := b.Begin("demo101", "g1", pbx.TollNational, nil); refused == 0 {
					tickets <- ticket
				}
			})
		}
		wg.Wait()
		if len(tickets) != 4 {
			t.Fatalf("%d calls have begun, want 4", len(tickets))
		}
		b.refuses("demo101", pbx.TollNational, pbx.CauseUserBusy, "Anna Demo (101) has 4 calls to the outside; at most 4 are allowed")
		b.End(<-tickets)
		b.begin("demo101", pbx.TollNational)
		b.begin("demo102", pbx.TollNational)
	})
}

// What was spoken before a restart counts, and is not told again.
func TestLoad(t *testing.T) {
	inBook(t, func(b *book) {
		if want := time.Date(2026, 3, 1, 23, 0, 0, 0, time.UTC); len(b.since) != 1 || !b.since[0].Equal(want) {
			t.Fatalf("asked for %v, want since %v", b.since, want)
		}
		if s := b.UserToll("demo101"); s.Foreign != minutes(110) {
			t.Errorf("%+v", s)
		}
		b.wants()
		ticket := b.begin("demo101", pbx.TollForeign)
		time.Sleep(minutes(10))
		b.ends("demo101: Anna Demo (101) has spoken 120 of 120 minutes to other countries today")
		b.wants(pbx.TollAlarm{User: "demo101", Class: pbx.TollForeign, Spoken: 120, Limit: 120, Reached: true})
		b.End(ticket)
		b.refuses("demo102", pbx.TollPremium, pbx.CauseNotAuthorised, "Ben Demo (102) has spoken 16 of 15 minutes to premium numbers today")
		if s := b.GatewayToll("g1"); s.Foreign != minutes(120) || s.Premium != minutes(16) {
			t.Errorf("the gateway: %+v", s)
		}
	}, func(b *book) {
		b.spoken = []pbx.Spoken{{User: "demo101", Gateway: "g1", Class: pbx.TollForeign, Talk: minutes(110)}, {User: "demo102", Gateway: "g1", Class: pbx.TollPremium, Talk: minutes(16)},
			{User: "demo102", Gateway: "g1", Class: pbx.TollNational, Talk: minutes(600)}}
	})
}

// The records are asked once the clock is set; what was spoken since the start
// counts all the same.
func TestClockIsSetLater(t *testing.T) {
	inBook(t, func(b *book) {
		ticket := b.begin("demo101", pbx.TollForeign)
		time.Sleep(minutes(10))
		b.End(ticket)
		if s := b.UserToll("demo101"); s.Foreign != minutes(10) || len(b.since) != 0 {
			t.Errorf("%+v, asked %v", s, b.since)
		}
		b.mu.Lock()
		b.ahead = time.Until(noon)
		b.mu.Unlock()
		ticket = b.begin("demo101", pbx.TollForeign)
		time.Sleep(minutes(1)) // the next look, at the latest
		synctest.Wait()
		if s := b.UserToll("demo101"); s.Foreign != minutes(111) || len(b.since) != 1 {
			t.Errorf("%+v, asked %v", s, b.since)
		}
		b.ends()
		time.Sleep(minutes(9))
		b.ends("demo101: Anna Demo (101) has spoken 120 of 120 minutes to other countries today")
		b.End(ticket)
	}, func(b *book) {
		b.ahead = 0
		b.spoken = []pbx.Spoken{{User: "demo101", Gateway: "g1", Class: pbx.TollForeign, Talk: minutes(100)}}
	})
}

// Without a clock a day ends, too.
func TestClockIsNeverSet(t *testing.T) {
	inBook(t, func(b *book) {
		ticket := b.begin("demo101", pbx.TollForeign)
		time.Sleep(minutes(120))
		b.ends("demo101: Anna Demo (101) has spoken 120 of 120 minutes to other countries today")
		b.End(ticket)
		time.Sleep(24 * time.Hour)
		b.End(b.begin("demo101", pbx.TollForeign))
		if len(b.since) != 0 {
			t.Errorf("asked for %v", b.since)
		}
	}, func(b *book) { b.ahead = 0 })
}

// Records that cannot be read stop no call, and count once they can be: those of
// before the start, since the calls that followed count already.
func TestRecordsUnreadable(t *testing.T) {
	inBook(t, func(b *book) {
		ticket := b.begin("demo101", pbx.TollForeign)
		time.Sleep(minutes(3))
		b.End(ticket)
		b.mu.Lock()
		b.err = nil
		b.mu.Unlock()
		time.Sleep(minutes(2))
		if s := b.UserToll("demo101"); s.Foreign != minutes(53) || !b.until.Equal(noon) {
			t.Errorf("%+v, asked for until %v", s, b.until)
		}
		asked := len(b.since)
		time.Sleep(minutes(2))
		if len(b.since) != asked {
			t.Errorf("asked again")
		}
	}, func(b *book) {
		b.err, b.spoken = errors.New("the disk is gone"), []pbx.Spoken{{User: "demo101", Gateway: "g1", Class: pbx.TollForeign, Talk: minutes(50)}}
	})
}
