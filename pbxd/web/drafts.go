package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// SystemSettings are the system settings with the values that are not
// committed yet (F219). Those are shared by all administrators.
type SystemSettings struct {
	Tabs   []SystemTab `json:"tabs" title:"Tabs" doc:"Settings by subject" maxItems:"50"`
	Drafts int         `json:"drafts" title:"Uncommitted values" doc:"How many values are not committed" minimum:"0" maximum:"200"`
}

// SystemTab is one tab of the system settings.
type SystemTab struct {
	ID       string          `json:"id" title:"Tab" doc:"Name of the tab" maxLength:"40"`
	Settings []SystemSetting `json:"settings" title:"Settings" doc:"Parameters of the tab" maxItems:"200"`
}

// SystemSetting is one parameter of the system settings.
type SystemSetting struct {
	Path     string     `json:"path" title:"Path" doc:"Name of the parameter, for example sip.ringTime" maxLength:"100"`
	Title    string     `json:"title" title:"Title" doc:"What the parameter is called" maxLength:"100"`
	Doc      string     `json:"doc" title:"Help" doc:"What the parameter does" maxLength:"500"`
	Type     string     `json:"type" title:"Type" doc:"Type of the value" enum:"text,number,switch,list"`
	Unit     string     `json:"unit,omitempty" title:"Unit" doc:"Unit of a number" maxLength:"20"`
	Minimum  *int64     `json:"minimum,omitempty" title:"Lowest" doc:"Lowest value of a number" minimum:"-9007199254740991" maximum:"9007199254740991"`
	Maximum  *int64     `json:"maximum,omitempty" title:"Highest" doc:"Highest value of a number" minimum:"-9007199254740991" maximum:"9007199254740991"`
	Enum     []string   `json:"enum,omitempty" title:"Choices" doc:"Values of a choice" maxItems:"100"`
	MaxItems *int64     `json:"maxItems,omitempty" title:"Entries" doc:"Most entries of a list" minimum:"0" maximum:"100000"`
	Default  anyValue   `json:"default" title:"Default" doc:"Value of a new device"`
	Value    anyValue   `json:"value" title:"Value" doc:"Value that holds"`
	Draft    *anyValue  `json:"draft,omitempty" title:"New value" doc:"Value that is not committed yet"`
	Author   string     `json:"author,omitempty" title:"Author" doc:"Who entered the new value" maxLength:"110"`
	Time     *time.Time `json:"time,omitempty" title:"Time" doc:"When the new value was entered"`
}

// anyValue is the value of a parameter as JSON.
type anyValue json.RawMessage

// MarshalJSON writes the value as it is.
func (v anyValue) MarshalJSON() ([]byte, error) { return json.RawMessage(v).MarshalJSON() }

// UnmarshalJSON keeps the value as it is.
func (v *anyValue) UnmarshalJSON(text []byte) error {
	*v = append((*v)[:0], text...)
	return nil
}

