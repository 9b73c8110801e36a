package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"galilei/pbxd/pbx"
)

// NewValue is the body of PUT /system-settings/drafts/{path}.
type NewValue struct {
	Value anyValue `json:"value" title:"Value" doc:"New value of the parameter" required:"true"`
}

// SettingsCommit is the body of POST /system-settings/commit.
type SettingsCommit struct {
	Comment string `json:"comment,omitempty" title:"Comment" doc:"Why the settings are changed, for the history" maxLength:"200"`
}

// SettingPath is the path parameter of one parameter.
type SettingPath struct {
	Path string `path:"path" title:"Path" doc:"Name of the parameter, for example sip.ringTime" maxLength:"100"`
}

const settingsModule = "system-settings"

func (s *Server) registerDrafts() {
	const path, tag = "/system-settings", "System settings"
	register(s, operation{id: "get-system-settings", method: http.MethodGet, path: path, tag: tag, module: settingsModule,
		summary: "System settings and values that are not committed", description: "Parameters by tab. An edit becomes a draft, which all administrators see; commit makes all drafts the settings, revert drops them."},
		func(ctx context.Context, _ *none) (*tagged[SystemSettings], error) { return s.showSettings(ctx) })
	register(s, operation{id: "draft-system-setting", method: http.MethodPut, path: path + "/drafts/{path}", tag: tag, module: settingsModule,
		summary: "Enter a new value that is not committed yet", description: "The value that holds already drops the draft. If-Match is the etag of the parameter.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}}, s.setDraft)
	register(s, operation{id: "drop-system-setting", method: http.MethodDelete, path: path + "/drafts/{path}", tag: tag, module: settingsModule,
		summary: "Drop a new value", description: "If-Match is the etag of the parameter.", errors: []int{http.StatusNotFound, http.StatusPreconditionFailed, http.StatusPreconditionRequired}},
		func(ctx context.Context, in *struct {
			SettingPath
			IfMatch
		}) (*tagged[SystemSettings], error) {
			s.drafts.Lock()
			defer s.drafts.Unlock()
			if !pbx.IsSetting(in.Path) {
				return nil, noSetting()
			}
			if err := s.matchSetting(ctx, in.Path, in.IfMatch); err != nil {
				return nil, err
			}
			if err := s.dropDraft(ctx, in.Path); err != nil {
				return nil, fmt.Errorf("drop draft of %s: %w", in.Path, err)
			}
			return s.showSettings(ctx)
		})
	register(s, operation{id: "commit-system-settings", method: http.MethodPost, path: path + "/commit", tag: tag, module: settingsModule,
		summary: "Make the new values the settings", description: "All of them in one revision, checked together.",
		audits: []string{"change-system-settings"}, errors: []int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusUnprocessableEntity}}, s.commitDrafts)
	register(s, operation{id: "revert-system-settings", method: http.MethodPost, path: path + "/revert", tag: tag, module: settingsModule,
		summary: "Drop all new values", audits: []string{"revert-system-settings"}, errors: []int{http.StatusPreconditionFailed, http.StatusPreconditionRequired}},
		func(ctx context.Context, in *IfMatch) (*tagged[SystemSettings], error) {
			s.drafts.Lock()
			defer s.drafts.Unlock()
			list, err := s.Store.Drafts(ctx)
			if err != nil {
				return nil, fmt.Errorf("drafts: %w", err)
			}
			cfg, _ := s.Store.Current()
			if err := in.check(etag(systemSettings(cfg, list))); err != nil {
				return nil, err
			}
			if err := s.Store.DeleteDrafts(ctx); err != nil {
				return nil, fmt.Errorf("drop %d drafts: %w", len(list), err)
			}
			if len(list) > 0 {
				s.record(ctx, "revert-system-settings", strconv.Itoa(len(list)))
			}
			return s.showSettings(ctx)
		})
}

func noSetting() error { return refuse(http.StatusNotFound, "There is no such parameter.") }

func (s *Server) setDraft(ctx context.Context, in *struct {
	SettingPath
	IfMatch
	Body body[NewValue]
}) (*tagged[SystemSettings], error) {
	s.drafts.Lock()
	defer s.drafts.Unlock()
	if !pbx.IsSetting(in.Path) {
		return nil, noSetting()
	}
	if err := s.matchSetting(ctx, in.Path, in.IfMatch); err != nil {
		return nil, err
	}
	cfg, _ := s.Store.Current()
	current, _ := cfg.Param(in.Path)
	next := cfg.Clone()
	err := next.SetParam(in.Path, json.RawMessage(in.Body.value.Value))
	if err == nil {
		err = next.CheckParam(in.Path)
	}
	if err != nil {
		return nil, refusedIn(err, []place{{in.Path, "value"}})
	}
	value, _ := next.Param(in.Path) // in one spelling
	if bytes.Equal(value, current) {
		err = s.dropDraft(ctx, in.Path)
	} else {
		err = s.Store.SetDraft(ctx, pbx.Draft{Path: in.Path, Value: string(value), Author: callerOf(ctx).author(), Time: s.Now()})
	}
	if err != nil {
		return nil, fmt.Errorf("draft of %s: %w", in.Path, err)
	}
	return s.showSettings(ctx)
}

// matchSetting checks that a parameter and its draft are those that the client
// has seen. The caller holds s.drafts.
func (s *Server) matchSetting(ctx context.Context, path string, m IfMatch) error {
	now, err := s.showSettings(ctx)
	if err != nil {
		return err
	}
	for _, t := range now.Body.Tabs {
		for _, x := range t.Settings {
			if x.Path == path {
				return m.check(x.Tag)
			}
		}
	}
	return noSetting()
}

// dropDraft forgets the new value of a parameter, if it has one.
func (s *Server) dropDraft(ctx context.Context, path string) error {
	if err := s.Store.DeleteDraft(ctx, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// commitDrafts makes the drafts the settings. They are deleted afterwards: a
// crash between leaves drafts that are the values that hold, and those count
// as none.
func (s *Server) commitDrafts(ctx context.Context, in *struct {
	IfMatch
	Body body[SettingsCommit]
}) (*tagged[SystemSettings], error) {
	s.drafts.Lock()
	defer s.drafts.Unlock()
	list, err := s.Store.Drafts(ctx)
	if err != nil {
		return nil, fmt.Errorf("drafts: %w", err)
	}
	if err := pbx.CheckParams(&in.Body.value); err != nil {
		return nil, refusedIn(err, []place{{"", ""}})
	}
	comment := pbx.Say("System settings changed")
	if c := strings.TrimSpace(in.Body.value.Comment); c != "" {
		comment = pbx.Typed(c)
	}
	_, before := s.Store.Current()
	after, err := s.commit(ctx, comment, func(cfg *pbx.Config) error {
		if err := in.check(etag(systemSettings(cfg, list))); err != nil {
			return err
		}
		for _, d := range list {
			if !pbx.IsSetting(d.Path) {
				continue // of another version
			}
			if err := cfg.SetParam(d.Path, json.RawMessage(d.Value)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, draftsRefused(err)
	}
	if err := s.Store.DeleteDrafts(ctx); err != nil {
		return nil, fmt.Errorf("forget %d drafts that are committed: %w", len(list), err)
	}
	if after != before {
		s.record(ctx, "change-system-settings", strconv.Itoa(len(list)))
	}
	return s.showSettings(ctx)
}

// draftsRefused names the parameters that keep the drafts from holding.
func draftsRefused(err error) error {
	var places []place
	for _, t := range pbx.SettingsTabs() {
		for _, path := range t.Paths {
			places = append(places, place{path, path})
		}
	}
	return refusedIn(err, places)
}
