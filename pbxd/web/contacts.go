package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"galilei/pbxd/pbx"
)

// directory is the global directory, or the private ones.
type directory struct {
	path   string // of the API
	tag    string
	name   string // of one entry, as in operation IDs and the audit log
	names  string
	global bool
	limit  int            // contacts of one owner
	read   string         // module of those who see it
	write  string         // module of those who change it
	csv    string         // module of import and export
	permit pbx.Permission // stands for the module write; empty for none
}

func globalDirectory() directory {
	return directory{path: "/contacts", tag: "Global contacts", name: "contact", names: "contacts", global: true, limit: pbx.MaxGlobalContacts,
		read: "contacts-global", write: "contact-list", csv: "contact-csv", permit: pbx.PermitEditContacts}
}

func privateDirectory() directory {
	return directory{path: "/private-contacts", tag: "Private contacts", name: "private-contact", names: "private-contacts", limit: pbx.MaxPrivateContacts,
		read: "contacts-private", write: "contacts-private", csv: "contacts-private-csv"}
}

// owner returns whose directory the caller means: "" for the global one.
func (d directory) owner(ctx context.Context) string {
	if d.global {
		return ""
	}
	return callerOf(ctx).user.ID
}

// object is what the audit log says of a contact. Names of private contacts
// are nobody else's business.
func (d directory) object(c pbx.Contact) string {
	if !d.global {
		return ""
	}
	if n := strings.TrimSpace(c.FirstName + " " + c.LastName); n != "" {
		return n
	}
	return c.Company
}

// contactQuery asks for a part of a directory.
type contactQuery struct {
	Name   string `query:"name" title:"Name" doc:"Beginning of the first or the last name, without regard to case" maxLength:"50"`
	Number string `query:"number" title:"Number" doc:"Beginning of a number; spaces and signs do not count" maxLength:"32"`
	Letter string `query:"letter" title:"Letter" doc:"First letter of the first or the last name" maxLength:"4"`
	Sort   string `query:"sort" title:"Sort by" doc:"Column to sort by" enum:"firstName,lastName,company,office,officeQuickdial,mobile,mobileQuickdial,home,homeQuickdial,email" default:"lastName"`
	Down   bool   `query:"down" title:"Descending" doc:"Descending instead of ascending"`
	Offset int    `query:"offset" title:"Offset" doc:"How many entries to skip" minimum:"0" maximum:"1000000"`
	Limit  int    `query:"limit" title:"Limit" doc:"At most so many entries" minimum:"1" maximum:"1000" default:"100"`
}

func (q contactQuery) of(owner string) pbx.ContactQuery {
	return pbx.ContactQuery{Owner: owner, Name: q.Name, Number: q.Number, Letter: q.Letter, Sort: q.Sort, Down: q.Down, Offset: q.Offset, Limit: q.Limit}
}

// counted is a part of a list and how many entries match in all.
type counted[T any] struct {
	Total int `header:"X-Total-Count" title:"Total" doc:"How many entries match"`
	Body  []T
}

type contactInput struct{ Body body[pbx.ContactSettings] }

type contactChange struct {
	EntryPath
	IfMatch
	Body body[pbx.ContactSettings]
}

// DeletedContacts answers the deletion of a whole directory.
type DeletedContacts struct {
	Deleted int `json:"deleted" title:"Deleted" doc:"How many contacts were deleted" minimum:"0" maximum:"20000"`
}

func (s *Server) registerContacts() {
	for _, d := range []directory{globalDirectory(), privateDirectory()} {
		s.registerDirectory(d)
		s.registerContactImport(d)
		s.registerContactExport(d)
	}
	s.registerInternalContacts()
}