// Schema says that the value may be of any type.
func (anyValue) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }

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
		func(ctx context.Context, _ *none) (*answer[SystemSettings], error) { return s.showSettings(ctx) })
	register(s, operation{id: "draft-system-setting", method: http.MethodPut, path: path + "/drafts/{path}", tag: tag, module: settingsModule,
		summary: "Enter a new value that is not committed yet", description: "The value that holds already drops the draft.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity}}, s.setDraft)
	register(s, operation{id: "drop-system-setting", method: http.MethodDelete, path: path + "/drafts/{path}", tag: tag, module: settingsModule,
		summary: "Drop a new value", errors: []int{http.StatusNotFound}},
		func(ctx context.Context, in *SettingPath) (*answer[SystemSettings], error) {
			s.drafts.Lock()
			defer s.drafts.Unlock()
			if !pbx.IsSetting(in.Path) {
				return nil, noSetting()
			}
			if err := s.dropDraft(ctx, in.Path); err != nil {
				return nil, fmt.Errorf("drop draft of %s: %w", in.Path, err)
			}
			return s.showSettings(ctx)
		})
	register(s, operation{id: "commit-system-settings", method: http.MethodPost, path: path + "/commit", tag: tag, module: settingsModule,
		summary: "Make the new values the settings", description: "All of them in one revision, checked together.",
		audits: []string{"change-system-settings"}, errors: []int{http.StatusConflict, http.StatusUnprocessableEntity}}, s.commitDrafts)
	register(s, operation{id: "revert-system-settings", method: http.MethodPost, path: path + "/revert", tag: tag, module: settingsModule,
		summary: "Drop all new values", audits: []string{"revert-system-settings"}},
		func(ctx context.Context, _ *none) (*answer[SystemSettings], error) {
			s.drafts.Lock()
			defer s.drafts.Unlock()
			list, err := s.Store.Drafts(ctx)
			if err != nil {
				return nil, fmt.Errorf("drafts: %w", err)
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

func (s *Server) showSettings(ctx context.Context) (*answer[SystemSettings], error) {
	list, err := s.Store.Drafts(ctx)
	if err != nil {
		return nil, fmt.Errorf("drafts: %w", err)
	}
	cfg, _ := s.Store.Current()
	factory := pbx.Factory(pbx.Defaults{})
	shown := SystemSettings{Tabs: []SystemTab{}}
	for _, tab := range pbx.SettingsTabs() {
		t := SystemTab{ID: tab.ID, Settings: []SystemSetting{}}
		for _, path := range tab.Paths {
			x := settingOf(path)
			value, _ := cfg.Param(path) // every path of a tab is one of the configuration
			initial, _ := factory.Param(path)
			x.Value, x.Default = anyValue(value), anyValue(initial)
			if i := slices.IndexFunc(list, func(d pbx.Draft) bool { return d.Path == path }); i >= 0 && !sameJSON([]byte(list[i].Value), value) {
				d := list[i]
				draft, at := anyValue(d.Value), d.Time
				x.Draft, x.Author, x.Time = &draft, d.Author, &at
				shown.Drafts++
			}
			t.Settings = append(t.Settings, x)
		}
		shown.Tabs = append(shown.Tabs, t)
	}
	return &answer[SystemSettings]{shown}, nil
}

// settingOf describes a parameter by the tags of its field.
func settingOf(path string) SystemSetting {
	f := fieldOf(reflect.TypeFor[pbx.Config](), path)
	x := SystemSetting{Path: path, Title: f.Tag.Get("title"), Doc: f.Tag.Get("doc"), Unit: f.Tag.Get("unit"),
		Minimum: numberTag(f, "minimum"), Maximum: numberTag(f, "maximum"), MaxItems: numberTag(f, "maxItems")}
	if e := f.Tag.Get("enum"); e != "" {
		x.Enum = strings.Split(e, ",")
	}
	switch f.Type.Kind() {
	case reflect.Bool:
		x.Type = "switch"
	case reflect.Int:
		x.Type = "number"
	case reflect.Slice:
		x.Type = "list"
	default:
		x.Type = "text"
	}
	return x
}

// fieldOf returns the field of t at a path of JSON names; the zero field has
// type string.
func fieldOf(t reflect.Type, path string) reflect.StructField {
	name, rest, more := strings.Cut(path, ".")
	for _, f := range reflect.VisibleFields(t) {
		if json, _, _ := strings.Cut(f.Tag.Get("json"), ","); json != name {
			continue
		}
		if more {
			return fieldOf(f.Type, rest)
		}
		return f
	}
	return reflect.StructField{Type: reflect.TypeFor[string]()}
}

func numberTag(f reflect.StructField, name string) *int64 {
	n, err := strconv.ParseInt(f.Tag.Get(name), 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

// sameJSON reports whether two texts are the same value.
func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func (s *Server) setDraft(ctx context.Context, in *struct {
	SettingPath
	Body body[NewValue]
}) (*answer[SystemSettings], error) {
	s.drafts.Lock()
	defer s.drafts.Unlock()
	if !pbx.IsSetting(in.Path) {
		return nil, noSetting()
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
func (s *Server) commitDrafts(ctx context.Context, in *struct{ Body body[SettingsCommit] }) (*answer[SystemSettings], error) {
	s.drafts.Lock()
	defer s.drafts.Unlock()
	list, err := s.Store.Drafts(ctx)
	if err != nil {
		return nil, fmt.Errorf("drafts: %w", err)
	}
	if len(in.Body.value.Comment) > 200 {
		return nil, invalidField("comment", pbx.Say("has {n} characters; at most {max} are allowed", "n", len(in.Body.value.Comment), "max", 200))
	}
	comment := pbx.Say("System settings changed")
	if c := strings.TrimSpace(in.Body.value.Comment); c != "" {
		comment = pbx.Typed(c)
	}
	_, before := s.Store.Current()
	after, err := s.commit(ctx, comment, func(cfg *pbx.Config) error {
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
	wrong, ok := errors.AsType[*pbx.ValidationError](err)
	if !ok {
		return err
	}
	var details []ProblemDetail
	for _, f := range wrong.Fields {
		details = append(details, detailOf("body."+f.Path, f.Rule))
	}
	return invalid(details...)
}
