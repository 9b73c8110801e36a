package web

import (
	"context"
	"net/http"
	"slices"

	"galilei/pbxd/pbx"
)

// ordering is what the order of a collection means: its entries are tried one
// after the other.
type ordering[E, S, V any] struct {
	*collection[E, S, V]
	within func(*E) string // entries of the same one are in one order; nil: all are
}

// EntryOrder is the order in which the entries of a list are tried.
type EntryOrder struct {
	IDs []string `json:"ids" title:"Order" doc:"Identifiers of the entries in their order" maxItems:"1000" maxLength:"26"`
}

// EntryMove is where an entry goes.
type EntryMove struct {
	Before string `json:"before" title:"Before" doc:"Identifier of the entry before which it goes; empty: to the end" maxLength:"26"`
}

type entryMove struct {
	EntryPath
	IfMatch
	Body body[EntryMove]
}

// registerOrder adds the operations that show and change the order of x.
func registerOrder[E, S, V any](s *Server, x ordering[E, S, V]) {
	path, one := "/"+slug(x.many), slug(x.one)
	register(s, operation{id: "get-" + one + "-order", method: http.MethodGet, path: path + "/order", tag: x.tag, module: x.module + x.readers,
		summary: "Order of " + x.many}, func(context.Context, *none) (*tagged[EntryOrder], error) {
		cfg, _ := s.Store.Current()
		return x.order(cfg), nil
	})
	about := "If-Match takes the ETag of the order."
	if x.within != nil {
		about += " The other entry must be of the same gateway group."
	}
	register(s, operation{id: "move-" + one, method: http.MethodPost, path: path + "/{id}/move", tag: x.tag, module: x.module,
		summary: "Move a " + x.one + " before another one or to the end", description: about, audits: []string{"move-" + one},
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}},
		func(ctx context.Context, in *entryMove) (*tagged[EntryOrder], error) { return x.move(ctx, s, in) })
}

// order is the order of now. Its ETag changes, too, when an entry goes to where
// another order holds.
func (x ordering[E, S, V]) order(cfg *pbx.Config) *tagged[EntryOrder] {
	o := EntryOrder{IDs: []string{}}
	var state []string
	for i := range *x.of(cfg) {
		e := &(*x.of(cfg))[i]
		o.IDs = append(o.IDs, *x.id(e))
		state = append(state, *x.id(e), x.part(e))
	}
	return &tagged[EntryOrder]{etag(state), o}
}

func (x ordering[E, S, V]) part(e *E) string {
	if x.within == nil {
		return ""
	}
	return x.within(e)
}

func (x ordering[E, S, V]) move(ctx context.Context, s *Server, in *entryMove) (*tagged[EntryOrder], error) {
	cfg, _ := s.Store.Current()
	if x.index(cfg, in.ID) < 0 {
		return nil, x.missing()
	}
	if err := in.check(x.order(cfg).ETag); err != nil {
		return nil, err
	}
	var moved E
	before := ""
	var after *tagged[EntryOrder]
	_, err := s.commit(ctx, x.movedTo(cfg, in.ID, in.Body.value.Before), func(cfg *pbx.Config) error {
		before = x.order(cfg).ETag
		if err := in.check(before); err != nil {
			return err
		}
		i := x.index(cfg, in.ID)
		if i < 0 {
			return x.missing()
		}
		entries := x.of(cfg)
		moved = (*entries)[i]
		if in.Body.value.Before == in.ID { // where it is
			after = x.order(cfg)
			return nil
		}
		rest := slices.Delete(slices.Clone(*entries), i, i+1)
		to, refusal := x.place(rest, &moved, in.Body.value.Before)
		if refusal != nil {
			return refusal
		}
		*entries = slices.Insert(rest, to, moved)
		after = x.order(cfg)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if after.ETag != before {
		s.record(ctx, "move-"+slug(x.one), x.name(&moved))
	}
	return after, nil
}

// movedTo is the comment of a revision that moves an entry.
func (x ordering[E, S, V]) movedTo(cfg *pbx.Config, id, before string) pbx.Message {
	name := x.name(&(*x.of(cfg))[x.index(cfg, id)])
	if i := x.index(cfg, before); i >= 0 {
		return pbx.Say("{what} {name} moved before {other}", "what", x.what, "name", name, "other", x.name(&(*x.of(cfg))[i]))
	}
	return pbx.Say("{what} {name} moved to the end", "what", x.what, "name", name)
}

// place returns where among the others an entry goes.
func (x ordering[E, S, V]) place(others []E, moved *E, before string) (int, error) {
	if before != "" {
		at := slices.IndexFunc(others, func(e E) bool { return *x.id(&e) == before && x.part(&e) == x.part(moved) })
		if at < 0 {
			return 0, invalidField("before", pbx.Say("is no entry that this one can go before. It may have been deleted."))
		}
		return at, nil
	}
	for i := len(others) - 1; i >= 0; i-- {
		if x.part(&others[i]) == x.part(moved) {
			return i + 1, nil
		}
	}
	return len(others), nil
}
