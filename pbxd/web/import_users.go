package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"galilei/pbxd/csvtable"
	"galilei/pbxd/pbx"
)

// usersImport is the request of an import of users (F073).
type usersImport struct {
	ImportQuery
	CreateGroups bool `query:"createGroups" title:"Add groups" doc:"Add pickup groups and hunt groups that the file names and that do not exist. It needs the modules of those, too."`
	File         upload
}

func (s *Server) registerUserImport() {
	registerUpload(s, operation{id: "import-users", method: http.MethodPost, path: "/users/import", tag: "Users", module: "user-import",
		summary: "Import users from CSV", description: "First with check=true, which changes nothing and shows the verdict on each row; then with check=false, " +
			"which adds the users of the good rows in one revision. Users that exist are not changed: their rows are refused. Phones get a random SIP password, users must change the PIN at their first login.",
		audits: []string{"import-users"}, errors: []int{http.StatusConflict}}, []string{typeCSV, typeText, typeBinary},
		func(ctx context.Context, in *usersImport) (*answer[ImportReport], error) {
			leave, err := s.enterUpload(ctx)
			if err != nil {
				return nil, err
			}
			defer leave()
			f, err := readImport(csvtable.Users(), &in.File, &in.ImportQuery)
			if err != nil {
				return nil, err
			}
			if err := s.importUsers(ctx, f, in.CreateGroups); err != nil {
				return nil, err
			}
			return f.report()
		})
}

// importUsers judges the rows against the configuration and, unless it is a
// check, adds the users of the good ones in one commit.
func (s *Server) importUsers(ctx context.Context, f *importFile[csvtable.UserRow], createGroups bool) error {
	cfg, _ := s.Store.Current()
	im := newcomers{rows: f.Rows, model: s.Model, createGroups: createGroups, may: callerOf(ctx).has, room: s.roomForUser, ids: make([]string, len(f.Rows))}
	for i := range im.ids {
		im.ids[i] = pbx.NewID()
	}
	if err := im.join(cfg.Clone()); err != nil || f.check {
		return err
	}
	im.users = make([]pbx.User, len(f.Rows))
	good := 0
	for i := range f.Rows { // outside of the commit, and one PIN at a time: logins go on meanwhile
		if row := &f.Rows[i]; row.OK {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("hash PIN %d: %w", good+1, err)
			}
			u := &im.users[i]
			u.PIN, u.MustChangePIN = s.pins.Hash(row.Value.PIN), true
			u.SIPPassword = s.Store.Key().Seal(pbx.SIPPasswordPurpose(im.ids[i]), pbx.NewSIPPassword())
			good++
		}
	}
	if good == 0 {
		return nil
	}
	_, err := s.commit(ctx, pbx.Say("Users imported: {count}", "count", good), im.join)
	if err != nil {
		return fmt.Errorf("import %d users: %w", good, err)
	}
	f.done = true
	s.record(ctx, "import-users", strconv.Itoa(im.good()))
	return nil
}

// newcomers are the users that an import adds.
type newcomers struct {
	rows         []csvtable.Row[csvtable.UserRow]
	ids          []string   // of the users, by row
	users        []pbx.User // secrets of the users, by row; nil while none are needed
	model        pbx.Model
	createGroups bool
	may          func(module string) bool      // whether the caller has it: a group is added by who may add one
	room         func(before, after int) error // whether so many users may have an extension
}

func (im *newcomers) good() (n int) {
	for i := range im.rows {
		if im.rows[i].OK {
			n++
		}
	}
	return n
}

// join adds the users of the good rows to cfg. Rows that cannot be added are
// refused, and the rest is tried again. An error is a *pbx.ValidationError
// about something else than a row.
func (im *newcomers) join(cfg *pbx.Config) error {
	for {
		next := cfg.Clone()
		a := &admission{newcomers: im, cfg: next, rowOfUser: map[int]int{}, pickup: map[int][]int{}, hunt: map[int][]int{}}
		a.admit()
		unlimited := im.model
		unlimited.MaxUsers = 0 // room is judged last: rows that are refused for something else take none
		err := pbx.Validate(next, unlimited)
		if err == nil {
			if a.squeeze() {
				continue
			}
			*cfg = *next
			return nil
		}
		wrong, ok := errors.AsType[*pbx.ValidationError](err)
		if ok {
			wrong.Blame(cfg, next) // what was there before is not to blame
		}
		if !ok || !a.blame(wrong) {
			return err
		}
	}
}

