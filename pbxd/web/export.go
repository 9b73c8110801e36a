package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/csvtable"
	"galilei/pbxd/pbx"
)

// ExportQuery says how the file of an export is to be written.
type ExportQuery struct {
	Encoding  string `query:"encoding" title:"Encoding" doc:"Encoding of the file. Characters that ISO-8859-1 lacks become '?'." enum:"utf-8,iso-8859-1" default:"utf-8"`
	Separator string `query:"separator" title:"Separator" doc:"What stands between two columns" enum:"comma,semicolon,tab" default:"comma"`
	Header    bool   `query:"header" title:"Header" doc:"The first line names the columns" default:"true"`
}

// contactExportQuery adds the choice of columns.
type contactExportQuery struct {
	ExportQuery
	Columns string `query:"columns" title:"Columns" doc:"10: everything but the picture, which an import reads back. 6: as in earlier systems, without quick dials and e-mail." enum:"6,10" default:"10"`
}

// csvFile answers an export. The file is written row by row, so that a client
// that reads slowly does not keep the whole of it in memory.
type csvFile struct {
	ContentType string `header:"Content-Type" title:"Type" doc:"text/csv with the encoding" maxLength:"100"`
	Disposition string `header:"Content-Disposition" title:"Disposition" doc:"Name of the file" maxLength:"200"`
	Replaced    int    `header:"X-Replaced-Characters" title:"Replaced" doc:"How many characters the encoding lacks; each is a '?' in the file" minimum:"0" maximum:"10000000"`
	Body        func(huma.Context)
}

func csvContent() *huma.Response {
	return &huma.Response{Description: "The file", Content: map[string]*huma.MediaType{
		typeCSV: {Schema: &huma.Schema{Type: huma.TypeString, Title: "File", Description: "CSV (RFC 4180)"}}}}
}

// Limits of an export. Its memory counts like that of a large answer.
const (
	exportMemory = 1 << 20         // for the numbers of 20,000 contacts, and a row
	exportTime   = 3 * time.Minute // to read it: 14 MB at 650 kbit/s
)

// export is a table that is about to be written.
type export[T any] struct {
	table   *csvtable.Table[T]
	query   ExportQuery
	columns []csvtable.Column // nil for all
	name    string            // of the file

	// read reads the rows anew each time it is called. What is gone since the
	// first time is left out.
	read func(ctx context.Context) iter.Seq2[T, error]
}

// answer writes the rows once to count what the encoding lacks, which the
// header tells, and again for the client.
func (x export[T]) answer(ctx context.Context, s *Server, first iter.Seq2[T, error]) (*csvFile, error) {
	separator, _ := csvtable.SeparatorNamed(x.query.Separator) // an enumeration, checked before
	options := csvtable.Options{Encoding: csvtable.Encoding(x.query.Encoding), Separator: separator, Header: x.query.Header}
	held := s.outgoing.share(senderOf(ctx))
	if held.try(exportMemory, 0) != nil {
		return nil, huma.ErrorWithHeaders(tooManyAnswers(), http.Header{"Retry-After": {"60"}})
	}
	written, err := x.table.WriteSeq(io.Discard, options, x.columns, first)
	if err != nil {
		held.release()
		return nil, fmt.Errorf("count characters of %d rows: %w", written.Rows, err)
	}
	write := func(hctx huma.Context) {
		defer held.release()
		readWithin(hctx, exportTime)
		hctx.SetStatus(http.StatusOK)
		if _, err := x.table.WriteSeq(hctx.BodyWriter(), options, x.columns, x.read(hctx.Context())); err != nil {
			s.Log.Warn("export not delivered", "file", x.name, "err", err)
			panic(http.ErrAbortHandler) // the client must not take a part for the whole
		}
	}
	return &csvFile{ContentType: "text/csv; charset=" + x.query.Encoding, Disposition: `attachment; filename="` + x.name + `"`, Replaced: written.Replaced, Body: write}, nil
}

