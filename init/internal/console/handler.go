package console

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// Handler is a slog.Handler that writes one line for each record:
//
//	[  0.42] warning: message name=value
type Handler struct {
	console *Console
	level   slog.Leveler
	attrs   string // of WithAttrs, each with a space before it
	group   string // of WithGroup, each with a dot after it
}

// NewHandler returns a handler that writes records of at least level to c.
func NewHandler(c *Console, level slog.Leveler) *Handler {
	return &Handler{console: c, level: level}
}

// Enabled reports whether records of that level are written.
func (h *Handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

// Handle writes one record. It never fails and never waits.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	switch {
	case r.Level >= slog.LevelError:
		b.WriteString("error: ")
	case r.Level >= slog.LevelWarn:
		b.WriteString("warning: ")
	}
	b.WriteString(r.Message)
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(attrText(h.group, a))
		return true
	})
	for line := range strings.Lines(b.String()) { // a stack has many
		h.console.Printf("%s", strings.TrimRight(line, "\n"))
	}
	return nil
}

// WithAttrs returns a handler that adds attrs to each record.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	n := *h
	for _, a := range attrs {
		n.attrs += attrText(h.group, a)
	}
	return &n
}

// WithGroup returns a handler that puts name and a dot before each name.
func (h *Handler) WithGroup(name string) slog.Handler {
	n := *h
	n.group += name + "."
	return &n
}

func attrText(group string, a slog.Attr) string {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		var b strings.Builder
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, m := range v.Group() {
			b.WriteString(attrText(group, m))
		}
		return b.String()
	}
	text := v.String()
	if a.Key != "stack" && strings.ContainsAny(text, " \t\n\"=") || text == "" {
		text = fmt.Sprintf("%q", text)
	}
	return " " + group + a.Key + "=" + text
}
