package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

// kept is a store and the phones of an office: 101 takes messages, 102 is slow,
// 103 has no phone.
type kept struct {
	mu        sync.Mutex
	texts     []string
	delivered []int64
	changed   []string
	err       error
}

func (k *kept) AddTexts(_ context.Context, users []string, m pbx.Text) (ids []int64, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return nil, k.err
	}
	for _, u := range users {
		k.texts = append(k.texts, fmt.Sprintf("%s<%s:%s", u, m.Number, m.Body))
		ids = append(ids, int64(len(k.texts)))
	}
	return ids, nil
}

func (k *kept) TextDelivered(_ context.Context, id int64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.delivered = append(k.delivered, id)
	return nil
}

func office(t *testing.T, change func(*pbx.Config)) (*Delivery, *kept) {
	k := &kept{}
	c := pbx.Factory(pbx.Defaults{})
	change(c)
	d := New(Deps{
		Config: func() *pbx.Config { return c }, Store: k, Now: time.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Changed: func(user string) { k.mu.Lock(); k.changed = append(k.changed, user); k.mu.Unlock() },
		Phone: func(ctx context.Context, extension string, from Sender, body string) error {
			switch extension {
			case "101":
				return nil
			case "102":
				<-ctx.Done()
			}
			return errors.New("no phone")
		},
	})
	return d, k
}

func TestSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, k := office(t, func(c *pbx.Config) {
			for i := range c.PermissionGroups { // everybody but Clara takes messages, of visible users
				g := &c.PermissionGroups[i]
				g.Permissions = slices.DeleteFunc(g.Permissions, func(p pbx.GroupPermission) bool { return p.Permission == pbx.PermitPushMessages })
			}
			c.PermissionGroups = append(c.PermissionGroups, pbx.PermissionGroup{ID: "some", PermissionGroupSettings: pbx.PermissionGroupSettings{
				Name: "Some", Type: "user", Members: []string{"demo101", "demo102"}, Permissions: []pbx.GroupPermission{{Permission: pbx.PermitPushMessages, AppliesTo: pbx.GroupVisibleUsers}}}})
		})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { d.Run(ctx); close(done) }()
		from := Sender{"demo103", "103", "Clara Demo"}
		sent, err := d.Send(ctx, from, []string{"demo101", "demo102", "demo103", "demo101", "gone"}, "Lunch")
		if err != nil || sent.Receivers != 2 || len(sent.Refused) != 1 || sent.Refused[0] != "demo103" {
			t.Errorf("%+v, %v", sent, err)
		}
		time.Sleep(2 * deliverTime)
		synctest.Wait()
		if got := strings.Join(k.texts, " "); got != "demo101<103:Lunch demo102<103:Lunch" || !slices.Equal(k.delivered, []int64{1}) {
			t.Errorf("kept %s, delivered %v", got, k.delivered)
		}
		if got := strings.Join(k.changed, " "); got != "demo101 demo102 demo101" {
			t.Errorf("changed %s", got)
		}
		if sent, err := d.Send(ctx, Sender{UserID: pbx.AdminID}, []string{"demo101"}, "x"); err != nil || len(sent.Refused) != 1 {
			t.Errorf("of somebody who is not visible: %+v, %v", sent, err)
		}
		if _, err := d.Send(ctx, from, []string{"demo101"}, strings.Repeat("ü", 1001)); !errors.Is(err, ErrText) {
			t.Errorf("too long: %v", err)
		}
		if _, err := d.Send(ctx, from, []string{"demo101"}, "a\x00\x1b[2J"); !errors.Is(err, ErrText) {
			t.Errorf("control characters: %v", err)
		}
		if _, err := d.Send(ctx, from, nil, "x"); !errors.Is(err, ErrReceivers) {
			t.Errorf("to nobody: %v", err)
		}
		k.err = errors.New("disk")
		if _, err := d.Send(ctx, from, []string{"demo101"}, "x"); !errors.Is(err, k.err) {
			t.Errorf("the disk fails: %v", err)
		}
		k.err = nil
		time.Sleep(time.Minute)
		for i := range perMinute + 1 {
			if _, err := d.Send(ctx, from, []string{"demo101"}, "Flood"); errors.Is(err, ErrRate) != (i == perMinute) {
				t.Errorf("message %d of a minute: %v", i, err)
			}
		}
		if _, err := d.Send(ctx, Sender{"demo101", "101", "Anna Demo"}, []string{"demo102"}, "x"); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		stop()
		<-done
	})
}

func TestFromPhone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, k := office(t, func(c *pbx.Config) {
			c.HuntGroups = []pbx.HuntGroup{{ID: "yard", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Members: []pbx.HuntMember{{User: "demo101"}, {User: "demo102"}, {User: "gone"}}}},
				{ID: "none", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "601"}}}
		})
		for _, m := range []struct {
			from, to, body string
			want           pbx.Cause
		}{
			{"102", "101", "Hello", 0}, {"102", "999", "Hello", pbx.CauseUnallocated}, {"999", "101", "Hello", pbx.CauseUnallocated},
			{"102", "101", "", pbx.CauseUnallocated}, {"102", "600", "Yard", 0}, {"102", "601", "Nobody", pbx.CauseUnallocated},
			{"102", "102", "Myself", pbx.CauseUnallocated},
		} {
			if got := d.FromPhone(m.from, m.to, m.body); got != m.want {
				t.Errorf("%q of %s to %s: %v, want %v", m.body, m.from, m.to, got, m.want)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { d.Run(ctx); close(done) }()
		synctest.Wait()
		if got := strings.Join(k.texts, " "); got != "demo101<102:Hello demo101<102:Yard" {
			t.Errorf("kept %s", got)
		}
		taken := 0
		for range 3 * perMinute {
			switch d.FromPhone("102", "101", "Flood") {
			case 0:
				taken++
			case pbx.CauseCongestion:
			default:
				t.Fatal("too many are no unknown number")
			}
			synctest.Wait()
		}
		if taken != perMinute-2 || len(k.delivered) != perMinute {
			t.Errorf("%d more messages in a minute, %d delivered; want %d and %d", taken, len(k.delivered), perMinute-2, perMinute)
		}
		if _, err := d.Send(ctx, Sender{"demo102", "102", "Ben Demo"}, []string{"demo101"}, "Flood"); !errors.Is(err, ErrRate) {
			t.Errorf("as many again from the page: %v", err)
		}
		time.Sleep(time.Minute)
		if d.FromPhone("102", "101", "Later") != 0 {
			t.Error("a minute later still too many")
		}
		stop()
		<-done
		for range maxArriving + 1 {
			d.FromPhone("103", "101", "Nobody keeps it")
			time.Sleep(time.Minute)
		}
		if d.FromPhone("103", "101", "One more") != pbx.CauseCongestion {
			t.Error("messages wait without bound")
		}
	})
}
