package web

import (
	"context"
	"net/http"

	"galilei/pbxd/pbx"
)

// section is a part of the configuration that is shown and replaced whole.
type section[T any] struct {
	id, path, name, summary string
	of                      func(*pbx.Config) *T
	prefix                  string // of its parameters' paths in the configuration
	complete                func(*T)
}

type change[T any] struct {
	IfMatch
	Body body[T]
}

func (s *Server) registerSettings() {
	registerSection(s, section[pbx.SIP]{
		id: "sip-settings", path: "/sip-settings", name: "SIP settings", summary: "How phones register and call", prefix: "sip.",
		of: func(c *pbx.Config) *pbx.SIP { return &c.SIP },
		complete: func(v *pbx.SIP) {
			if v.LocalNetworks == nil {
				v.LocalNetworks = []string{}
			}
		},
	})
	registerSection(s, section[pbx.Media]{
		id: "media-settings", path: "/media-settings", name: "Media settings", summary: "Audio ports", prefix: "media.",
		of:       func(c *pbx.Config) *pbx.Media { return &c.Media },
		complete: func(*pbx.Media) {},
	})
}

func registerSection[T any](s *Server, x section[T]) {
	register(s, operation{id: "get-" + x.id, method: http.MethodGet, path: x.path, tag: "System settings", access: accessAdmin, summary: x.summary},
		func(context.Context, *none) (*tagged[T], error) {
			cfg, _ := s.Store.Current()
			return x.show(cfg), nil
		})
	register(s, operation{id: "change-" + x.id, method: http.MethodPut, path: x.path, tag: "System settings", access: accessAdmin,
		summary: "Change: " + x.summary, description: "Replaces them as a whole. Calls under way keep what they began with.",
		errors: []int{http.StatusPreconditionFailed, http.StatusUnprocessableEntity}},
		func(ctx context.Context, in *change[T]) (*tagged[T], error) {
			c := callerOf(ctx)
			x.complete(&in.Body.value)
			var before string
			var after *tagged[T]
			_, err := s.Store.Commit(ctx, c.user.Name, x.name+" changed", func(cfg *pbx.Config) error {
				shown := x.show(cfg)
				if err := in.check(shown.Body); err != nil {
					return err
				}
				before = shown.ETag
				*x.of(cfg) = in.Body.value
				after = x.show(cfg)
				return nil
			})
			if err != nil {
				return nil, refusedAt(err, x.prefix)
			}
			if after.ETag != before {
				s.record(ctx, c.user.Name, "change-"+x.id, x.name)
			}
			return after, nil
		})
}

func (x section[T]) show(cfg *pbx.Config) *tagged[T] {
	v := *x.of(cfg)
	x.complete(&v)
	return &tagged[T]{etag(v), v}
}
