package web

import (
	"context"
	"encoding/json"
	"fmt"
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
	Tag      string     `json:"etag" title:"ETag" doc:"State of value and new value, for If-Match of a new value" maxLength:"100"`
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

// showSettings shows the settings of now.
func (s *Server) showSettings(ctx context.Context) (*tagged[SystemSettings], error) {
	list, err := s.Store.Drafts(ctx)
	if err != nil {
		return nil, fmt.Errorf("drafts: %w", err)
	}
	cfg, _ := s.Store.Current()
	shown := systemSettings(cfg, list)
	return &tagged[SystemSettings]{etag(shown), shown}, nil
}

// systemSettings are the settings of cfg with those of the drafts that differ.
func systemSettings(cfg *pbx.Config, drafts []pbx.Draft) SystemSettings {
	factory := pbx.Factory(pbx.Defaults{})
	shown := SystemSettings{Tabs: []SystemTab{}}
	for _, tab := range pbx.SettingsTabs() {
		t := SystemTab{ID: tab.ID, Settings: []SystemSetting{}}
		for _, path := range tab.Paths {
			x := settingOf(path)
			value, _ := cfg.Param(path) // every path of a tab is one of the configuration
			initial, _ := factory.Param(path)
			x.Value, x.Default = anyValue(value), anyValue(initial)
			if i := slices.IndexFunc(drafts, func(d pbx.Draft) bool { return d.Path == path }); i >= 0 && !sameJSON([]byte(drafts[i].Value), value) {
				d := drafts[i]
				draft, at := anyValue(d.Value), d.Time
				x.Draft, x.Author, x.Time = &draft, d.Author, &at
				shown.Drafts++
			}
			x.Tag = etag([]any{x.Value, x.Draft})
			t.Settings = append(t.Settings, x)
		}
		shown.Tabs = append(shown.Tabs, t)
	}
	return shown
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
