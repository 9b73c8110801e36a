package web

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// TestAPIFuzz calls every operation as admin with wrong types, sizes,
// encodings, references and paths. No answer is a fault of the server, and
// only a success changes the configuration. GALILEI_LONG=api-fuzz tries more;
// GALILEI_SEED repeats a run.
func TestAPIFuzz(t *testing.T) {
	t.Parallel()
	rounds := 40
	if os.Getenv("GALILEI_LONG") == "api-fuzz" {
		rounds = 2000
	}
	seed := uint64(20261123)
	if text := os.Getenv("GALILEI_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("GALILEI_SEED: %v", err)
		}
		seed = n
	}
	t.Logf("seed %d, %d rounds", seed, rounds)
	m, s := office(t)
	s.TestMail = func(context.Context, MailTest) ([]MailStep, error) {
		return []MailStep{{Step: "connect", OK: true, Text: pbx.Say("is not known")}}, nil
	}
	m.addCertificate(t, "c1", "new.example")
	base, _ := m.Current()
	z := &fuzzer{t: t, r: rand.New(rand.NewPCG(seed, 1)), s: s, m: m, schemas: s.api.OpenAPI().Components.Schemas.Map()}
	var ops []*huma.Operation
	walk(s, func(_ string, op *huma.Operation) { ops = append(ops, op) })
	slices.SortFunc(ops, func(a, b *huma.Operation) int { return strings.Compare(a.OperationID, b.OperationID) })
	good := map[string]int{}
	for range rounds {
		for _, op := range ops {
			m.reset(base)
			if z.call(op, base) {
				good[op.OperationID]++
			}
		}
	}
	if len(good) < len(ops)/2 {
		t.Errorf("only %d of %d operations were ever done: the test tries nothing that comes far: %v", len(good), len(ops), good)
	}
}

// reset makes cfg the only revision and forgets what else was kept.
func (m *memory) reset(cfg *pbx.Config) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cfgs, m.revisions = append(m.cfgs[:0], cfg), m.revisions[:1]
	m.kept = newKept()
	m.contacts[""] = []pbx.Contact{{ID: "k1", ContactSettings: pbx.ContactSettings{LastName: "Maier"}}}
	m.contacts[pbx.AdminID] = []pbx.Contact{{ID: "k2", ContactSettings: pbx.ContactSettings{LastName: "Own"}}}
	for _, fn := range m.watchers {
		fn(nil, cfg, m.revisions[0])
	}
}

type fuzzer struct {
	t       *testing.T
	r       *rand.Rand
	s       *Server
	m       *memory
	schemas map[string]*huma.Schema
}

func pick[T any](z *fuzzer, list ...T) T { return list[z.r.IntN(len(list))] }

// call sends one request and reports whether it was done.
func (z *fuzzer) call(op *huma.Operation, base *pbx.Config) bool {
	path, query := op.Path, url.Values{}
	seldom := pick(z, 2, 2, 12) // of many parameters one is nearly always wrong
	for _, p := range op.Parameters {
		switch p.In {
		case "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(z.pathValue()))
		case "query":
			if z.r.IntN(seldom) == 0 {
				query.Set(p.Name, z.queryValue(p.Schema))
			}
		}
	}
	body, media := z.body(op)
	ctx, cancel := context.WithCancel(z.t.Context())
	defer cancel()
	if op.OperationID == "events" {
		cancel()
	}
	r := httptest.NewRequestWithContext(ctx, op.Method, "https://galilei"+path+"?"+query.Encode(), strings.NewReader(body))
	r.RemoteAddr = lanAddr
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	if tag := pick(z, "*", "*", "*", "", `"x"`, strings.Repeat("x", 3000), "\"\xff\"", `,,,`); tag != "" {
		r.Header.Set("If-Match", tag)
	}
	c := enter(z.t, z.s, pbx.AdminID)
	r.Header.Set("Authorization", "Bearer "+c.token)
	res := c.send(r)
	now, _ := z.m.Current()
	if res.StatusCode != http.StatusTemporaryRedirect && op.Responses[strconv.Itoa(res.StatusCode)] == nil { // the mux tidies paths up
		z.t.Errorf("%s is answered with %d, which its description does not name: %.200s", op.OperationID, res.StatusCode, res.text)
	}
	done := res.StatusCode >= 200 && res.StatusCode < 300
	what := fmt.Sprintf("%s %s?%s (%s) %.300q", op.Method, path, query.Encode(), media, body)
	switch {
	case res.StatusCode >= 500:
		z.t.Errorf("%s: got %d %s", what, res.StatusCode, res.text)
	case !done && now != base:
		z.t.Errorf("%s: answered %d and changed the configuration", what, res.StatusCode)
	case done && pbx.Validate(now, z.m.model) != nil:
		z.t.Errorf("%s: made a configuration that is not valid: %v", what, pbx.Validate(now, z.m.model))
	case !done && res.StatusCode != 307 && !json.Valid([]byte(res.text)):
		z.t.Errorf("%s: the refusal is not JSON: %d %q", what, res.StatusCode, res.text)
	case strings.Contains(res.text, "argon2id:") || strings.Contains(res.text, `"x1:`):
		z.t.Errorf("%s: the answer holds a secret: %s", what, res.text)
	}
	return done
}