func (s *Server) registerContactExport(d directory) {
	register(s, d.moving(operation{id: "export-" + d.names, method: http.MethodGet, path: d.path + "/export",
		summary: "Export contacts as CSV", content: csvContent(), errors: []int{http.StatusServiceUnavailable}}),
		func(ctx context.Context, in *contactExportQuery) (*csvFile, error) {
			owner := d.owner(ctx)
			x := export[csvtable.ContactRow]{table: csvtable.Contacts(), query: in.ExportQuery, name: "prv_pb_" + callerOf(ctx).user.Name + ".csv"}
			if in.Columns == "6" {
				x.columns = csvtable.ContactColumnsShort()
			}
			s.directories.Lock() // one at a time has all contacts in memory
			defer s.directories.Unlock()
			page, err := s.Store.Contacts(ctx, pbx.ContactQuery{Owner: owner})
			if err != nil {
				return nil, fmt.Errorf("export contacts: %w", err)
			}
			if err := s.audit(ctx, "export-"+d.names, strconv.Itoa(len(page.Contacts))); err != nil {
				return nil, err
			}
			ids := make([]string, len(page.Contacts))
			for i := range page.Contacts {
				ids[i] = strings.Clone(page.Contacts[i].ID)
			}
			x.read = func(ctx context.Context) iter.Seq2[csvtable.ContactRow, error] { return s.contactRows(ctx, owner, ids) }
			return x.answer(ctx, s, func(yield func(csvtable.ContactRow, error) bool) {
				for i := range page.Contacts {
					if !yield(csvtable.ContactRowOf(page.Contacts[i].ContactSettings), nil) {
						return
					}
				}
			})
		})
}

// contactRows reads the contacts one by one. Those that were deleted meanwhile
// are left out.
func (s *Server) contactRows(ctx context.Context, owner string, ids []string) iter.Seq2[csvtable.ContactRow, error] {
	return func(yield func(csvtable.ContactRow, error) bool) {
		for _, id := range ids {
			c, err := s.Store.Contact(ctx, owner, id)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if !yield(csvtable.ContactRowOf(c.ContactSettings), err) {
				return
			}
		}
	}
}

func (s *Server) registerUserExport() {
	register(s, operation{id: "export-users", method: http.MethodGet, path: "/users/export", tag: "Users", module: "users",
		summary: "Export users as CSV", description: "Users with an extension. The column PIN is empty: PINs cannot be read. With a header, the location is a column when any user has one.", content: csvContent(),
		audits: []string{"export-users"}, errors: []int{http.StatusServiceUnavailable}},
		func(ctx context.Context, in *ExportQuery) (*csvFile, error) {
			cfg, _ := s.Store.Current()
			rows := userRows(cfg)
			if err := s.audit(ctx, "export-users", strconv.Itoa(len(rows))); err != nil {
				return nil, err
			}
			x := export[csvtable.UserRow]{table: csvtable.Users(), query: *in, name: "users.csv"}
			if in.Header && slices.ContainsFunc(rows, func(r csvtable.UserRow) bool { return r.Location != "" }) {
				x.columns = csvtable.UserColumnsWithLocation() // readers without a header know the 15 of the list
			}
			x.read = func(context.Context) iter.Seq2[csvtable.UserRow, error] {
				return func(yield func(csvtable.UserRow, error) bool) {
					for _, row := range rows {
						if !yield(row, nil) {
							return
						}
					}
				}
			}
			return x.answer(ctx, s, x.read(ctx))
		})
}

// userRows returns the users with an extension as rows: pickup groups by
// number, hunt groups by extension.
func userRows(cfg *pbx.Config) []csvtable.UserRow {
	rows := []csvtable.UserRow{}
	for i := range cfg.Users {
		u := &cfg.Users[i]
		if u.Extension == "" {
			continue
		}
		var pickup, hunt []string
		for _, g := range cfg.PickupGroups {
			if slices.Contains(g.Members, u.ID) {
				pickup = append(pickup, strconv.Itoa(g.Number))
			}
		}
		for _, g := range cfg.HuntGroups {
			if slices.ContainsFunc(g.Members, func(m pbx.HuntMember) bool { return m.User == u.ID }) {
				hunt = append(hunt, g.Extension)
			}
		}
		rows = append(rows, csvtable.UserRowOf(u.UserSettings, pickup, hunt))
	}
	return rows
}
