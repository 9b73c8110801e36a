package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"galilei/pbxd/pbx"
)

// SIPPassword answers reveal-sip-password and new-sip-password.
type SIPPassword struct {
	User        string `json:"user" title:"User" doc:"Login name" maxLength:"50"`
	Extension   string `json:"extension" title:"Extension" doc:"SIP user name of the phone" maxLength:"10"`
	SIPPassword string `json:"sipPassword" title:"SIP password" doc:"Password with which phones register" maxLength:"64"`
}

// checkSIPPassword returns the rule that a SIP password breaks, if any. Signs
// beyond ASCII fail in phones that hash another encoding.
func checkSIPPassword(p string) pbx.Message {
	switch {
	case len(p) < 6 || len(p) > 64:
		return pbx.Say("has {n} characters; {min} to {max} are needed", "n", len(p), "min", 6, "max", 64)
	case strings.ContainsFunc(p, func(r rune) bool { return r < '!' || r > '~' }):
		return pbx.Say("may contain only ASCII letters, digits and signs, no spaces")
	}
	return pbx.Message{}
}

func (s *Server) revealSIPPassword(ctx context.Context, in *EntryPath) (*answer[SIPPassword], error) {
	cfg, _ := s.Store.Current()
	u := cfg.UserByID(in.ID)
	switch {
	case u == nil:
		return nil, noUser()
	case u.Admin && !callerOf(ctx).user.Admin:
		return nil, refuse(http.StatusForbidden, "{name} is an administrator. Only administrators may see the SIP password of administrators.", "name", u.Name)
	case !mayActAs(cfg, callerOf(ctx), u):
		return nil, mayMore(u)
	case u.SIPPassword == "":
		return nil, refuse(http.StatusConflict, "This user has no SIP password. Make a new one.")
	}
	p, err := s.Store.Key().Open(pbx.SIPPasswordPurpose(u.ID), u.SIPPassword)
	if err != nil {
		return nil, fmt.Errorf("SIP password of %s: %w", u.Name, err)
	}
	if err := s.audit(ctx, "reveal-sip-password", u.Name); err != nil {
		return nil, err
	}
	return &answer[SIPPassword]{SIPPassword{u.Name, u.Extension, p.Reveal()}}, nil
}

func (s *Server) newSIPPassword(ctx context.Context, in *struct {
	EntryPath
	IfMatch
}) (*tagged[SIPPassword], error) {
	cfg, _ := s.Store.Current()
	u := cfg.UserByID(in.ID)
	if u == nil {
		return nil, noUser()
	}
	if err := in.check(tagOfUser(cfg, u)); err != nil {
		return nil, err
	}
	p := pbx.NewSIPPassword()
	sealed := s.Store.Key().Seal(pbx.SIPPasswordPurpose(u.ID), p)
	out := &tagged[SIPPassword]{}
	_, err := s.commit(ctx, pbx.Say("New SIP password for {name}", "name", u.Name), func(cfg *pbx.Config) error {
		now := cfg.UserByID(in.ID)
		if now == nil {
			return noUser()
		}
		if err := in.check(tagOfUser(cfg, now)); err != nil {
			return err
		}
		now.SIPPassword = sealed
		out.ETag, out.Body = tagOfUser(cfg, now), SIPPassword{now.Name, now.Extension, p.Reveal()}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("new SIP password of %s: %w", u.Name, err)
	}
	s.record(ctx, "new-sip-password", u.Name)
	return out, nil
}
