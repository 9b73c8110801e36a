package sipedge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"galilei/pbxd/pbx"
)

// DeskStore keeps who is logged in at which phone (F072).
type DeskStore interface {
	Desks(ctx context.Context) ([]pbx.Desk, error)
	// LogIn makes a user logged in at a phone and nowhere else.
	LogIn(ctx context.Context, d pbx.Desk) error
	// LogOut gives a user, by ID, the own phone back: the user is logged in at no
	// other one, and nobody else at this one.
	LogOut(ctx context.Context, user string) error
}

// desks tells which user acts at which phone. A phone here is all that is
// registered on the extension of its own user; it keeps registering as that. A
// user who is logged in at another phone is reached there alone, and the own
// phone makes emergency calls only until somebody logs in or out at it.
type desks struct {
	config func() *pbx.Config
	store  DeskStore // nil: nobody logs in

	changing sync.Mutex // held while the store is written
	mu       sync.Mutex
	at       map[string]pbx.Desk // by ID of the phone's own user
}

func newDesks(ctx context.Context, d Deps) (*desks, error) {
	k := &desks{config: d.Config, store: d.Desks, at: map[string]pbx.Desk{}}
	if k.store == nil {
		return k, nil
	}
	list, err := k.store.Desks(ctx)
	if err != nil {
		return nil, err
	}
	for _, desk := range list {
		k.at[desk.Phone] = desk
	}
	return k, nil
}

// holds reports whether a log-in counts: both users have extensions, and the
// one who is logged in still may.
func (k *desks) holds(cfg *pbx.Config, d pbx.Desk) (phone, user *pbx.User, ok bool) {
	phone, user = cfg.UserByID(d.Phone), cfg.UserByID(d.User)
	ok = phone != nil && user != nil && phone.Extension != "" && user.Extension != "" && cfg.Holds(user, pbx.PermitHotDesking)
	return phone, user, ok
}

// whereLocked returns the phone at which a user is logged in.
func (k *desks) whereLocked(cfg *pbx.Config, id string) (phone *pbx.User, ok bool) {
	for _, d := range k.at {
		if d.User != id {
			continue
		}
		if phone, _, ok := k.holds(cfg, d); ok {
			return phone, true
		}
	}
	return nil, false
}

// acting returns who acts at the phone of own, and whether nobody does, since
// own is logged in at another one.
func (k *desks) acting(cfg *pbx.Config, own *pbx.User) (u *pbx.User, away bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if d, taken := k.at[own.ID]; taken {
		if _, u, ok := k.holds(cfg, d); ok {
			return u, false
		}
	}
	_, away = k.whereLocked(cfg, own.ID)
	return own, away
}