func (s *Server) registerDirectory(d directory) {
	register(s, d.reading(operation{id: "list-" + d.names, method: http.MethodGet, path: d.path,
		summary: "List contacts", description: "Sorted by the letters of the language. The header X-Total-Count says how many match."}),
		func(ctx context.Context, in *contactQuery) (*counted[pbx.Contact], error) {
			return s.listContacts(ctx, d, in)
		})
	register(s, d.reading(operation{id: "get-" + d.name, method: http.MethodGet, path: d.path + "/{id}",
		summary: "One contact", errors: []int{http.StatusNotFound}}),
		func(ctx context.Context, in *EntryPath) (*tagged[pbx.Contact], error) {
			c, err := s.Store.Contact(ctx, d.owner(ctx), in.ID)
			if err != nil {
				return nil, noContact(fmt.Errorf("contact %s: %w", in.ID, err))
			}
			return &tagged[pbx.Contact]{etag(c), c}, nil
		})
	register(s, d.writing(operation{id: "add-" + d.name, method: http.MethodPost, path: d.path, status: http.StatusCreated,
		summary: "Add a contact", errors: []int{http.StatusConflict, http.StatusUnprocessableEntity}}),
		func(ctx context.Context, in *contactInput) (*created[pbx.Contact], error) {
			return s.addContact(ctx, d, in.Body.value)
		})
	register(s, d.writing(operation{id: "change-" + d.name, method: http.MethodPut, path: d.path + "/{id}",
		summary: "Change a contact", errors: []int{http.StatusNotFound, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}}),
		func(ctx context.Context, in *contactChange) (*tagged[pbx.Contact], error) {
			return s.changeContact(ctx, d, in)
		})
	register(s, d.writing(operation{id: "delete-" + d.name, method: http.MethodDelete, path: d.path + "/{id}", status: http.StatusNoContent,
		summary: "Delete a contact", errors: []int{http.StatusNotFound, http.StatusPreconditionFailed, http.StatusPreconditionRequired}}),
		func(ctx context.Context, in *struct {
			EntryPath
			IfMatch
		}) (*none, error) {
			var gone pbx.Contact
			err := s.Store.DeleteContact(ctx, d.owner(ctx), in.ID, func(c pbx.Contact) error {
				gone = c
				return in.check(etag(c))
			})
			if err != nil {
				return nil, noContact(fmt.Errorf("delete contact %s: %w", in.ID, err))
			}
			s.record(ctx, "delete-"+d.name, d.object(gone))
			return &none{}, nil
		})
	register(s, d.writing(operation{id: "delete-all-" + d.names, method: http.MethodDelete, path: d.path,
		summary: "Delete all contacts", description: "Only with all=true, which stands for If-Match: whatever there is goes. It cannot be undone: export them before.", errors: []int{http.StatusUnprocessableEntity}}),
		func(ctx context.Context, in *struct {
			All bool `query:"all" title:"All" doc:"Must be true: every contact of the directory is deleted"`
		}) (*answer[DeletedContacts], error) {
			if !in.All {
				return nil, invalid(detailOf("query.all", pbx.Say("must be true: every contact is deleted")))
			}
			n, err := s.Store.DeleteContacts(ctx, d.owner(ctx))
			if err != nil {
				return nil, fmt.Errorf("delete all contacts: %w", err)
			}
			s.record(ctx, "delete-all-"+d.names, fmt.Sprint(n))
			return &answer[DeletedContacts]{DeletedContacts{n}}, nil
		})
}

// reading completes an operation that shows the directory.
func (d directory) reading(op operation) operation {
	op.tag, op.module = d.tag, d.read
	if d.write != d.read {
		op.module += "|" + d.write
	}
	return op
}

// writing completes an operation that changes the directory.
func (d directory) writing(op operation) operation {
	op.tag, op.module, op.permission, op.audits = d.tag, d.write, d.permit, []string{op.id}
	return op
}

// moving completes an import or an export.
func (d directory) moving(op operation) operation {
	op.tag, op.module, op.audits = d.tag, d.csv, []string{op.id}
	return op
}

func noContact(err error) error { return notFound(err, "There is no such contact.") }

func (s *Server) listContacts(ctx context.Context, d directory, in *contactQuery) (*counted[pbx.Contact], error) {
	page, err := s.Store.Contacts(ctx, in.of(d.owner(ctx)))
	if err != nil {
		return nil, fmt.Errorf("list contacts: %w", err)
	}
	if page.Contacts == nil {
		page.Contacts = []pbx.Contact{}
	}
	return &counted[pbx.Contact]{page.Total, page.Contacts}, nil
}

func (s *Server) addContact(ctx context.Context, d directory, settings pbx.ContactSettings) (*created[pbx.Contact], error) {
	s.directories.Lock()
	defer s.directories.Unlock()
	c := pbx.Contact{ID: pbx.NewID(), ContactSettings: settings}
	if err := s.checkContact(ctx, d, c); err != nil {
		return nil, err
	}
	if err := s.still(ctx); err != nil {
		return nil, err
	}
	if err := s.Store.AddContacts(ctx, d.owner(ctx), []pbx.Contact{c}); err != nil {
		return nil, fullDirectory(fmt.Errorf("add contact: %w", err), d)
	}
	s.record(ctx, "add-"+d.name, d.object(c))
	return &created[pbx.Contact]{etag(c), apiPrefix + d.path + "/" + c.ID, c}, nil
}

func (s *Server) changeContact(ctx context.Context, d directory, in *contactChange) (*tagged[pbx.Contact], error) {
	s.directories.Lock()
	defer s.directories.Unlock()
	if _, err := s.Store.Contact(ctx, d.owner(ctx), in.ID); err != nil {
		return nil, noContact(fmt.Errorf("contact %s: %w", in.ID, err))
	}
	if err := s.checkContact(ctx, d, pbx.Contact{ID: in.ID, ContactSettings: in.Body.value}); err != nil {
		return nil, err
	}
	if err := s.still(ctx); err != nil {
		return nil, err
	}
	changed := false
	c, err := s.Store.ChangeContact(ctx, d.owner(ctx), in.ID, func(c *pbx.Contact) error {
		if err := in.check(etag(*c)); err != nil {
			return err
		}
		changed = c.ContactSettings != in.Body.value
		c.ContactSettings = in.Body.value
		return nil
	})
	if err != nil {
		return nil, noContact(fmt.Errorf("change contact %s: %w", in.ID, err))
	}
	if changed {
		s.record(ctx, "change-"+d.name, d.object(c))
	}
	return &tagged[pbx.Contact]{etag(c), c}, nil
}

func fullDirectory(err error, d directory) error {
	if errors.Is(err, pbx.ErrTooMany) {
		return refuse(http.StatusConflict, "The directory is full: it holds {max} contacts. Delete some first.", "max", d.limit)
	}
	return err
}
