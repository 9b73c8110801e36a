package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/ladder"
)

// Traces is the memory of the calls of a day. Its errors are
// ladder.ErrUnknown for a call that is not remembered.
type Traces interface {
	Calls(q ladder.Query) []ladder.Call
	Trace(id string) (*ladder.Trace, error)
	Messages(id string) (*ladder.SIPMessages, error)
	Quality(id string) ([]ladder.LegQuality, error)
	PCAP(id string) ([]byte, error)
}

// callPath names one call.
type callPath struct {
	ID string `path:"id" title:"Identifier" doc:"Identifier of the call" minLength:"1" maxLength:"40"`
}

type tracesQuery struct {
	Number string    `query:"number" title:"Number" doc:"Only calls in which somebody took part whose number has these digits" maxLength:"32" pattern:"^[0-9*#+]*$" patternDescription:"digits, '*', '#' and '+'"`
	Before string    `query:"before" title:"Before" doc:"Only calls that began before the one with this identifier; empty for the newest" maxLength:"40"`
	Since  time.Time `query:"since" title:"Since" doc:"Only calls that began at this time or later"`
	Until  time.Time `query:"until" title:"Until" doc:"Only calls that began before this time"`
	Limit  int       `query:"limit" title:"Limit" doc:"At most so many calls" minimum:"1" maximum:"500" default:"50"`
}

// pcapFile answers with a file of packets.
type pcapFile struct {
	ContentType string `header:"Content-Type" title:"Type" doc:"application/vnd.tcpdump.pcap" maxLength:"100"`
	Disposition string `header:"Content-Disposition" title:"Disposition" doc:"Name of the file" maxLength:"200"`
	Body        func(huma.Context)
}

const (
	callTraces = "call-traces" // the module
	typePCAP   = "application/vnd.tcpdump.pcap"
)

func (s *Server) registerTraces() {
	register(s, operation{id: "list-call-traces", method: http.MethodGet, path: "/call-traces", tag: "Calls", module: callTraces,
		summary: "Calls that are remembered", description: "Newest first. The device remembers the calls of 24 hours, as far as its memory holds them; not over a restart."},
		func(_ context.Context, in *tracesQuery) (*answer[[]ladder.Call], error) {
			return &answer[[]ladder.Call]{s.Traces.Calls(ladder.Query{Number: in.Number, Before: in.Before, Since: in.Since, Until: in.Until, Limit: in.Limit})}, nil
		})
	unknown := []int{http.StatusNotFound}
	register(s, operation{id: "get-call-trace", method: http.MethodGet, path: "/calls/{id}/trace", tag: "Calls", module: callTraces,
		summary: "Why a call went where it did", description: "The steps of the dialplan and what happened in the call, with a summary in plain words.", errors: unknown},
		func(_ context.Context, in *callPath) (*answer[*ladder.Trace], error) {
			t, err := s.Traces.Trace(in.ID)
			return &answer[*ladder.Trace]{t}, remembered(err)
		})
	register(s, operation{id: "get-call-messages", method: http.MethodGet, path: "/calls/{id}/messages", tag: "Calls", module: callTraces,
		summary: "SIP messages of a call", description: "As they were on the wire; what is secret or private is overwritten with *.", errors: unknown},
		func(_ context.Context, in *callPath) (*answer[*ladder.SIPMessages], error) {
			m, err := s.Traces.Messages(in.ID)
			return &answer[*ladder.SIPMessages]{m}, remembered(err)
		})
	register(s, operation{id: "get-call-quality", method: http.MethodGet, path: "/calls/{id}/quality", tag: "Calls", module: callTraces,
		summary: "How a call has sounded", description: "Loss, jitter, round trip, R and MOS over time, by leg and direction.", errors: unknown},
		func(_ context.Context, in *callPath) (*answer[[]ladder.LegQuality], error) {
			q, err := s.Traces.Quality(in.ID)
			return &answer[[]ladder.LegQuality]{q}, remembered(err)
		})
	register(s, operation{id: "download-call-pcap", method: http.MethodGet, path: "/calls/{id}/pcap", tag: "Calls", module: callTraces,
		summary: "SIP messages of a call for Wireshark", description: "What is secret or private is overwritten with *. What went over TLS stands there as TCP at port 5060.",
		audits: []string{"download-call-pcap"}, errors: []int{http.StatusNotFound, http.StatusServiceUnavailable},
		content: &huma.Response{Description: "The file", Content: map[string]*huma.MediaType{
			typePCAP: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary", Title: "File", Description: "Packets in the format of libpcap"}}}}}, s.pcap)
}

// remembered tells clients of a call that is not remembered.
func remembered(err error) error {
	switch {
	case errors.Is(err, ladder.ErrUnknown):
		return refuse(http.StatusNotFound, "The device does not remember this call. It keeps the calls of 24 hours, until it is restarted or newer calls need the room.")
	case err != nil:
		return fmt.Errorf("read what is remembered of a call: %w", err)
	}
	return nil
}

func (s *Server) pcap(ctx context.Context, in *callPath) (*pcapFile, error) {
	t, err := s.Traces.Trace(in.ID)
	if err != nil {
		return nil, remembered(err)
	}
	file, err := s.Traces.PCAP(in.ID)
	if err != nil {
		return nil, remembered(err)
	}
	held := s.outgoing.share(senderOf(ctx))
	if held.try(int64(len(file)), 0) != nil {
		return nil, huma.ErrorWithHeaders(tooManyAnswers(), http.Header{"Retry-After": {"60"}})
	}
	if err := s.audit(ctx, "download-call-pcap", t.Call.From+" > "+t.Call.To); err != nil {
		held.release()
		return nil, err
	}
	write := func(hctx huma.Context) {
		defer held.release()
		readWithin(hctx, answerTime)
		hctx.SetStatus(http.StatusOK)
		if _, err := hctx.BodyWriter().Write(file); err != nil {
			s.Log.Debug("pcap not delivered", "octets", len(file), "err", err)
		}
	}
	name := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' {
			return r
		}
		return -1
	}, in.ID)
	return &pcapFile{ContentType: typePCAP, Disposition: `attachment; filename="call-` + name + `.pcap"`, Body: write}, nil
}
