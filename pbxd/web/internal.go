package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"galilei/pbxd/pbx"
)

// InternalContact is a user as the internal directory shows it (F103).
type InternalContact struct {
	ID        string `json:"id" title:"Identifier" doc:"Identifier of the user" maxLength:"26"`
	FirstName string `json:"firstName" title:"First name" doc:"First name" maxLength:"50"`
	LastName  string `json:"lastName" title:"Last name" doc:"Last name" maxLength:"50"`
	Extension string `json:"extension" title:"Extension" doc:"Internal number" maxLength:"10"`
	Mobile    string `json:"mobile" title:"Mobile" doc:"Mobile number" maxLength:"32"`
	Home      string `json:"home" title:"Home" doc:"Private number" maxLength:"32"`
	Email     string `json:"email" title:"E-mail" doc:"E-mail address" maxLength:"254"`
	Image     string `json:"image" title:"Image" doc:"Hash of the picture, or empty" maxLength:"64"`
}

// internalQuery asks for a part of the internal directory.
type internalQuery struct {
	Name   string `query:"name" title:"Name" doc:"Beginning of the first or the last name, without regard to case" maxLength:"50"`
	Number string `query:"number" title:"Number" doc:"Beginning of a number; spaces and signs do not count" maxLength:"32"`
	Letter string `query:"letter" title:"Letter" doc:"First letter of the first or the last name" maxLength:"4"`
	Sort   string `query:"sort" title:"Sort by" doc:"Column to sort by" enum:"firstName,lastName,extension,mobile,home,email" default:"lastName"`
	Down   bool   `query:"down" title:"Descending" doc:"Descending instead of ascending"`
	Offset int    `query:"offset" title:"Offset" doc:"How many entries to skip" minimum:"0" maximum:"1000000"`
	Limit  int    `query:"limit" title:"Limit" doc:"At most so many entries" minimum:"1" maximum:"1000" default:"100"`
}

const internalModule = "contacts-internal"

func (s *Server) registerInternalContacts() {
	register(s, operation{id: "list-internal-contacts", method: http.MethodGet, path: "/internal-contacts", tag: "Internal contacts",
		module: internalModule, summary: "List the users in the internal directory",
		description: "Users with an extension who are not hidden from the phonebook. The header X-Total-Count says how many match."},
		func(_ context.Context, in *internalQuery) (*counted[InternalContact], error) {
			cfg, _ := s.Store.Current()
			list := []InternalContact{}
			for i := range cfg.Users {
				u := &cfg.Users[i]
				if c := internalContact(u); cfg.Listed(u) && in.matches(c) {
					list = append(list, c)
				}
			}
			in.sort(list)
			total := len(list)
			list = list[min(in.Offset, total):]
			return &counted[InternalContact]{total, list[:min(in.Limit, len(list))]}, nil
		})
}

func internalContact(u *pbx.User) InternalContact {
	return InternalContact{ID: u.ID, FirstName: u.FirstName, LastName: u.LastName, Extension: u.Extension,
		Mobile: u.Mobile, Home: u.Home, Email: u.Email, Image: u.Image}
}

func (q *internalQuery) matches(c InternalContact) bool {
	names := []string{c.FirstName, c.LastName}
	numbers := []string{c.Extension, dialled(c.Mobile), dialled(c.Home)}
	return anyBegins(names, q.Name) && anyBegins(names, q.Letter) && anyBegins(numbers, dialled(q.Number))
}

// anyBegins reports whether one of the texts begins with prefix, without
// regard to case. Every text begins with nothing.
func anyBegins(texts []string, prefix string) bool {
	if prefix == "" {
		return true
	}
	n := utf8.RuneCountInString(prefix)
	return slices.ContainsFunc(texts, func(t string) bool {
		runes := []rune(t)
		return len(runes) >= n && strings.EqualFold(string(runes[:n]), prefix)
	})
}

// dialled returns what of a number is dialled: without spaces and signs.
func dialled(number string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" ()/-", r) {
			return -1
		}
		return r
	}, number)
}

func (q *internalQuery) sort(list []InternalContact) {
	column := func(c InternalContact) string {
		switch q.Sort {
		case "firstName":
			return c.FirstName
		case "extension":
			return c.Extension
		case "mobile":
			return c.Mobile
		case "home":
			return c.Home
		case "email":
			return c.Email
		}
		return c.LastName
	}
	sort.SliceStable(list, func(i, j int) bool {
		order := cmp.Compare(strings.ToLower(column(list[i])), strings.ToLower(column(list[j])))
		if q.Down {
			return order > 0
		}
		return order < 0
	})
}
