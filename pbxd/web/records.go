package web

import (
	"context"
	"fmt"
	"iter"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/csvtable"
	"galilei/pbxd/pbx"
)

// RecordStore keeps the call records.
type RecordStore interface {
	// Records lists what q asks for, newest first and without legs.
	Records(ctx context.Context, q pbx.RecordQuery) (pbx.RecordPage, error)
	// Record returns one with its legs, or fs.ErrNotExist.
	Record(ctx context.Context, id int64) (pbx.CallRecord, error)
	RecordTotals(ctx context.Context, q pbx.RecordQuery) (pbx.RecordTotals, error)
	// ExportRecords goes through all that q asks for and holds no more than a part
	// of it.
	ExportRecords(ctx context.Context, q pbx.RecordQuery) iter.Seq2[pbx.CallRecord, error]
	// DeleteRecords deletes those of calls that began before a time, all when it is
	// zero, in the background, once the audit log has act with their number, which
	// it returns.
	DeleteRecords(ctx context.Context, before time.Time, act pbx.AuditEntry) (int, error)
	// DeletingRecords reports whether some of them are still there.
	DeletingRecords() bool
}

// recordFilter is what all lists of call records can be narrowed down by.
type recordFilter struct {
	Since      time.Time `query:"since" title:"Since" doc:"Only calls that began at this time or later"`
	Until      time.Time `query:"until" title:"Until" doc:"Only calls that began before this time"`
	Caller     string    `query:"caller" title:"Caller" doc:"Number of the caller, however it is written. '*' stands for any characters, '?' for one: 043* is every number that begins so. What holds a letter is looked for at the beginning of the words of the name." maxLength:"64"`
	Target     string    `query:"target" title:"Target" doc:"The same of who answered, or of the dialled number when nobody did" maxLength:"64"`
	MinSeconds int       `query:"minSeconds" title:"Duration from" doc:"Only calls in which so many seconds were spoken at least; 0 for all" minimum:"0" maximum:"10000000"`
	MaxSeconds int       `query:"maxSeconds" title:"Duration to" doc:"Only calls in which so many seconds were spoken at most; 0 for all" minimum:"0" maximum:"10000000"`
	WithRing   bool      `query:"withRing" title:"With ringing" doc:"The time of ringing counts for the duration"`
	Result     string    `query:"result" title:"Type" doc:"Only calls of which this became; empty: all" enum:",answered,noAnswer,busy,failed"`
	Direction  string    `query:"direction" title:"Direction" doc:"Only calls that went this way; empty: all" enum:",in,out,internal"`
	User       string    `query:"user" title:"User" doc:"Identifier of a user who called or answered; empty: all" maxLength:"26"`
	Gateway    string    `query:"gateway" title:"Gateway" doc:"Identifier of a gateway by which the call came or left; empty: all" maxLength:"26"`
}

func (f *recordFilter) query() pbx.RecordQuery {
	return pbx.RecordQuery{Since: f.Since, Until: f.Until, Caller: f.Caller, Target: f.Target, MinSeconds: f.MinSeconds, MaxSeconds: f.MaxSeconds, WithRing: f.WithRing,
		Result: pbx.RecordResult(f.Result), Direction: pbx.RecordDirection(f.Direction), User: f.User, Gateway: f.Gateway}
}

type recordQuery struct {
	recordFilter
	After string `query:"after" title:"After" doc:"What next of the part before says; empty for the newest" maxLength:"40" pattern:"^([0-9]{1,18}-[0-9]{1,18})?$" patternDescription:"two numbers with a hyphen between them"`
	Limit int    `query:"limit" title:"Limit" doc:"At most so many records" minimum:"1" maximum:"200" default:"50"`
}

// CallRecordList is a part of the call records.
type CallRecordList struct {
	Records []pbx.CallRecord `json:"records" title:"Records" doc:"Newest first, without legs" maxItems:"200"`
	Next    string           `json:"next" title:"Next" doc:"Where the following part begins; empty when this is the last one. A part may be short, even empty, and there are more: a search looks at so many records at a time." maxLength:"40"`
}

// WholeCallRecord is one call record with its legs, and why they ended in words.
type WholeCallRecord struct {
	pbx.CallRecord
	Why      pbx.Message     `json:"why" title:"Why" doc:"Why the call ended"`
	LegWhy   []pbx.Message   `json:"legWhy" title:"Why the legs ended" doc:"Why each of the legs ended, in their order" maxItems:"100"`
	Gateways []RecordGateway `json:"gateways" title:"Gateways" doc:"Names of now of the gateways in the record; one that is gone has none" maxItems:"102"`
}

