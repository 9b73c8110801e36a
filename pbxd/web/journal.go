package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"galilei/pbxd/pbx"
)

// JournalStore keeps the calls of each user.
type JournalStore interface {
	// Journal lists the entries that q asks for, the newest first.
	Journal(ctx context.Context, q pbx.JournalQuery) (pbx.JournalPage, error)
	// SeeMissed says that the user has looked at the missed calls up to an
	// entry, and returns how many were new.
	SeeMissed(ctx context.Context, user string, upTo int64) (int, error)
	// DeleteCall returns fs.ErrNotExist when the user has no such entry.
	DeleteCall(ctx context.Context, user string, id int64) error
	// DeleteCalls deletes the entries up to one and returns how many there were.
	DeleteCalls(ctx context.Context, user string, upTo int64) (int, error)
}

// journalQuery asks for a part of a journal.
type journalQuery struct {
	Before    int64  `query:"before" title:"Before" doc:"Only entries with a smaller number; 0 for the newest" minimum:"0" maximum:"9007199254740991"`
	Limit     int    `query:"limit" title:"Limit" doc:"At most so many entries" minimum:"1" maximum:"200" default:"50"`
	Direction string `query:"direction" title:"Direction" doc:"Only calls in this direction; empty: in both" enum:",in,out"`
	Result    string `query:"result" title:"Result" doc:"Only calls with this result; empty: with any" enum:",answered,missed,elsewhere,declined,noAnswer,busy,failed"`
	New       bool   `query:"new" title:"New" doc:"Only missed calls that the user has not looked at yet"`
	Name      string `query:"name" title:"Name" doc:"Beginning of a word of the name, without regard to case" maxLength:"50"`
	Number    string `query:"number" title:"Number" doc:"Beginning of the number; spaces and signs do not count" maxLength:"32"`
}

func (q *journalQuery) of(user string) pbx.JournalQuery {
	return pbx.JournalQuery{User: user, Before: q.Before, Limit: q.Limit, Direction: pbx.CallDirection(q.Direction), Result: pbx.CallResult(q.Result),
		New: q.New, Name: q.Name, Number: q.Number}
}

// SeenCalls is the body of POST /profile/journal/seen.
type SeenCalls struct {
	UpTo int64 `json:"upTo" title:"Up to" doc:"Number of the newest entry that was looked at" minimum:"1" maximum:"9007199254740991"`
}

// AlteredCalls answers what was done to several entries of a journal.
type AlteredCalls struct {
	Calls int `json:"calls" title:"Calls" doc:"How many entries it was" minimum:"0" maximum:"1000000"`
}

func (s *Server) registerJournal() {
	register(s, operation{id: "list-own-journal", method: http.MethodGet, path: "/profile/journal", tag: "Journal", module: "journal",
		summary: "Own journal", description: "Calls in, out and missed, newest first. The header X-Total-Count says how many match. A look with the rights of another user is in the audit log.",
		audits: []string{"show-journal"}},
		func(ctx context.Context, in *journalQuery) (*counted[pbx.JournalEntry], error) {
			c := callerOf(ctx)
			if c.as() {
				if err := s.audit(ctx, "show-journal", c.user.Name); err != nil {
					return nil, err
				}
			}
			return s.showJournal(ctx, c.user.ID, in)
		})
	register(s, operation{id: "see-missed-calls", method: http.MethodPost, path: "/profile/journal/seen", tag: "Journal", module: "journal",
		summary: "Mark missed calls as seen", description: "Those up to an entry. It needs no If-Match: what came since stays new. With the rights of another user nothing is marked: that user has not seen them.",
		errors: []int{http.StatusUnprocessableEntity}}, s.seeMissed)
	register(s, operation{id: "delete-own-call", method: http.MethodDelete, path: "/profile/journal/{id}", tag: "Journal", module: "journal", status: http.StatusNoContent,
		summary: "Delete an entry of the own journal", description: "It needs no If-Match: an entry is never edited.", audits: []string{"delete-own-call"},
		errors: []int{http.StatusNotFound}}, s.deleteCall)
	register(s, operation{id: "delete-own-calls", method: http.MethodDelete, path: "/profile/journal", tag: "Journal", module: "journal",
		summary: "Delete the own journal", description: "All entries up to one. It needs no If-Match: what came since stays.", audits: []string{"delete-own-calls"},
		errors: []int{http.StatusUnprocessableEntity}}, s.deleteCalls)
	register(s, operation{id: "list-user-journal", method: http.MethodGet, path: "/users/{id}/journal", tag: "Journal", module: "user-journals",
		summary: "Journal of a user", description: "With whom people talk is their own affair: each look is in the audit log.", audits: []string{"show-journal"},
		errors: []int{http.StatusNotFound}}, s.userJournal)
}

