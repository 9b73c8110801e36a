package pbx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// SettingsTab is one tab of the system settings (F219): the parameters of one
// section of the configuration.
type SettingsTab struct {
	ID      string   // of the tab
	Section string   // JSON name of the section in Config
	Paths   []string // of its parameters, as in sip.ringTime
}

// SettingsTabs returns the tabs in the order in which they are shown.
func SettingsTabs() []SettingsTab {
	tabs := []SettingsTab{
		{ID: "phones", Section: "sip"},
		{ID: "audio", Section: "media"},
		{ID: "codes", Section: "functionCodes"},
		{ID: "page", Section: "page"},
		{ID: "retention", Section: "retention"},
	}
	c := reflect.TypeFor[Config]()
	for i := range tabs {
		for j := range c.NumField() {
			if jsonName(c.Field(j)) != tabs[i].Section {
				continue
			}
			for _, f := range reflect.VisibleFields(c.Field(j).Type) {
				if f.Tag.Get("ref") == "" { // what names an entry is chosen on the screen of the entries
					tabs[i].Paths = append(tabs[i].Paths, tabs[i].Section+"."+jsonName(f))
				}
			}
		}
	}
	return tabs
}

// IsSetting reports whether path is a parameter of the system settings.
func IsSetting(path string) bool {
	for _, t := range SettingsTabs() {
		for _, p := range t.Paths {
			if p == path {
				return true
			}
		}
	}
	return false
}

// param returns the parameter of c at a path of a section and a name.
func (c *Config) param(path string) (reflect.Value, reflect.StructField, bool) {
	section, name, _ := strings.Cut(path, ".")
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if jsonName(v.Type().Field(i)) != section || v.Field(i).Kind() != reflect.Struct {
			continue
		}
		for _, f := range reflect.VisibleFields(v.Field(i).Type()) {
			if !f.Anonymous && jsonName(f) == name {
				return v.Field(i).FieldByIndex(f.Index), f, true
			}
		}
	}
	return reflect.Value{}, reflect.StructField{}, false
}

// Param returns the value at a path such as sip.ringTime as JSON. It returns
// false when there is no such parameter.
func (c *Config) Param(path string) (json.RawMessage, bool) {
	v, _, ok := c.param(path)
	if !ok {
		return nil, false
	}
	text, err := json.Marshal(v.Interface())
	if err != nil {
		panic(fmt.Sprintf("parameter %s cannot be written as JSON: %v", path, err)) // every field is a plain type
	}
	return text, true
}

// DefaultOf returns the default of the parameter at path as text, or "".
func DefaultOf(path string) string {
	_, f, _ := (&Config{}).param(path)
	return f.Tag.Get("default")
}

// SetParam sets the value at a path from JSON. It returns a *ValidationError
// when there is no such parameter or the value is of another type; whether the
// value is allowed is for Validate to say.
func (c *Config) SetParam(path string, value json.RawMessage) error {
	v, _, ok := c.param(path)
	if !ok {
		return &ValidationError{[]FieldError{refused(path, "is not known")}}
	}
	n := reflect.New(v.Type())
	if err := json.Unmarshal(value, n.Interface()); err != nil || bytes.Equal(bytes.TrimSpace(value), []byte("null")) {
		return &ValidationError{[]FieldError{refused(path, "must be {type}", "type", typeName(v.Type()))}}
	}
	v.Set(n.Elem())
	return nil
}

// CheckParam returns the rule of its tags that the value at a path of c
// breaks, if any.
func (c *Config) CheckParam(path string) error {
	section, _, _ := strings.Cut(path, ".")
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if jsonName(v.Type().Field(i)) != section {
			continue
		}
		for _, e := range checkTags(section, v.Field(i)) {
			if e.Path == path || strings.HasPrefix(e.Path, path+"[") {
				return &ValidationError{[]FieldError{e}}
			}
		}
	}
	return nil
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}
