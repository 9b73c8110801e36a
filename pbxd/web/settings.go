package web

import (
	"context"
	"net/http"

	"galilei/pbxd/pbx"
)

// section is a part of the configuration that is shown and replaced whole.
type section[T any] struct {
	id, path, name, summary string
	changed                 pbx.Message // comment of a revision that changes it
	tag, module             string
	readers                 string // further modules that may read it, each preceded by '|'
	about                   string // description of the change
	of                      func(*pbx.Config) *T
	prefix                  string    // of its parameters' paths in the configuration
	complete                func(T) T // what a client may leave out; nil: nothing
	// follow changes what depends on the section, which was another one before; nil: nothing.
	follow func(cfg *pbx.Config, was T)
}

type change[T any] struct {
	IfMatch
	Body body[T]
}

func (s *Server) registerSettings() {
	registerSection(s, section[pbx.SIP]{
		id: "sip-settings", path: "/sip-settings", name: "SIP settings", changed: pbx.Say("SIP settings changed"), summary: "How phones register and call", prefix: "sip.",
		tag: "System settings", module: "system-settings", about: "Replaces them as a whole. Calls under way keep what they began with.",
		of: func(c *pbx.Config) *pbx.SIP { return &c.SIP },
	})
	registerSection(s, section[pbx.Media]{
		id: "media-settings", path: "/media-settings", name: "Media settings", changed: pbx.Say("Media settings changed"), summary: "Audio ports", prefix: "media.",
		tag: "System settings", module: "system-settings", about: "Replaces them as a whole. Calls under way keep what they began with.",
		of: func(c *pbx.Config) *pbx.Media { return &c.Media },
	})
}

func registerSection[T any](s *Server, x section[T]) {
	register(s, operation{id: "get-" + x.id, method: http.MethodGet, path: x.path, tag: x.tag, module: x.module + x.readers, summary: x.summary},
		func(context.Context, *none) (*tagged[T], error) {
			cfg, _ := s.Store.Current()
			return x.show(cfg), nil
		})
	register(s, operation{id: "change-" + x.id, method: http.MethodPut, path: x.path, tag: x.tag, module: x.module,
		summary: "Change: " + x.summary, description: x.about, audits: []string{"change-" + x.id},
		errors: []int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}},
		func(ctx context.Context, in *change[T]) (*tagged[T], error) {
			var before string
			var after *tagged[T]
			_, err := s.commit(ctx, x.changed, func(cfg *pbx.Config) error {
				before = x.show(cfg).ETag
				if err := in.check(before); err != nil {
					return err
				}
				was := *x.of(cfg)
				*x.of(cfg) = in.Body.value
				if x.complete != nil {
					*x.of(cfg) = x.complete(in.Body.value)
				}
				if x.follow != nil {
					x.follow(cfg, was)
				}
				normalise(cfg)
				after = x.show(cfg)
				return nil
			})
			if err != nil {
				return nil, refusedAt(err, x.prefix)
			}
			if after.ETag != before {
				s.record(ctx, "change-"+x.id, x.name)
			}
			return after, nil
		})
}

func (x section[T]) show(cfg *pbx.Config) *tagged[T] {
	v := *x.of(cfg)
	return &tagged[T]{etag(v), v}
}