func (s *Server) showJournal(ctx context.Context, user string, in *journalQuery) (*counted[pbx.JournalEntry], error) {
	page, err := s.Store.Journal(ctx, in.of(user))
	if err != nil {
		return nil, fmt.Errorf("list journal before %d: %w", in.Before, err)
	}
	if page.Entries == nil {
		page.Entries = []pbx.JournalEntry{}
	}
	return &counted[pbx.JournalEntry]{page.Total, page.Entries}, nil
}

// userJournal shows the journal of another once the audit log has it.
func (s *Server) userJournal(ctx context.Context, in *struct {
	EntryPath
	journalQuery
}) (*counted[pbx.JournalEntry], error) {
	cfg, _ := s.Store.Current()
	u := cfg.UserByID(in.ID)
	if u == nil {
		return nil, noUser()
	}
	if err := s.audit(ctx, "show-journal", u.Name); err != nil {
		return nil, err
	}
	return s.showJournal(ctx, u.ID, &in.journalQuery)
}

func (s *Server) seeMissed(ctx context.Context, in *struct{ Body body[SeenCalls] }) (*answer[AlteredCalls], error) {
	if in.Body.value.UpTo < 1 {
		return nil, invalidField("upTo", pbx.Say("must be the number of an entry"))
	}
	c := callerOf(ctx)
	if c.as() {
		return &answer[AlteredCalls]{}, nil
	}
	n, err := s.Store.SeeMissed(ctx, c.user.ID, in.Body.value.UpTo)
	if err != nil {
		return nil, fmt.Errorf("see missed calls up to %d: %w", in.Body.value.UpTo, err)
	}
	return &answer[AlteredCalls]{AlteredCalls{n}}, nil
}

func (s *Server) deleteCall(ctx context.Context, in *EntryPath) (*none, error) {
	id, err := strconv.ParseInt(in.ID, 10, 64)
	if err != nil {
		return nil, noCall()
	}
	if err := s.Store.DeleteCall(ctx, callerOf(ctx).user.ID, id); err != nil {
		return nil, notFound(fmt.Errorf("delete entry %d of the journal: %w", id, err), "There is no such call.")
	}
	s.record(ctx, "delete-own-call", "")
	return &none{}, nil
}

func (s *Server) deleteCalls(ctx context.Context, in *struct {
	UpTo int64 `query:"upTo" title:"Up to" doc:"Number of the newest entry that is deleted" minimum:"0" maximum:"9007199254740991"`
}) (*answer[AlteredCalls], error) {
	if in.UpTo < 1 {
		return nil, invalid(detailOf("query.upTo", pbx.Say("must be the number of an entry")))
	}
	n, err := s.Store.DeleteCalls(ctx, callerOf(ctx).user.ID, in.UpTo)
	if err != nil {
		return nil, fmt.Errorf("delete the journal up to %d: %w", in.UpTo, err)
	}
	s.record(ctx, "delete-own-calls", strconv.Itoa(n))
	return &answer[AlteredCalls]{AlteredCalls{n}}, nil
}

func noCall() error { return refuse(http.StatusNotFound, "There is no such call.") }
