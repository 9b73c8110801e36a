package web

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// walked is a body with all that bodies of the API may hold.
type walked struct {
	pbx.PickupGroupSettings
	Members []struct {
		User    string `json:"user"`
		Timeout int    `json:"timeout" default:"5"`
		Small   uint8  `json:"small"`
	} `json:"people"`
	Inner struct {
		On   bool   `json:"on" default:"true"`
		Word string `json:"word" default:"x"`
	} `json:"inner"`
	At     *time.Time `json:"at"`
	Any    any        `json:"any"`
	Hidden string     `json:"-"`
}

// TestBodyLocations checks that every wrong field of a body is named, with
// indexes, and that keys count exactly and once.
func TestBodyLocations(t *testing.T) {
	for _, tc := range []struct{ body, want string }{
		{`{"people":[{"timeout":"x"},{"foo":1}]}`, "body.people[0].timeout must be a whole number;body.people[1].foo is not known"},
		{`{"people":[{"timeout":1.5,"small":300,"user":[]}],"name":7}`, "body.people[0].timeout must be a whole number;body.people[0].small must be a whole number;body.people[0].user must be text;body.name must be text"},
		{`{"NAME":"x"}`, "body.NAME is not known"},
		{`{"name":"x","name":"y"}`, "body.name is there twice"},
		{`{"Hidden":"x","-":"y"}`, "body.Hidden is not known;body.- is not known"},
		{`{"people":{},"inner":[],"at":"tomorrow"}`, "body.people must be a list;body.inner must be an object;body.at must be a time"},
		{`{"inner":{"on":"yes"},"any":{"x":[1]},"at":null}`, "body.inner.on must be true or false"},
		{`{"foo":{"a":[{}]},"bar":1}`, "body.foo is not known;body.bar is not known"},
		{`null`, "body must be an object"},
		{`[]`, "body must be an object"},
		{`{"name":}`, "body is not JSON: error at byte 8"},
		{`{} {}`, "body is not JSON: error at byte 4"},
		{`{"people":[`, "body is not JSON: it ends too early"},
		{``, "body is not JSON: it ends too early"},
		{`{"foo":` + strings.Repeat("[", 500), "body has objects or lists in more than 20 levels"},
		{`{"people":[{"timeout":7},null],"name":"x","number":1,"inner":null,"at":"2026-01-02T03:04:05Z"}`, ""},
	} {
		var v walked
		var got []string
		for _, d := range readObject([]byte(tc.body), &v, false) {
			got = append(got, d.Location+" "+d.Message)
		}
		if s := strings.Join(got, ";"); s != tc.want {
			t.Errorf("%.60s:\ngot  %s\nwant %s", tc.body, s, tc.want)
		}
	}
}

// TestDefaultsOfEntries checks that what a new entry leaves out has its default
// at every depth, and that what is sent stays, also when it is 0.
func TestDefaultsOfEntries(t *testing.T) {
	var v walked
	if wrong := readObject([]byte(`{"people":[{"user":"a"},{"timeout":0}],"inner":{"word":""}}`), &v, true); wrong != nil {
		t.Fatal(wrong)
	}
	if v.Members[0].Timeout != 5 || v.Members[1].Timeout != 0 || !v.Inner.On || v.Inner.Word != "" {
		t.Errorf("got %+v", v)
	}
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	var g pbx.HuntGroup
	c.want(201, "POST", "/hunt-groups", `{"extension":"600","title":"Sales","members":[{"user":"demo101"}]}`, &g)
	if len(g.Members) != 1 || g.Members[0].Timeout != 5 {
		t.Errorf("got %+v", g.Members)
	}
	res := c.do("PUT", apiPrefix+"/hunt-groups/"+g.ID, `{"extension":"600","title":"Sales","members":[{"timeout":"x","foo":1}]}`)
	if res.StatusCode != 422 || !strings.Contains(res.text, `"body.members[0].timeout"`) || !strings.Contains(res.text, `"body.members[0].foo"`) {
		t.Errorf("got %d %s", res.StatusCode, res.text)
	}
	c.want(422, "POST", "/users", `{"USER":"eva","Extension":"207","EXTENSION":"208"}`, nil)
}

// FuzzBody checks the walk against encoding/json: what it lets pass decodes, and
// has no key that the type lacks.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{`{}`, `{"people":[{"timeout":"x"}]}`, `{"name":"a","NAME":"b"}`, `{"at":"2026-01-02T03:04:05Z","any":[{"a":null}]}`, `null`, `{"people":[null,{}],"number":1e2}`,
		`{"number":-0,"inner":{"on":true}}`, strings.Repeat(`{"any":`, 30), "{\"\xff\":1}", `{"people":[{"small":256}]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		wrong, absent := checkObject([]byte(text), reflect.TypeFor[walked]())
		var v walked
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		err := d.Decode(&v)
		if len(wrong) > 0 {
			for _, w := range wrong {
				if !strings.HasPrefix(w.Location, "body") || w.Message == "" {
					t.Fatalf("%q: %+v", text, w)
				}
			}
			return
		}
		if err != nil || json.Unmarshal([]byte(text), &v) != nil {
			t.Fatalf("%q passes, but: %v", text, err)
		}
		for _, p := range absent {
			p.setDefault(reflect.ValueOf(&v).Elem())
		}
		var keys map[string]any
		if err := json.Unmarshal([]byte(text), &keys); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		known := jsonFieldsOf(reflect.TypeFor[walked]())
		for key := range keys {
			if _, ok := known[key]; !ok {
				t.Fatalf("%q: key %q passes", text, key)
			}
		}
	})
}

// TestFieldsAsInJSON checks that the fields of a type are those that
// encoding/json writes.
func TestFieldsAsInJSON(t *testing.T) {
	for _, v := range []any{pbx.User{}, UserChange{}, pbx.HuntGroup{}, GUIGroup{}, PermissionGroup{}, Profile{}} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var keys map[string]any
		if err := json.Unmarshal(text, &keys); err != nil {
			t.Fatal(err)
		}
		fields := jsonFieldsOf(reflect.TypeOf(v))
		for key := range keys {
			if _, ok := fields[key]; !ok {
				t.Errorf("%T: %s is missing", v, key)
			}
		}
		for name, f := range fields {
			if _, ok := keys[name]; !ok && !strings.Contains(f.Tag.Get("json"), ",omit") {
				t.Errorf("%T: %s is not written", v, name)
			}
		}
	}
}
