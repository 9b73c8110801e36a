package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"galilei/pbxd/pbx"
)

// heartbeat is how often a quiet stream sends a comment and checks that its
// session still lives. Routers forget a quiet connection after a minute.
const heartbeat = 15 * time.Second

const eventStream = "text/event-stream"

func (s *Server) registerEvents() {
	register(s, operation{id: "events", method: http.MethodGet, path: "/events", tag: "Status", access: accessUser,
		summary: "Live facts as server-sent events",
		description: "First `snapshot` with registrations, calls, revision, pending change and number of drafts, then `fact` for each change, and a comment every 15 s. " +
			"`logout` says that the session is over. What is seen follows from the GUI modules: calls need general-information or live-calls, all registrations that or users, drafts system-settings, mail email-delivery, that there are further call records call-records, a pending change any module of the administration. Everybody sees the registrations of the own extension, the number of the revision and, with journal, that the own journal has changed. A client that reads too slowly is cut off and gets a new snapshot when it comes again.",
		errors: []int{http.StatusServiceUnavailable},
		content: &huma.Response{Description: "Stream of events", Content: map[string]*huma.MediaType{
			eventStream: {Schema: &huma.Schema{Type: huma.TypeString}}}}}, s.events)
}

func (s *Server) events(ctx context.Context, _ *none) (*huma.StreamResponse, error) {
	c := callerOf(ctx)
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		if hctx.Method() == http.MethodHead { // takes no place: nothing follows
			hctx.SetHeader("Content-Type", eventStream)
			hctx.SetStatus(http.StatusOK)
			return
		}
		leave := s.streams.enter(&c.user)
		if leave == nil {
			s.answer(hctx, refuse(http.StatusServiceUnavailable, "Live display is not available at the moment: too many pages are open."))
			return
		}
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
	w.Header().Set("Content-Type", eventStream)
	w.Header().Set("X-Accel-Buffering", "no")
	out := &eventWriter{w: w, control: http.NewResponseController(w)}
	now, updates := s.Facts.Subscribe(ctx)
	if !out.event("snapshot", snapshot{visibleState(s.liveState(now), c), s.Now()}) {
		return
	}
	user, over := c.user.ID, s.sessions.over(c.token)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		ok := true
		select {
		case <-ctx.Done():
			return
		case <-s.stopping:
			return
		case <-over:
			out.event("logout", struct{}{})
			return
		case f, open := <-updates:
			if !open {
				return
			}
			if f.Kind == pbx.FactRevision && !s.refresh(c, false) {
				out.event("logout", struct{}{})
				return
			}
			if user != c.user.ID {
				return // other rights: a new stream begins with what those see
			}
			if visible(f, c) {
				ok = out.event("fact", f)
			}
			if f.Kind == pbx.FactRevision && !s.current(ctx) {
				return // the page must come again, over a connection with the new certificate
			}
		case <-beat.C:
			if !s.refresh(c, false) {
				out.event("logout", struct{}{})
				return
			}
			if user != c.user.ID {
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

// seesCalls are the modules of those who see the calls of now.
const seesCalls = "general-information|live-calls"

// seesLines are the modules of those who see the state of the gateways.
const seesLines = "general-information|sip-status|gateways|gateway-groups"

// seesRegistrations reports whether the caller sees the phones of an extension.
func (c *caller) seesRegistrations(extension string) bool {
	return c.has("general-information|users") || c.user.Extension != "" && extension == c.user.Extension
}

// visible reports whether the caller may see a fact.
func visible(f pbx.Fact, c *caller) bool {
	switch f.Kind {
	case pbx.FactRevision: // only a number: the page looks whether its own user is concerned
		return true
	case pbx.FactRegistration:
		return c.seesRegistrations(f.Extension)
	case pbx.FactCall:
		return c.has(seesCalls)
	case pbx.FactJournal:
		return c.has("journal") && slices.Contains(f.Users, c.user.ID)
	case pbx.FactTexts:
		return c.has(textsModule) && slices.Contains(f.Users, c.user.ID)
	case pbx.FactPending:
		return c.has(anyAdminModule)
	case pbx.FactDrafts:
		return c.has("system-settings")
	case pbx.FactMail:
		return c.has("email-delivery")
	case pbx.FactLine:
		return c.has(seesLines)
	case pbx.FactWarning:
		return c.has("general-information")
	case pbx.FactRecords:
		return c.has("call-records")
	}
	return false
}

func visibleState(st LiveState, c *caller) LiveState {
	own := LiveState{Registrations: []pbx.Registration{}, Calls: []pbx.CallStatus{}, Lines: []pbx.LineStatus{}, Revision: st.Revision}
	for _, r := range st.Registrations {
		if c.seesRegistrations(r.Extension) {
			own.Registrations = append(own.Registrations, r)
		}
	}
	if c.has(seesCalls) {
		own.Calls = st.Calls
	}
	if c.has(seesLines) {
		own.Lines = st.Lines
	}
	if c.has(anyAdminModule) {
		own.Pending = st.Pending
	}
	if c.has("system-settings") {
		own.Drafts = st.Drafts
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
