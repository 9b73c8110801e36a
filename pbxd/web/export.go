package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

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

// csvFile answers an export.
type csvFile struct {
	ContentType string `header:"Content-Type" title:"Type" doc:"text/csv with the encoding" maxLength:"100"`
	Disposition string `header:"Content-Disposition" title:"Disposition" doc:"Name of the file" maxLength:"200"`
	Replaced    int    `header:"X-Replaced-Characters" title:"Replaced" doc:"How many characters the encoding lacks; each is a '?' in the file" minimum:"0" maximum:"10000000"`
	Body        []byte
}

func csvContent() *huma.Response {
	return &huma.Response{Description: "The file", Content: map[string]*huma.MediaType{
		typeCSV: {Schema: &huma.Schema{Type: huma.TypeString, Title: "File", Description: "CSV (RFC 4180)"}}}}
}

// writeTable writes an export.
func writeTable[T any](table *csvtable.Table[T], q ExportQuery, columns []csvtable.Column, rows []T, name string) (*csvFile, error) {
	separator, _ := csvtable.SeparatorNamed(q.Separator) // an enumeration, checked before
	var text bytes.Buffer
	written, err := table.Write(&text, csvtable.Options{Encoding: csvtable.Encoding(q.Encoding), Separator: separator, Header: q.Header}, columns, rows)
	if err != nil {
		return nil, fmt.Errorf("write %d rows: %w", len(rows), err)
	}
	return &csvFile{ContentType: "text/csv; charset=" + q.Encoding, Disposition: `attachment; filename="` + name + `"`, Replaced: written.Replaced, Body: text.Bytes()}, nil
}

func (s *Server) registerContactExport(d directory) {
	register(s, d.moving(operation{id: "export-" + d.names, method: http.MethodGet, path: d.path + "/export",
		summary: "Export contacts as CSV", content: csvContent()}),
		func(ctx context.Context, in *contactExportQuery) (*csvFile, error) {
			page, err := s.Store.Contacts(ctx, pbx.ContactQuery{Owner: d.owner(ctx)})
			if err != nil {
				return nil, fmt.Errorf("export contacts: %w", err)
			}
			rows := make([]csvtable.ContactRow, len(page.Contacts))
			for i := range page.Contacts {
				rows[i] = csvtable.ContactRowOf(page.Contacts[i].ContactSettings)
			}
			var columns []csvtable.Column // all ten
			if in.Columns == "6" {
				columns = csvtable.ContactColumnsShort()
			}
			if err := s.audit(ctx, "export-"+d.names, strconv.Itoa(len(rows))); err != nil {
				return nil, err
			}
			return writeTable(csvtable.Contacts(), in.ExportQuery, columns, rows, "prv_pb_"+callerOf(ctx).user.Name+".csv")
		})
}

func (s *Server) registerUserExport() {
	register(s, operation{id: "export-users", method: http.MethodGet, path: "/users/export", tag: "Users", module: "users",
		summary: "Export users as CSV", description: "Users with an extension. The column PIN is empty: PINs cannot be read.", content: csvContent(),
		audits: []string{"export-users"}},
		func(ctx context.Context, in *ExportQuery) (*csvFile, error) {
			cfg, _ := s.Store.Current()
			rows := userRows(cfg)
			if err := s.audit(ctx, "export-users", strconv.Itoa(len(rows))); err != nil {
				return nil, err
			}
			return writeTable(csvtable.Users(), *in, nil, rows, "users.csv")
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
