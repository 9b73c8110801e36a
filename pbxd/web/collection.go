package web

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"galilei/pbxd/pbx"
)

// collection is a list of entries in the configuration and the API over it:
// list, get, create, change and delete, with ETag, audit and problem details
// that name the field. E is the entry, S what is edited of it, V what is shown.
type collection[E, S, V any] struct {
	one, many string      // "pickup group", "pickup groups": in sentences, paths (with '-') and audit actions
	list      string      // JSON name in Config
	what      pbx.Message // one entry in the comments of revisions, for example "Pickup group"
	tag       string
	module    string // GUI module that edits it
	readers   string // further modules that may read it, each preceded by '|'

	of    func(*pbx.Config) *[]E
	id    func(*E) *string
	name  func(*E) string
	show  func(*pbx.Config, *E) V
	state func(*pbx.Config, *E) any       // what the ETag is made from; nil: the entry
	check func(*E) error                  // refuses a deletion; nil: none
	needs func(*pbx.Config, *E) error     // refuses one of what others cannot forget; nil: none
	acts  func(before, after *E) []string // audit actions of a change; nil: change-<one>
	more  []string                        // those actions, beside the usual three
	place func([]E) int                   // before which entry a new one, the last, goes; below 0, or nil: none
	also  func(*E) []string               // audit actions of a new entry, beside add-<one>; nil: none
	edit  preparation[E, S]
	fresh preparation[E, S]                               // for a new entry; nil: edit
	done  func(ctx context.Context, id string, err error) // after a change, with what became of it
	about string                                          // description of changes
}

// preparation checks what a client wants outside of the commit, and returns
// what it does to the entry with that ID within it, or the refusal.
type preparation[E, S any] func(ctx context.Context, id string, in *S) (edit func(*pbx.Config, *E) error, err error)

// replaced is the preparation of entries that are edited as a whole.
func replaced[E, S any](settings func(*E) *S) preparation[E, S] {
	return func(_ context.Context, _ string, in *S) (func(*pbx.Config, *E) error, error) {
		return func(_ *pbx.Config, e *E) error {
			*settings(e) = *in
			return nil
		}, nil
	}
}

// slug is the name of an entry in paths, operations and audit actions.
func slug(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "-")) }

type entryChange[S any] struct {
	EntryPath
	IfMatch
	Body body[S]
}

type entryDeletion struct {
	EntryPath
	IfMatch
}

// registerCollection adds the operations of x.
func registerCollection[E, S, V any](s *Server, x *collection[E, S, V]) {
	if x.state == nil {
		x.state = func(_ *pbx.Config, e *E) any { return e }
	}
	if x.fresh == nil {
		x.fresh = x.edit
	}
	if x.acts == nil {
		x.acts = func(before, after *E) []string {
			if reflect.DeepEqual(before, after) {
				return nil
			}
			return []string{"change-" + slug(x.one)}
		}
	}
	path, one := "/"+slug(x.many), slug(x.one)
	op := func(verb, method, path, summary string, o operation) operation {
		o.id, o.method, o.path, o.summary, o.tag, o.module = verb+"-"+one, method, path, summary, x.tag, x.module
		return o
	}
	list := op("list", http.MethodGet, path, "List "+x.many, operation{})
	list.id, list.module = "list-"+slug(x.many), x.module+x.readers
	register(s, list, func(context.Context, *none) (*answer[[]V], error) {
		cfg, _ := s.Store.Current()
		entries := *x.of(cfg)
		shown := make([]V, len(entries))
		for i := range entries {
			shown[i] = x.show(cfg, &entries[i])
		}
		return &answer[[]V]{shown}, nil
	})
	get := op("get", http.MethodGet, path+"/{id}", "One "+x.one, operation{errors: []int{http.StatusNotFound}})
	register(s, get, func(_ context.Context, in *EntryPath) (*tagged[V], error) {
		cfg, _ := s.Store.Current()
		i := x.index(cfg, in.ID)
		if i < 0 {
			return nil, x.missing()
		}
		e := &(*x.of(cfg))[i]
		return &tagged[V]{etag(x.state(cfg, e)), x.show(cfg, e)}, nil
	})
	register(s, op("create", http.MethodPost, path, "Add a "+x.one, operation{status: http.StatusCreated,
		errors: []int{http.StatusConflict, http.StatusUnprocessableEntity}, audits: append([]string{"add-" + one}, x.more...)}),
		func(ctx context.Context, in *struct{ Body newBody[S] }) (*created[V], error) {
			return x.create(ctx, s, &in.Body.value)
		})
	register(s, op("change", http.MethodPut, path+"/{id}", "Change a "+x.one, operation{description: x.about, audits: append([]string{"change-" + one}, x.more...),
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}}),
		func(ctx context.Context, in *entryChange[S]) (*tagged[V], error) { return x.change(ctx, s, in) })
	register(s, op("delete", http.MethodDelete, path+"/{id}", "Delete a "+x.one, operation{status: http.StatusNoContent, audits: []string{"delete-" + one},
		description: "What names the entry forgets it.",
		errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}}),
		func(ctx context.Context, in *entryDeletion) (*none, error) { return x.remove(ctx, s, in) })
}

