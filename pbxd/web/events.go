package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"galilei/pbxd/pbx"
)

// heartbeat is how often a quiet stream sends a comment and checks that its
// session still lives. Routers forget a quiet connection after a minute.
const heartbeat = 15 * time.Second

func (s *Server) registerEvents() {
	register(s, operation{id: "events", method: http.MethodGet, path: "/events", tag: "Status", access: accessUser,
		summary: "Live facts as server-sent events",
		description: "First `snapshot` with registrations, calls and revision, then `fact` for each change, and a comment every 15 s. " +
			"`logout` says that the session is over. Administrators see all; users see the registrations of their own extension and the number of the revision. A client that reads too slowly is cut off and gets a new snapshot when it comes again.",
		errors: []int{http.StatusServiceUnavailable},
		content: &huma.Response{Description: "Stream of events", Content: map[string]*huma.MediaType{
			"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}}}, s.events)
}

func (s *Server) events(ctx context.Context, _ *none) (*huma.StreamResponse, error) {
	c := callerOf(ctx)
	leave := s.streams.enter(&c.user)
	if leave == nil {
		return nil, huma.Error503ServiceUnavailable("Live display is not available at the moment: too many pages are open.")
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		defer leave()
		_, w := humago.Unwrap(hctx)
		s.stream(ctx, c, w)
	}}, nil
}

// stream sends facts to one client until it leaves, is too slow, its session
// ends or the server stops.
func (s *Server) stream(ctx context.Context, c *caller, w http.ResponseWriter) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	out := &eventWriter{w: w, control: http.NewResponseController(w)}
	now, updates := s.Facts.Subscribe(ctx)
	if !out.event("snapshot", snapshot{visibleState(s.liveState(now), c), s.Now()}) {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		ok := true
		select {
		case <-ctx.Done():
			return
		case <-s.stopping:
			return
		case f, open := <-updates:
			if !open {
				return
			}
			if f.Kind == pbx.FactRevision && !s.refresh(c, false) {
				out.event("logout", struct{}{})
				return
			}
			if visible(f, c) {
				ok = out.event("fact", f)
			}
		case <-beat.C:
			if !s.refresh(c, false) {
				out.event("logout", struct{}{})
				return
			}
			ok = out.comment()
		}
		if !ok {
			return
		}
	}
}

// snapshot is the first event of a stream.
type snapshot struct {
	LiveState
	Time time.Time `json:"time"` // clock of the device, by which the page counts durations
}

// visible reports whether the caller may see a fact.
func visible(f pbx.Fact, c *caller) bool {
	if f.Kind == pbx.FactRevision { // only a number: the page looks whether its own user is concerned
		return true
	}
	return c.user.Admin || f.Kind == pbx.FactRegistration && c.user.Extension != "" && f.Extension == c.user.Extension
}

func visibleState(st LiveState, c *caller) LiveState {
	if c.user.Admin {
		return st
	}
	own := LiveState{Registrations: []pbx.Registration{}, Calls: []pbx.CallStatus{}, Revision: st.Revision}
	for _, r := range st.Registrations {
		if c.user.Extension != "" && r.Extension == c.user.Extension {
			own.Registrations = append(own.Registrations, r)
		}
	}
	return own
}

// eventWriter writes server-sent events (HTML standard, section 9.2), each
// with its own time limit, since the server's is for short answers.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// event sends v as JSON and reports whether the client took it.
func (e *eventWriter) event(name string, v any) bool {
	data, err := json.Marshal(v)
	if err != nil {
		return false
	}
	return e.send(fmt.Sprintf("event: %s\ndata: %s\n\n", name, data))
}

func (e *eventWriter) comment() bool { return e.send(": still here\n\n") }

func (e *eventWriter) send(text string) bool {
	// Not every writer has deadlines (a test's recorder has none); the write
	// itself then says what is wrong.
	_ = e.control.SetReadDeadline(time.Time{})
	// A deadline that passes between two writes ends an HTTP/2 stream too.
	_ = e.control.SetWriteDeadline(time.Now().Add(2 * heartbeat))
	if _, err := e.w.Write([]byte(text)); err != nil {
		return false
	}
	return e.control.Flush() == nil
}
