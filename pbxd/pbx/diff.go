package pbx

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Change is one parameter that differs between two revisions. Secrets are
// shown as "***".
type Change struct {
	Path string `json:"path" title:"Parameter" doc:"Path of the parameter"`
	Old  string `json:"old" title:"Before" doc:"Value before; empty when the parameter is new"`
	New  string `json:"new" title:"After" doc:"Value after; empty when the parameter is gone"`
}

// Diff lists what differs between old and new, sorted by path. Entries of
// lists are called by their name, as in users[anna].firstName, or by their ID, as
// in users[#k3j5x].user, when the name changed; '#' is in no login name. Rules that
// share a name have both, as in outboundRoutes[Local#k3j5x].pattern. Long values are
// cut.
func Diff(old, new *Config) []Change {
	names := entryNames(old, new)
	a, b := flatten(old, names), flatten(new, names)
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	changes := []Change{}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		_, before := a[k]
		_, after := b[k]
		nothing := a[k]+b[k] == "false" || a[k]+b[k] == "0"
		if a[k] != b[k] && !(nothing && before != after) { // what is off or 0 in a new entry is no news
			changes = append(changes, Change{k, masked(k, a[k]), masked(k, b[k])})
		}
	}
	return changes
}

// maxShown is how much of a value is shown, in bytes: nobody reads the whole
// of a certificate.
const maxShown = 400

func masked(path, value string) string {
	secret := strings.HasSuffix(path, ".pinHash") || strings.HasSuffix(path, "Sealed")
	if secret && value != "" {
		return "***"
	}
	if len(value) > maxShown {
		return strings.ToValidUTF8(value[:maxShown], "") + "\u2026"
	}
	return value
}

// entryNames returns what a path calls the entry of each list and ID: its name
// when it is the same on both sides, or there on one side only, with the ID when
// others of the list have it, too.
func entryNames(configs ...*Config) map[string]string {
	names, shared := map[string]string{}, map[string]int{}
	for _, c := range configs {
		if c == nil {
			continue
		}
		for _, l := range c.lists() {
			for i := range l.entries.Len() {
				e := l.entries.Index(i)
				id, name := e.FieldByName("ID").String(), nameOf(e)
				key := l.name + "/" + id
				if before, ok := names[key]; ok && before != name {
					name = "#" + id
				}
				names[key] = name
			}
		}
	}
	for key, name := range names {
		list, _, _ := strings.Cut(key, "/")
		shared[list+"/"+name]++
	}
	for key, name := range names {
		if list, id, _ := strings.Cut(key, "/"); shared[list+"/"+name] > 1 {
			names[key] = name + "#" + id
		}
	}
	return names
}

// flatten returns every value of c by its path.
func flatten(c *Config, names map[string]string) map[string]string {
	flat := map[string]string{}
	if c == nil {
		return flat
	}
	text, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("configuration cannot be written as JSON: %v", err)) // every field is a plain type
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		panic(fmt.Sprintf("configuration cannot be read back: %v", err))
	}
	flattenInto(flat, "", tree, names)
	return flat
}

func flattenInto(flat map[string]string, path string, v any, names map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			p := k
			if path != "" {
				p = path + "." + k
			}
			flattenInto(flat, p, e, names)
		}
	case []any:
		for i, e := range v {
			key := fmt.Sprint(i)
			if m, ok := e.(map[string]any); ok && m["id"] != nil {
				key = names[path+"/"+fmt.Sprint(m["id"])]
			}
			flattenInto(flat, path+"["+key+"]", e, names)
		}
	case nil:
	case string:
		flat[path] = v
	default:
		flat[path] = fmt.Sprint(v)
	}
}