func (z *fuzzer) pathValue() string {
	return pick(z, "demo101", "anna", "admin", "boss", "k1", "k2", "c1", "device", "allusers", "pclerk", "gclerk", "newusergui", "1", "0", "-1", "99999999999999999999", "DE", "xx",
		"sip.ringTime", "sip.nothing", "..", ".", "%", "\x00", "\xff\xfe", "a/b", "a b", strings.Repeat("0", 64), strings.Repeat("x", 300), "\u202e", "'; --")
}

func (z *fuzzer) queryValue(p *huma.Schema) string {
	if len(p.Enum) > 0 && z.r.IntN(2) == 0 {
		return fmt.Sprint(pick(z, p.Enum...))
	}
	return pick(z, "", "0", "1", "true", "-1", "a", "9223372036854775808", "1e9", "\x00", "\xff", "%00", strings.Repeat("y", 5000), "2026-11-23T00:00:00Z", "0000-00-00", "*", "\u00e4", "anna")
}

// body returns a body and its media type: mostly one that the operation takes
// and that is nearly right.
func (z *fuzzer) body(op *huma.Operation) (text, media string) {
	if op.RequestBody == nil {
		return pick(z, "", "", "", "{}", "x"), pick(z, "", "application/json")
	}
	types := []string{}
	for m := range op.RequestBody.Content {
		types = append(types, m)
	}
	slices.Sort(types)
	media = strings.Replace(pick(z, types...), "*", pick(z, "png", "jpeg", "gif", "tiff", "x"), 1)
	garbage := pick(z, "", "\x00", "\xff\xfe{", "null", "[]", "1", `"x"`, "{", `{"a":`, strings.Repeat("[", 5000), strings.Repeat(" ", 70000), "\ufeff{}", `{"\ud800":1}`,
		"GIF89a\xff\xff\xff\xff", "\x89PNG\r\n\x1a\n", "II*\x00\x08\x00\x00\x00", "\xff\xd8\xff\xe0", "a,b,c\n\"", "User,Extension,PIN\nx,410,4711\n", "--x\r\n\r\n", "last name\n\x00")
	if content := op.RequestBody.Content["application/json"]; content != nil && z.r.IntN(8) > 0 {
		value, err := json.Marshal(z.value(content.Schema, 0))
		if err != nil {
			z.t.Fatal(err)
		}
		text = string(value)
		if z.r.IntN(10) == 0 && len(text) > 2 {
			text = text[:z.r.IntN(len(text))]
		}
	} else {
		text = garbage
	}
	switch z.r.IntN(12) {
	case 0:
		media = pick(z, "text/html", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "multipart/form-data", "multipart/form-data; boundary=x", "x", "image/", "application/json;;")
	case 1:
		media = ""
	}
	return text, media
}

// value makes a value for a schema: mostly of its type and within its rules,
// now and then anything.
func (z *fuzzer) value(p *huma.Schema, depth int) any {
	for p != nil && p.Ref != "" {
		p = z.schemas[strings.TrimPrefix(p.Ref, schemaPrefix)]
	}
	if p != nil && len(p.AllOf)+len(p.AnyOf) > 0 {
		return z.value(append(p.AllOf, p.AnyOf...)[0], depth)
	}
	if p == nil || depth > 6 || z.r.IntN(25) == 0 {
		return z.anything(depth)
	}
	switch p.Type {
	case huma.TypeObject:
		o := map[string]any{}
		names := []string{}
		for name := range p.Properties {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if f := p.Properties[name]; slices.Contains(p.Required, name) || !f.ReadOnly && z.r.IntN(4) > 0 {
				o[name] = z.value(f, depth+1)
			}
		}
		if z.r.IntN(30) == 0 {
			o["unknown"] = 1
		}
		return o
	case huma.TypeArray:
		list := []any{}
		for range pick(z, 0, 0, 1, 2, 3) {
			list = append(list, z.value(p.Items, depth+1))
		}
		return list
	case huma.TypeInteger:
		if p.Minimum != nil && p.Maximum != nil {
			return pick(z, *p.Minimum, *p.Maximum, *p.Minimum+1, *p.Maximum+1, *p.Minimum-1)
		}
		return pick(z, 0, 1, -1)
	case huma.TypeBoolean:
		return z.r.IntN(2) == 0
	case huma.TypeString:
		return z.text(p)
	}
	return z.anything(depth)
}

func (z *fuzzer) text(p *huma.Schema) string {
	if len(p.Enum) > 0 && z.r.IntN(10) > 0 {
		return fmt.Sprint(pick(z, p.Enum...))
	}
	return pick(z, "", "eva", "anna", "admin", "demo101", "410", "101", "302", "4711", "0000", "Maier", "eva@example.org", "192.168.0.9", "10.0.0.0/8", "DE", "de", "Europe/Berlin",
		"pclerk", "allusers", "gclerk", "home", "x y", "\u00e4\u00f6\u00fc", "\u202eabc", "a\x00b", "a\r\nb", "https://example.org/token", "mail.example", strings.Repeat("z", 300))
}

func (z *fuzzer) anything(depth int) any {
	deep := any("x")
	for range z.r.IntN(40) {
		deep = []any{deep}
	}
	return pick[any](z, nil, true, -1, 1.5, 1e300, 9007199254740993, "", "x", "\x00", strings.Repeat("q", 60000), []any{}, map[string]any{}, []any{nil}, map[string]any{"": nil}, deep)
}
