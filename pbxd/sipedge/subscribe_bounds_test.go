package sipedge_test

import (
	"slices"
	"sync/atomic"
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge"
)

// shortest lets subscriptions of a second be granted.
func shortest(d *sipedge.Deps) {
	cfg := d.Config()
	cfg.SIP.MinExpires = 1
	d.Config = func() *pbx.Config { return cfg }
}

// A subscription that is not refreshed ends, and its phone is told (RFC 6665
// section 4.2.2); asking with 0 tells the state once.
func TestSubscriptionExpires(t *testing.T) {
	o := newOffice(t, shortest)
	w := o.phone("103")
	w.RequestWith("SUBSCRIBE", "102", watch+"Expires: 1\r\n", "", "")
	notified(w)
	if m := notified(w); m.Get("Subscription-State") != "terminated;reason=timeout" {
		t.Errorf("state is %q, want terminated;reason=timeout", m.Get("Subscription-State"))
	}
	o.unsubscribed()
	w.RequestWith("SUBSCRIBE", "102", watch+"Expires: 0\r\n", "", "")
	if m := notified(w); m.Get("Subscription-State") != "terminated;reason=timeout" || m.Body == "" {
		t.Errorf("asked once: state is %q with %q, want terminated with the calls", m.Get("Subscription-State"), m.Body)
	}
	o.unsubscribed()
}

// A new configuration ends what it does not permit any more.
func TestConfigurationEndsSubscriptions(t *testing.T) {
	var cfg *pbx.Config
	var strict atomic.Bool
	o := newOffice(t, func(d *sipedge.Deps) {
		cfg = d.Config()
		d.MayWatch = func(_, watched string) bool { return watched != "101" || !strict.Load() }
	})
	w, x := o.phone("103"), o.phone("103")
	w.RequestWith("SUBSCRIBE", "102", watch, "", "")
	notified(w)
	x.RequestWith("SUBSCRIBE", "101", watch, "", "")
	notified(x)
	strict.Store(true)
	next := cfg.Clone()
	next.Users = slices.DeleteFunc(next.Users, func(u pbx.User) bool { return u.Extension == "102" })
	o.edge.Configured(cfg, next)
	if m := notified(w); m.Get("Subscription-State") != "terminated;reason=noresource" {
		t.Errorf("of a user who is gone the state is %q, want noresource", m.Get("Subscription-State"))
	}
	if m := notified(x); m.Get("Subscription-State") != "terminated;reason=rejected" {
		t.Errorf("of a user who may not be watched the state is %q, want rejected", m.Get("Subscription-State"))
	}
	o.unsubscribed()
}

// An extension holds a bounded number of subscriptions: the oldest gives way.
func TestSubscriptionsAreBounded(t *testing.T) {
	const most = 250
	o := newOffice(t)
	w := o.phone("103")
	_, first := w.RequestWith("SUBSCRIBE", "102", watch, "", "")
	notified(w)
	for range most {
		if res, _ := w.RequestWith("SUBSCRIBE", "102", watch, "", ""); res.Status() != 200 {
			t.Fatalf("SUBSCRIBE got %s", res.Start)
		}
		notified(w)
	}
	if n := o.edge.Counts().Subscriptions; n != most {
		t.Errorf("%d subscriptions are held, want %d", n, most)
	}
	first.SendWith("SUBSCRIBE", watch, "", "")
	w.Response("SUBSCRIBE", 481)
}