// admission is one attempt to add the rows.
type admission struct {
	*newcomers
	cfg          *pbx.Config
	rowOfUser    map[int]int   // index among the users => row
	pickup, hunt map[int][]int // index of a group => rows that joined it
}

// squeeze refuses the rows for which there is no room, the last ones, and
// reports whether there are any.
func (a *admission) squeeze() (refused bool) {
	phones := 0
	for i := range a.cfg.Users {
		if a.cfg.Users[i].Extension == "" {
			continue
		}
		if row, is := a.rowOfUser[i]; is {
			if m := a.noRoom(phones); !m.IsZero() {
				a.rows[row].Refuse("", m)
				refused = true
				continue
			}
		}
		phones++
	}
	return refused
}

// admit adds the users of all rows that are good so far.
func (a *admission) admit() {
	for i := range a.rows {
		row := &a.rows[i]
		if !row.OK {
			continue
		}
		u := pbx.User{ID: a.ids[i], UserSettings: row.Value.Settings()}
		if a.users != nil {
			u.PIN, u.MustChangePIN, u.SIPPassword = a.users[i].PIN, a.users[i].MustChangePIN, a.users[i].SIPPassword
			if u.PIN == "" {
				continue // was refused before the PINs were hashed
			}
		}
		if !a.joinGroups(i, u.ID) {
			continue
		}
		a.rowOfUser[len(a.cfg.Users)] = i
		a.cfg.Users = append(a.cfg.Users, u)
	}
}

// noRoom says why no user may come to so many.
func (a *admission) noRoom(phones int) pbx.Message {
	if a.model.MaxUsers > 0 && phones >= a.model.MaxUsers {
		return pbx.Say("has no room: a {model} has at most {max} users with an extension", "model", a.model.Name, "max", a.model.MaxUsers)
	}
	if err := a.room(phones, phones+1); err != nil {
		m, _ := toldMessage(err)
		return m
	}
	return pbx.Message{}
}

// joinGroups makes the user of row i a member of the row's groups. It returns
// false when one is not there and may not be added; the row is refused then.
func (a *admission) joinGroups(i int, id string) bool {
	row := &a.rows[i]
	var pickup, hunt []int
	for _, name := range row.Value.PickupGroups {
		g, m := a.pickupGroup(name)
		if !m.IsZero() {
			row.Refuse("pickupGroups", m)
			continue
		}
		if !slices.Contains(pickup, g) {
			pickup = append(pickup, g)
		}
	}
	for _, name := range row.Value.HuntGroups {
		g, m := a.huntGroup(name)
		if !m.IsZero() {
			row.Refuse("huntGroups", m)
			continue
		}
		if !slices.Contains(hunt, g) {
			hunt = append(hunt, g)
		}
	}
	if !row.OK {
		return false
	}
	for _, g := range pickup {
		a.cfg.PickupGroups[g].Members = append(a.cfg.PickupGroups[g].Members, id)
		a.pickup[g] = append(a.pickup[g], i)
	}
	for _, g := range hunt {
		a.cfg.HuntGroups[g].Members = append(a.cfg.HuntGroups[g].Members, pbx.HuntMember{User: id, Timeout: huntTimeout})
		a.hunt[g] = append(a.hunt[g], i)
	}
	return true
}

// blame refuses the rows that break rules. It returns false when a rule is
// broken by none of them.
func (a *admission) blame(wrong *pbx.ValidationError) bool {
	all := true
	for _, f := range wrong.Fields {
		list, i, field := entryOf(f.Path)
		var rows []int
		column := field
		switch list {
		case "users":
			if row, ok := a.rowOfUser[i]; ok {
				rows = []int{row}
			}
		case "pickupGroups":
			rows, column = a.pickup[i], list
		case "huntGroups":
			rows, column = a.hunt[i], list
		}
		all = all && len(rows) > 0
		for _, r := range rows {
			a.rows[r].Refuse(column, f.Rule)
		}
	}
	return all
}

// entryOf takes a path such as users[3].voicemailBoxes[0] apart; i is -1 when
// it is none of an entry.
func entryOf(path string) (list string, i int, field string) {
	list, rest, ok := strings.Cut(path, "[")
	number, field, closed := strings.Cut(rest, "].")
	i, err := strconv.Atoi(number)
	if !ok || !closed || err != nil {
		return path, -1, ""
	}
	field, _, _ = strings.Cut(field, "[")
	return list, i, field
}