// phoneOf returns the extension on which the phone of a user is registered, or
// "" when another user has it and the user is nowhere.
func (k *desks) phoneOf(extension string) string {
	cfg := k.config()
	u := cfg.UserByExtension(extension)
	if u == nil {
		return extension
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if phone, ok := k.whereLocked(cfg, u.ID); ok {
		return phone.Extension
	}
	if d, taken := k.at[u.ID]; taken {
		if _, _, ok := k.holds(cfg, d); ok {
			return ""
		}
	}
	return extension
}

// shown makes of a fact of what is registered on an extension the fact of who
// is reached there: none of a phone that nobody acts at.
func (k *desks) shown(f pbx.Fact) pbx.Fact {
	cfg := k.config()
	own := cfg.UserByExtension(f.Extension)
	if f.Kind != pbx.FactRegistration || own == nil {
		return f
	}
	u, away := k.acting(cfg, own)
	switch {
	case away:
		return pbx.Fact{}
	case u != own:
		f.Extension, f.Registrations = u.Extension, slices.Clone(f.Registrations)
		for i := range f.Registrations {
			f.Registrations[i].Extension, f.Registrations[i].Phone = u.Extension, own.Extension
		}
	}
	return f
}

// change applies what write has kept, and returns the extensions whose phones
// are others now.
func (k *desks) change(write func() error, apply func(at map[string]pbx.Desk)) (changed []string, err error) {
	if k.store == nil {
		return nil, errors.New("nobody can be logged in at phones: there is nothing to keep it")
	}
	k.changing.Lock()
	defer k.changing.Unlock()
	if err := write(); err != nil {
		return nil, err
	}
	k.mu.Lock()
	before := maps.Clone(k.at)
	apply(k.at)
	touched := map[string]bool{}
	for _, list := range []map[string]pbx.Desk{before, k.at} {
		for _, d := range list {
			if before[d.Phone] != k.at[d.Phone] {
				touched[d.Phone], touched[d.User] = true, true
			}
		}
	}
	k.mu.Unlock()
	cfg := k.config()
	for id := range touched {
		if u := cfg.UserByID(id); u != nil && u.Extension != "" {
			changed = append(changed, u.Extension)
		}
	}
	return changed, nil
}

// forget drops log-ins of users that there are no more and returns the
// extensions whose phones may be others with the new configuration: of users
// who have another extension now, both.
func (k *desks) forget(old, new *pbx.Config) (changed []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, d := range k.at {
		phoneWas, userWas, was := k.holds(old, d)
		phone, user, is := k.holds(new, d)
		if phone == nil || user == nil {
			delete(k.at, id)
		}
		ends := []string{extensionOf(phoneWas), extensionOf(userWas), extensionOf(phone), extensionOf(user)}
		if was != is || ends[0] != ends[2] || ends[1] != ends[3] {
			changed = append(changed, ends...)
		}
	}
	slices.Sort(changed)
	return slices.DeleteFunc(slices.Compact(changed), func(ext string) bool { return ext == "" })
}

// extensionOf is the extension of a user; "" of none.
func extensionOf(u *pbx.User) string {
	if u == nil {
		return ""
	}
	return u.Extension
}

// phones are the registrations of the phones at which a user is reached.
func (e *Edge) phones(extension string) []pbx.Registration {
	aor := e.desks.phoneOf(extension)
	if aor == "" {
		return nil
	}
	return e.registrar.contacts(aor)
}

// LogIn makes a user, by ID, the one who acts at the phone that is registered on
// an extension. Who did so before has no phone until logging in elsewhere, save
// the phone's own user, who is only not reached there. A user who logs in at the
// own phone logs out elsewhere. It writes to the store.
func (e *Edge) LogIn(ctx context.Context, extension, user string) error {
	own := e.deps.Config().UserByExtension(extension)
	if own == nil {
		return fmt.Errorf("log in at the phone of %s: nobody has the extension", extension)
	}
	if own.ID == user {
		return e.LogOut(ctx, extension)
	}
	d := pbx.Desk{Phone: own.ID, User: user, Since: e.deps.Now()}
	changed, err := e.desks.change(func() error { return e.deps.Desks.LogIn(ctx, d) }, func(at map[string]pbx.Desk) {
		maps.DeleteFunc(at, func(_ string, x pbx.Desk) bool { return x.User == user })
		at[own.ID] = d
	})
	if err != nil {
		return fmt.Errorf("log in at the phone of %s: %w", extension, err)
	}
	e.tellAll(changed)
	return nil
}

// LogOut gives the phone that is registered on an extension back to its own
// user, who is logged in nowhere else then. It writes to the store.
func (e *Edge) LogOut(ctx context.Context, extension string) error {
	own := e.deps.Config().UserByExtension(extension)
	if own == nil {
		return fmt.Errorf("log out at the phone of %s: nobody has the extension", extension)
	}
	changed, err := e.desks.change(func() error { return e.deps.Desks.LogOut(ctx, own.ID) }, func(at map[string]pbx.Desk) {
		maps.DeleteFunc(at, func(_ string, x pbx.Desk) bool { return x.User == own.ID || x.Phone == own.ID })
	})
	if err != nil {
		return fmt.Errorf("log out at the phone of %s: %w", extension, err)
	}
	e.tellAll(changed)
	return nil
}

// tellAll publishes anew at which phones users are reached.
func (e *Edge) tellAll(extensions []string) {
	slices.Sort(extensions)
	e.registrar.telling.Lock()
	defer e.registrar.telling.Unlock()
	for _, ext := range extensions { // first who has none any more, then who has
		if aor := e.desks.phoneOf(ext); aor != ext {
			e.deps.Publish(pbx.Fact{Kind: pbx.FactRegistration, Extension: ext})
		}
	}
	for _, ext := range extensions {
		if aor := e.desks.phoneOf(ext); aor != "" {
			e.deps.Publish(e.desks.shown(pbx.Fact{Kind: pbx.FactRegistration, Extension: aor, Registrations: e.registrar.contacts(aor)}))
		}
	}
}

// SeenAt returns the address and port that a phone of an extension last
// registered from, or "".
func (e *Edge) SeenAt(extension string) string {
	if list := e.registrar.contacts(extension); len(list) > 0 {
		return list[len(list)-1].Source
	}
	return ""
}