// RecordGateway names a gateway to those who may not see the gateways.
type RecordGateway struct {
	ID   string `json:"id" title:"Identifier" doc:"Identifier of the gateway" maxLength:"26"`
	Name string `json:"name" title:"Name" doc:"Name of the gateway" maxLength:"50"`
}

// CallRecordTotals sums up call records (F209), and says how long they are kept.
type CallRecordTotals struct {
	Calls           int       `json:"calls" title:"Calls" doc:"How many calls match" minimum:"0"`
	Answered        int       `json:"answered" title:"Answered" doc:"How many of them were answered" minimum:"0"`
	Total           int64     `json:"total" title:"Total" doc:"Time that was spoken" unit:"s" minimum:"0"`
	Average         int       `json:"average" title:"Average" doc:"Time that was spoken in an answered call" unit:"s" minimum:"0"`
	TotalWithRing   int64     `json:"totalWithRing" title:"Duration incl. ringing" doc:"Time of all calls with their ringing" unit:"s" minimum:"0"`
	AverageWithRing int       `json:"averageWithRing" title:"Average incl. ringing" doc:"Time of a call with its ringing" unit:"s" minimum:"0"`
	Since           time.Time `json:"since,omitzero" title:"Since" doc:"Set when there were too many records to look at: the totals are those of the calls that began at this time or later"`
	KeptDays        int       `json:"keptDays" title:"Kept for" doc:"Time after which records are deleted" unit:"d" minimum:"7"`
	KeptCalls       int       `json:"keptCalls" title:"Kept calls" doc:"Most records that the device holds" minimum:"1000"`
	Deleting        bool      `json:"deleting" title:"Deleting" doc:"Records are being deleted"`
}

// DeletedRecords answers the deletion of call records.
type DeletedRecords struct {
	Deleted int `json:"deleted" title:"Deleted" doc:"How many records go" minimum:"0"`
}

// recordFile answers an export of call records.
type recordFile struct {
	ContentType string `header:"Content-Type" title:"Type" doc:"text/csv with the encoding" maxLength:"100"`
	Disposition string `header:"Content-Disposition" title:"Disposition" doc:"Name of the file" maxLength:"200"`
	Body        func(huma.Context)
}

func (s *Server) registerRecords() {
	const module, tag, path = "call-records", "Call records", "/call-records"
	register(s, operation{id: "list-call-records", method: http.MethodGet, path: path, tag: tag, module: module,
		summary: "List call records", description: "Every call, in, out and internal, as one record, whoever was transferred in it. Newest first."}, s.listRecords)
	register(s, operation{id: "get-call-record-totals", method: http.MethodGet, path: path + "/totals", tag: tag, module: module,
		summary: "Sum up call records"}, s.recordTotals)
	register(s, operation{id: "export-call-records", method: http.MethodGet, path: path + "/export", tag: tag, module: module,
		summary: "Export call records as CSV", description: "All that match, newest first. The columns have the names of the fields; times are in the zone of the device.", content: csvContent(),
		audits: []string{"export-call-records"}, errors: []int{http.StatusServiceUnavailable}}, s.exportRecords)
	register(s, operation{id: "get-call-record", method: http.MethodGet, path: path + "/{id}", tag: tag, module: module,
		summary: "One call record", description: "With its legs: who took part, when, and who sent the call on.", errors: []int{http.StatusNotFound}}, s.oneRecord)
	register(s, operation{id: "delete-call-records", method: http.MethodDelete, path: path, tag: tag, module: module, status: http.StatusAccepted,
		summary:     "Delete call records",
		description: "Of calls that began before a time, or all. They go in the background. It needs no If-Match: a record is never edited, and calls that end meanwhile stay.",
		audits:      []string{"delete-call-records"}, errors: []int{http.StatusUnprocessableEntity}}, s.deleteRecords)
}

func (s *Server) listRecords(ctx context.Context, in *recordQuery) (*answer[CallRecordList], error) {
	q := in.query()
	q.Limit = in.Limit
	if began, id, ok := strings.Cut(in.After, "-"); ok { // both are numbers, checked before
		q.After.Began, _ = strconv.ParseInt(began, 10, 64)
		q.After.ID, _ = strconv.ParseInt(id, 10, 64)
	}
	page, err := s.Store.Records(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("list call records after %q: %w", in.After, err)
	}
	list := CallRecordList{Records: page.Records}
	if list.Records == nil {
		list.Records = []pbx.CallRecord{}
	}
	if page.More {
		list.Next = fmt.Sprintf("%d-%d", page.Next.Began, page.Next.ID)
	}
	return &answer[CallRecordList]{list}, nil
}

