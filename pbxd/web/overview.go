package web

import (
	"context"
	"net/http"
)

// UserName is what administrators with any module see of a user: enough to
// choose one.
type UserName struct {
	Person
	Extension string `json:"extension" title:"Extension" doc:"Internal number" maxLength:"10"`
}

// NameNumber is one line of the overview of names and numbers (F076).
type NameNumber struct {
	ID           string   `json:"id" title:"Identifier" doc:"Identifier of the user" maxLength:"26"`
	User         string   `json:"user" title:"User" doc:"Login name" maxLength:"50"`
	FirstName    string   `json:"firstName" title:"First name" doc:"First name" maxLength:"50"`
	LastName     string   `json:"lastName" title:"Last name" doc:"Last name" maxLength:"50"`
	Extension    string   `json:"extension" title:"Extension" doc:"Internal number" maxLength:"10"`
	HuntGroups   []string `json:"huntGroups" title:"Hunt groups" doc:"Titles of the hunt groups that call the user" maxItems:"500"`
	PickupGroups []string `json:"pickupGroups" title:"Pickup groups" doc:"Names of the groups whose members may take each other's calls" maxItems:"500"`
	CLIPInternal []string `json:"clipInternal" title:"CLIP internal" doc:"Extensions that the user may show on internal calls" maxItems:"100"`
	CLIPExternal []string `json:"clipExternal" title:"CLIP external" doc:"Numbers that the user may show on outgoing calls" maxItems:"100"`
}

func (s *Server) registerOverviews() {
	register(s, operation{id: "list-user-names", method: http.MethodGet, path: "/user-names", tag: "Users", module: anyAdminModule,
		summary: "Names of all users", description: "To choose a user, for everybody who has a module of the administration."}, s.userNames)
	register(s, operation{id: "list-name-number", method: http.MethodGet, path: "/name-number", tag: "Users", module: "name-number",
		summary: "Overview of names and numbers"}, s.nameNumber)
}

func (s *Server) userNames(context.Context, *none) (*answer[[]UserName], error) {
	cfg, _ := s.Store.Current()
	list := make([]UserName, len(cfg.Users))
	for i := range cfg.Users {
		u := &cfg.Users[i]
		list[i] = UserName{personOf(u), u.Extension}
	}
	return &answer[[]UserName]{list}, nil
}

func (s *Server) nameNumber(context.Context, *none) (*answer[[]NameNumber], error) {
	cfg, _ := s.Store.Current()
	list := make([]NameNumber, len(cfg.Users))
	at := map[string]*NameNumber{}
	for i := range cfg.Users {
		u := &cfg.Users[i]
		list[i] = NameNumber{ID: u.ID, User: u.Name, FirstName: u.FirstName, LastName: u.LastName, Extension: u.Extension,
			HuntGroups: []string{}, PickupGroups: []string{}, CLIPInternal: u.CLIPInternal, CLIPExternal: u.CLIPExternal}
		at[u.ID] = &list[i]
	}
	for i := range cfg.HuntGroups {
		g := &cfg.HuntGroups[i]
		listed := map[string]bool{}
		for _, m := range g.Members {
			if n := at[m.User]; n != nil && !listed[m.User] {
				n.HuntGroups = append(n.HuntGroups, g.Title)
				listed[m.User] = true
			}
		}
	}
	for i := range cfg.PickupGroups {
		g := &cfg.PickupGroups[i]
		for _, id := range g.Members {
			if n := at[id]; n != nil {
				n.PickupGroups = append(n.PickupGroups, g.Name)
			}
		}
	}
	return &answer[[]NameNumber]{list}, nil
}
