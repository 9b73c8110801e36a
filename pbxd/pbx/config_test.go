package pbx

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestFactory(t *testing.T) {
	m := Model{Name: "T640", MaxUsers: 640}
	for _, d := range []Defaults{
		{},
		{NetworkMode: "dhcp", ExternalAddress: "203.0.113.7", NoLocalNetworks: true, RTPPortMin: 20000, RTPPortMax: 20039},
	} {
		c := Factory(d)
		if err := Validate(c, m); err != nil {
			t.Errorf("%+v: %v", d, err)
		}
		if len(c.Users) != 4 || !c.Users[0].Admin || c.Users[0].PIN != FactoryPIN || !c.Users[0].MustChangePIN || c.Users[1].Extension != "101" {
			t.Errorf("users %+v", c.Users)
		}
	}
	c := Factory(Defaults{})
	if c.Network.Address != "192.168.0.50/24" || c.Network.Mode != "static" || c.SIP.MaxExpires != 3600 || c.Media.RTPPortMin != 20000 {
		t.Errorf("%+v %+v %+v", c.Network, c.SIP, c.Media)
	}
	if c := Factory(Defaults{NoLocalNetworks: true}); c.SIP.LocalNetworks == nil {
		t.Error("an empty list would be written as null")
	}
}

// The rules are data in tags: a typing error there would silently switch a
// rule off.
func TestTagsAreWellFormed(t *testing.T) {
	known := map[string]bool{"json": true, "doc": true, "default": true, "unit": true, "minLength": true, "maxLength": true, "pattern": true,
		"patternDescription": true, "minimum": true, "maximum": true, "maxItems": true, "enum": true, "format": true,
		"title": true, "ref": true, "unique": true, "claims": true, "multiline": true}
	key := regexp.MustCompile(`([a-zA-Z]+):"`)
	c := &Config{}
	fill(reflect.ValueOf(c).Elem()) // an entry in every list
	seen := 0
	walkParams("", reflect.ValueOf(c).Elem(), func(path string, f reflect.StructField, v reflect.Value) {
		seen++
		rest := string(f.Tag)
		for _, m := range key.FindAllStringSubmatch(rest, -1) {
			if !known[m[1]] {
				t.Errorf("%s: unknown tag %s", path, m[1])
			}
			if _, ok := f.Tag.Lookup(m[1]); !ok {
				t.Errorf("%s: tag %s cannot be read", path, m[1])
			}
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			t.Errorf("%s (%s): no JSON name", path, f.Name)
		}
		for _, k := range []string{"minLength", "maxLength", "minimum", "maximum", "maxItems"} {
			if s, ok := f.Tag.Lookup(k); ok {
				if _, err := strconv.ParseInt(s, 10, 64); err != nil {
					t.Errorf("%s: %s: %v", path, k, err)
				}
			}
		}
		if p, ok := f.Tag.Lookup("pattern"); ok {
			if _, err := regexp.Compile(p); err != nil || f.Tag.Get("patternDescription") == "" {
				t.Errorf("%s: pattern %q (%v) described as %q", path, p, err, f.Tag.Get("patternDescription"))
			}
		}
		switch f.Tag.Get("format") {
		case "", "ip", "cidr", "email", "host":
		default:
			t.Errorf("%s: unknown format", path)
		}
		if f.Tag.Get("title") == "" && !strings.HasSuffix(path, ".mustChangePin") && v.Type() != reflect.TypeFor[Sealed]() && v.Type() != reflect.TypeFor[PINHash]() {
			t.Errorf("%s: no title", path)
		}
		if v.Kind() == reflect.Int && (f.Tag.Get("minimum") == "" || f.Tag.Get("maximum") == "") {
			t.Errorf("%s: a number without bounds", path)
		}
	})
	if seen < 40 {
		t.Errorf("%d parameters seen: the walk misses some", seen)
	}
}

// fill sets every field below v to something that is not zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.String:
		v.SetString("before")
	case reflect.Int:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	default:
		panic(fmt.Sprintf("a field of kind %v: teach this test and Clone", v.Kind()))
	}
}

// scribble changes every string that is reached through slices of v, without
// replacing the slices: what a shallow copy would share.
func scribble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if k := v.Field(i).Kind(); k == reflect.Struct || k == reflect.Slice {
				scribble(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if v.Index(i).Kind() == reflect.Struct {
				fill(v.Index(i))
				v.Index(i).Field(0).SetString("after")
				scribble(v.Index(i))
			} else {
				v.Index(i).SetString("after")
			}
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	var c Config
	fill(reflect.ValueOf(&c).Elem())
	before, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	n := c.Clone()
	if !reflect.DeepEqual(*n, c) {
		t.Error("the clone differs")
	}
	scribble(reflect.ValueOf(n).Elem())
	after, err := json.Marshal(c)
	if err != nil || string(after) != string(before) {
		t.Errorf("a change of the clone shows in the original: %s (%v)", after, err)
	}
	if reflect.DeepEqual(*n, c) {
		t.Error("the test changed nothing")
	}
}

func TestConfigSurvivesJSON(t *testing.T) {
	var want, got Config
	fill(reflect.ValueOf(&want).Elem())
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestUserLookups(t *testing.T) {
	c := Factory(Defaults{})
	if u := c.UserByExtension("102"); u == nil || u.Name != "demo102" || u.DisplayName() != "Ben Demo" {
		t.Errorf("%+v", u)
	}
	if u := c.UserByName("admin"); u == nil || u.DisplayName() != "admin" {
		t.Errorf("%+v", u)
	}
	if u := c.UserByID("demo103"); u == nil || u.Extension != "103" {
		t.Errorf("%+v", u)
	}
	if c.UserByExtension("") != nil || c.UserByExtension("999") != nil || c.UserByName("") != nil || c.UserByID("x") != nil {
		t.Error("found a user that does not exist")
	}
}

func TestIsLocal(t *testing.T) {
	s := Factory(Defaults{}).SIP
	for addr, want := range map[string]bool{
		"192.168.7.7": true, "::ffff:192.168.7.7": true, "10.0.2.2": true, "127.0.0.1": true, "169.254.1.1": true, "172.31.255.255": true,
		"172.32.0.0": false, "8.8.8.8": false, "::1": true, "fd00::1": true, "fe80::1": true, "2001:db8::1": false, "::ffff:8.8.8.8": false,
	} {
		if got := s.IsLocal(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	if s.IsLocal(netip.Addr{}) {
		t.Error("no address at all is local")
	}
	if (SIP{LocalNetworks: []string{"nonsense", "10.0.0.0/8"}}).IsLocal(netip.MustParseAddr("10.1.1.1")) == false {
		t.Error("an unreadable network hides the next")
	}
}