func (s *Server) recordTotals(ctx context.Context, in *recordFilter) (*answer[CallRecordTotals], error) {
	t, err := s.Store.RecordTotals(ctx, in.query())
	if err != nil {
		return nil, fmt.Errorf("sum up call records: %w", err)
	}
	cfg, _ := s.Store.Current()
	whole := func(d time.Duration) int { return int(math.Round(d.Seconds())) }
	return &answer[CallRecordTotals]{CallRecordTotals{
		Calls: t.Calls, Answered: t.Answered, Total: t.Talk, Average: whole(t.AverageTalk()), TotalWithRing: t.Talk + t.Ring, AverageWithRing: whole(t.AverageWithRing()),
		Since: t.Since, KeptDays: cfg.Retention.RecordDays, KeptCalls: cfg.Retention.RecordCalls, Deleting: s.Store.DeletingRecords(),
	}}, nil
}

func (s *Server) oneRecord(ctx context.Context, in *struct {
	ID int64 `path:"id" title:"Number" doc:"Number of the record" minimum:"1" maximum:"9007199254740991"`
}) (*answer[WholeCallRecord], error) {
	r, err := s.Store.Record(ctx, in.ID)
	if err != nil {
		return nil, notFound(fmt.Errorf("call record %d: %w", in.ID, err), "There is no such call record. It may have been deleted.")
	}
	whole := WholeCallRecord{CallRecord: r, Why: r.Cause.Message(), LegWhy: []pbx.Message{}, Gateways: []RecordGateway{}}
	ids := []string{r.GatewayIn, r.GatewayOut}
	for _, l := range r.Legs {
		whole.LegWhy, ids = append(whole.LegWhy, l.Cause.Message()), append(ids, l.Gateway)
	}
	cfg, _ := s.Store.Current()
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if g := cfg.GatewayByID(id); g != nil {
			whole.Gateways = append(whole.Gateways, RecordGateway{g.ID, g.Name})
		}
	}
	return &answer[WholeCallRecord]{whole}, nil
}

// recordsAtATime is how many rows of an export a client has answerTime to read.
const recordsAtATime = 2000

// exportRecords writes a file row by row as the records are read.
func (s *Server) exportRecords(ctx context.Context, in *struct {
	recordFilter
	ExportQuery
}) (*recordFile, error) {
	separator, _ := csvtable.SeparatorNamed(in.Separator) // an enumeration, checked before
	options := csvtable.Options{Encoding: csvtable.Encoding(in.Encoding), Separator: separator, Header: in.Header}
	cfg, _ := s.Store.Current()
	zone, err := time.LoadLocation(cfg.Locale.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	gateway := func(id string) string {
		if g := cfg.GatewayByID(id); g != nil {
			return g.Name
		}
		return id
	}
	held := s.outgoing.share(senderOf(ctx))
	if held.try(exportMemory, 0) != nil {
		return nil, huma.ErrorWithHeaders(tooManyAnswers(), http.Header{"Retry-After": {"60"}})
	}
	if err := s.audit(ctx, "export-call-records", ""); err != nil {
		held.release()
		return nil, err
	}
	write := func(hctx huma.Context) {
		defer held.release()
		readWithin(hctx, answerTime)
		hctx.SetStatus(http.StatusOK)
		n := 0
		written, err := csvtable.Records().WriteSeq(hctx.BodyWriter(), options, nil, func(yield func(csvtable.RecordRow, error) bool) {
			for r, err := range s.Store.ExportRecords(hctx.Context(), in.query()) {
				if n++; n%recordsAtATime == 0 {
					readWithin(hctx, answerTime)
				}
				if !yield(csvtable.RecordRowOf(r, zone, gateway), err) {
					return
				}
			}
		})
		if err != nil {
			s.Log.Warn("call records not delivered", "rows", written.Rows, "err", err)
			panic(http.ErrAbortHandler) // the client must not take a part for the whole
		}
	}
	name := "call-records-" + s.Now().In(zone).Format("2006-01-02") + ".csv"
	return &recordFile{ContentType: "text/csv; charset=" + in.Encoding, Disposition: `attachment; filename="` + name + `"`, Body: write}, nil
}

func (s *Server) deleteRecords(ctx context.Context, in *struct {
	Before time.Time `query:"before" title:"Before" doc:"Records of calls that began before this time go"`
	All    bool      `query:"all" title:"All" doc:"All records go"`
}) (*answer[DeletedRecords], error) {
	if in.Before.IsZero() != in.All {
		return nil, invalid(detailOf("query.before", pbx.Say("give a time, or all=true")))
	}
	if err := s.still(ctx); err != nil {
		return nil, err
	}
	n, err := s.Store.DeleteRecords(ctx, in.Before, s.act(ctx, "delete-call-records", ""))
	if err != nil {
		return nil, fmt.Errorf("delete call records before %v: %w", in.Before, err)
	}
	return &answer[DeletedRecords]{DeletedRecords{n}}, nil
}
