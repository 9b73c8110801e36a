package web

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"galilei/pbxd/pbx"
)

// checkContact checks a contact's own rules, and that its quick dials dial
// nobody else in the directory. The caller holds s.directories.
func (s *Server) checkContact(ctx context.Context, d directory, c pbx.Contact) error {
	var details []ProblemDetail
	if wrong, ok := errors.AsType[*pbx.ValidationError](pbx.ValidateContact(&c.ContactSettings)); ok {
		for _, f := range wrong.Fields {
			details = append(details, detailOf("body."+f.Path, f.Rule))
		}
	}
	own := quickdialsOf(&c.ContactSettings)
	if !own.empty() {
		taken, _, err := s.quickdials(ctx, d.owner(ctx), c.ID)
		if err != nil {
			return err
		}
		for _, q := range own {
			if *q.number == "" {
				continue
			}
			if name, is := taken[*q.number]; is {
				details = append(details, detailOf("body."+q.field, pbx.Say("{number} already dials {name}", "number", *q.number, "name", name)))
				continue
			}
			taken[*q.number] = nameOfContact(&c.ContactSettings)
		}
	}
	if details == nil {
		return nil
	}
	return invalid(details...)
}

// quickdial is one quick dial of a contact.
type quickdial struct {
	field  string // JSON name
	number *string
}

type contactQuickdials [3]quickdial

func quickdialsOf(c *pbx.ContactSettings) contactQuickdials {
	return contactQuickdials{{"officeQuickdial", &c.OfficeQuickdial}, {"mobileQuickdial", &c.MobileQuickdial}, {"homeQuickdial", &c.HomeQuickdial}}
}

func (q contactQuickdials) empty() bool { return *q[0].number+*q[1].number+*q[2].number == "" }

func nameOfContact(c *pbx.ContactSettings) string {
	if n := strings.TrimSpace(c.FirstName + " " + c.LastName); n != "" {
		return n
	}
	return c.Company
}

// quickdials returns whom each quick dial of a directory dials, without those
// of the contact except, and how many contacts there are.
func (s *Server) quickdials(ctx context.Context, owner, except string) (taken map[string]string, count int, err error) {
	page, err := s.Store.Contacts(ctx, pbx.ContactQuery{Owner: owner})
	if err != nil {
		return nil, 0, fmt.Errorf("quick dials: %w", err)
	}
	taken = map[string]string{}
	for i := range page.Contacts {
		c := &page.Contacts[i]
		for _, q := range quickdialsOf(&c.ContactSettings) {
			if *q.number != "" && c.ID != except {
				taken[*q.number] = nameOfContact(&c.ContactSettings)
			}
		}
	}
	return taken, page.Total, nil
}
