package web

import (
	"context"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// SIPPassword answers reveal-sip-password and new-sip-password.
type SIPPassword struct {
	User        string `json:"user" doc:"Login name"`
	Extension   string `json:"extension" doc:"SIP user name of the phone"`
	SIPPassword string `json:"sipPassword" doc:"Password with which phones register"`
}

// checkSIPPassword returns the rule that a SIP password breaks, or "". Signs
// beyond ASCII fail in phones that hash another encoding.
func checkSIPPassword(p string) string {
	switch {
	case len(p) < 6 || len(p) > 64:
		return fmt.Sprintf("has %d characters; 6 to 64 are needed", len(p))
	case strings.ContainsFunc(p, func(r rune) bool { return r < '!' || r > '~' }):
		return "may contain only ASCII letters, digits and signs, no spaces"
	}
	return ""
}

func (s *Server) revealSIPPassword(ctx context.Context, in *UserPath) (*answer[SIPPassword], error) {
	cfg, _ := s.Store.Current()
	u := cfg.UserByID(in.ID)
	switch {
	case u == nil:
		return nil, noUser()
	case u.SIPPassword == "":
		return nil, huma.Error409Conflict("This user has no SIP password. Make a new one.")
	}
	if err := s.audit(ctx, callerOf(ctx).user.Name, "reveal-sip-password", u.Name); err != nil {
		return nil, err
	}
	p, err := s.Store.Key().Open(pbx.SIPPasswordPurpose(u.ID), u.SIPPassword)
	if err != nil {
		return nil, fmt.Errorf("SIP password of %s: %w", u.Name, err)
	}
	return &answer[SIPPassword]{SIPPassword{u.Name, u.Extension, p.Reveal()}}, nil
}

func (s *Server) newSIPPassword(ctx context.Context, in *struct {
	UserPath
	IfMatch
}) (*tagged[SIPPassword], error) {
	c := callerOf(ctx)
	cfg, _ := s.Store.Current()
	u := cfg.UserByID(in.ID)
	if u == nil {
		return nil, noUser()
	}
	if err := in.check(*u); err != nil {
		return nil, err
	}
	if err := s.audit(ctx, c.user.Name, "new-sip-password", u.Name); err != nil {
		return nil, err
	}
	p := pbx.NewSIPPassword()
	sealed := s.Store.Key().Seal(pbx.SIPPasswordPurpose(u.ID), p)
	var changed pbx.User
	_, err := s.Store.Commit(ctx, c.user.Name, "New SIP password for "+u.Name, func(cfg *pbx.Config) error {
		now := cfg.UserByID(in.ID)
		if now == nil {
			return noUser()
		}
		if err := in.check(*now); err != nil {
			return err
		}
		now.SIPPassword = sealed
		changed = *now
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("new SIP password of %s: %w", u.Name, err)
	}
	return &tagged[SIPPassword]{etag(changed), SIPPassword{changed.Name, changed.Extension, p.Reveal()}}, nil
}