func (x *collection[E, S, V]) index(cfg *pbx.Config, id string) int {
	return slices.IndexFunc(*x.of(cfg), func(e E) bool { return *x.id(&e) == id })
}

func (x *collection[E, S, V]) missing() error {
	return refuse(http.StatusNotFound, "This entry does not exist. It may have been deleted.")
}

// at is the path of an entry in the configuration.
func (x *collection[E, S, V]) at(i int) string { return fmt.Sprintf("%s[%d].", x.list, i) }

// Comments of the revisions that add, change and delete an entry.
const (
	entryAdded   = "{what} {name} added"
	entryChanged = "{what} {name} changed"
	entryDeleted = "{what} {name} deleted"
)

// named returns the name that a new entry will have.
func (x *collection[E, S, V]) named(s *Server, id string, edit func(*pbx.Config, *E) error) string {
	cfg, _ := s.Store.Current()
	var e E
	*x.id(&e) = id
	if err := edit(cfg.Clone(), &e); err != nil {
		return "" // the commit will say the same
	}
	return x.name(&e)
}

func (x *collection[E, S, V]) create(ctx context.Context, s *Server, in *S) (*created[V], error) {
	id := pbx.NewID()
	edit, err := x.fresh(ctx, id, in)
	if err != nil {
		return nil, err
	}
	var e E
	*x.id(&e) = id
	out := &created[V]{Location: apiPrefix + "/" + slug(x.many) + "/" + id}
	at := 0
	var made E
	_, err = s.commit(ctx, pbx.Say(entryAdded, "what", x.what, "name", x.named(s, id, edit)), func(cfg *pbx.Config) error {
		entries := x.of(cfg)
		at = len(*entries)
		*entries = append(*entries, e)
		if err := edit(cfg, &(*entries)[at]); err != nil {
			return err
		}
		if x.place != nil {
			at = moveUp(*entries, x.place(*entries))
		}
		normalise(cfg)
		made = (*x.of(cfg))[at]
		out.ETag, out.Body = etag(x.state(cfg, &made)), x.show(cfg, &made)
		return nil
	})
	if err != nil {
		return nil, refusedAt(err, x.at(at))
	}
	s.record(ctx, "add-"+slug(x.one), x.name(&made))
	if x.also != nil {
		for _, act := range x.also(&made) {
			s.record(ctx, act, x.name(&made))
		}
	}
	return out, nil
}

func (x *collection[E, S, V]) change(ctx context.Context, s *Server, in *entryChange[S]) (*tagged[V], error) {
	cfg, _ := s.Store.Current()
	i := x.index(cfg, in.ID)
	if i < 0 {
		return nil, x.missing()
	}
	if err := in.check(etag(x.state(cfg, &(*x.of(cfg))[i]))); err != nil {
		return nil, err
	}
	edit, err := x.edit(ctx, in.ID, &in.Body.value)
	if err != nil {
		return nil, err
	}
	var before, after E
	var tagBefore string
	out := &tagged[V]{}
	_, err = s.commit(ctx, pbx.Say(entryChanged, "what", x.what, "name", x.name(&(*x.of(cfg))[i])), func(cfg *pbx.Config) error {
		if i = x.index(cfg, in.ID); i < 0 {
			return x.missing()
		}
		before = (*x.of(cfg.Clone()))[i] // the change may write into its lists
		tagBefore = etag(x.state(cfg, &(*x.of(cfg))[i]))
		if err := in.check(tagBefore); err != nil {
			return err
		}
		if err := edit(cfg, &(*x.of(cfg))[i]); err != nil {
			return err
		}
		normalise(cfg)
		after = (*x.of(cfg))[i]
		out.ETag, out.Body = etag(x.state(cfg, &after)), x.show(cfg, &after)
		return nil
	})
	if x.done != nil {
		x.done(ctx, in.ID, err)
	}
	if err != nil {
		return nil, refusedAt(err, x.at(i))
	}
	acts := x.acts(&before, &after)
	if len(acts) == 0 && tagBefore != out.ETag {
		acts = []string{"change-" + slug(x.one)} // what is kept elsewhere, such as membership
	}
	for _, act := range acts {
		s.record(ctx, act, x.name(&after))
	}
	return out, nil
}

func (x *collection[E, S, V]) remove(ctx context.Context, s *Server, in *entryDeletion) (*none, error) {
	cfg, _ := s.Store.Current()
	i := x.index(cfg, in.ID)
	if i < 0 {
		return nil, x.missing()
	}
	gone := (*x.of(cfg))[i]
	if x.check != nil {
		if err := x.check(&gone); err != nil {
			return nil, err
		}
	}
	_, err := s.commit(ctx, pbx.Say(entryDeleted, "what", x.what, "name", x.name(&gone)), func(cfg *pbx.Config) error {
		i := x.index(cfg, in.ID)
		if i < 0 {
			return x.missing()
		}
		entries := x.of(cfg)
		if err := in.check(etag(x.state(cfg, &(*entries)[i]))); err != nil {
			return err
		}
		if x.needs != nil {
			if err := x.needs(cfg, &(*entries)[i]); err != nil {
				return err
			}
		}
		*entries = slices.Delete(*entries, i, i+1)
		cfg.Forget(x.list, in.ID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.record(ctx, "delete-"+slug(x.one), x.name(&gone))
	return &none{}, nil
}
