package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"galilei/pbxd/pbx"
)

// Effect says whom the restore of a revision concerns, by login name of now,
// or of then for those who come back.
type Effect struct {
	Deleted  []string `json:"deleted" title:"Deleted users" maxItems:"10000" doc:"Users that the restore deletes"`
	Back     []string `json:"back" title:"Users brought back" maxItems:"10000" doc:"Deleted users that it brings back"`
	Promoted []string `json:"promoted" title:"New administrators" maxItems:"10000" doc:"Users that become administrators"`
	Demoted  []string `json:"demoted" title:"No longer administrators" maxItems:"10000" doc:"Users that are no longer administrators"`
}

// past is what is known of the users of a revision.
type past map[string]pastUser // by ID

type pastUser struct {
	name  string
	admin bool
}

// effectOf compares the users of now with those of revision number, which it
// finds by taking the changes since back, the newest first.
func (s *Server) effectOf(ctx context.Context, number int64) (Effect, error) {
	cfg, current := s.Store.Current()
	now, then := past{}, past{}
	for i := range cfg.Users {
		u := &cfg.Users[i]
		now[u.ID] = pastUser{u.Name, u.Admin}
		then[u.ID] = now[u.ID]
	}
	const step = 100
	next := current // number of the newest revision that is not taken back yet
	for next > number {
		list, err := s.Store.Revisions(ctx, next+1, step)
		if err != nil {
			return Effect{}, fmt.Errorf("changes since revision %d: %w", number, err)
		}
		for _, r := range list {
			if r.Number <= number {
				break
			}
			then.undo(r.Changes)
		}
		if len(list) == 0 {
			return Effect{}, refuse(http.StatusNotFound, "There is no revision {n}.", "n", number)
		}
		next = list[len(list)-1].Number - 1
	}
	return compare(now, then), nil
}

// userParameter takes a path of pbx.Diff apart: users[eva].admin, or
// users[#k3j5x].user when the name changed. Either name or id is set; field is
// empty for other paths.
func userParameter(path string) (name, id, field string) {
	rest, ok := strings.CutPrefix(path, "users[")
	key, field, found := strings.Cut(rest, "].")
	if !ok || !found {
		return "", "", ""
	}
	if id, ok := strings.CutPrefix(key, "#"); ok {
		return "", id, field
	}
	return key, "", field
}

// undo takes the changes of one revision back.
func (p past) undo(changes []pbx.Change) {
	ids := map[string]string{} // by the name that the changes use
	for id, u := range p {
		ids[u.name] = id
	}
	for _, c := range changes {
		if name, _, field := userParameter(c.Path); field == "id" {
			ids[name] = c.Old + c.New // the user is on one side only
		}
	}
	for _, c := range changes {
		name, id, field := userParameter(c.Path)
		if id == "" {
			id = ids[name]
		}
		u := p[id]
		switch field {
		case "user":
			u.name = c.Old
		case "admin":
			u.admin = c.Old == "true"
		default:
			continue
		}
		p[id] = u
	}
	for _, c := range changes {
		if _, _, field := userParameter(c.Path); field == "id" && c.Old == "" {
			delete(p, c.New) // was added
		}
	}
}

func compare(now, then past) Effect {
	e := Effect{Deleted: []string{}, Back: []string{}, Promoted: []string{}, Demoted: []string{}}
	for id, u := range now {
		t, there := then[id]
		switch {
		case !there:
			e.Deleted = append(e.Deleted, u.name)
		case t.admin && !u.admin:
			e.Promoted = append(e.Promoted, u.name)
		case u.admin && !t.admin:
			e.Demoted = append(e.Demoted, u.name)
		}
	}
	for id, t := range then {
		if _, there := now[id]; !there {
			e.Back = append(e.Back, t.name)
		}
	}
	for _, list := range []([]string){e.Deleted, e.Back, e.Promoted, e.Demoted} {
		slices.SortFunc(list, strings.Compare)
	}
	return e
}
