package dialplan

import (
	"regexp"
	"sync"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbx/pattern"
)

// maxPatterns bounds how many compiled patterns are kept: more than any
// configuration has.
const maxPatterns = 5000

// Patterns keeps compiled patterns from one decision to the next. The zero value
// is ready, and safe for use by several goroutines.
type Patterns struct {
	mu    sync.Mutex
	known map[string]*pattern.Pattern // nil for what does not compile
}

// compile returns the pattern of a text, nil when it is none. A nil *Patterns
// keeps nothing.
func (k *Patterns) compile(source string) *pattern.Pattern {
	if k == nil {
		p, _ := pattern.Compile(source) // what does not compile matches nothing
		return p
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if p, ok := k.known[source]; ok {
		return p
	}
	if len(k.known) >= maxPatterns || k.known == nil {
		k.known = map[string]*pattern.Pattern{}
	}
	p, _ := pattern.Compile(source)
	k.known[source] = p
	return p
}

// route returns what the pattern of a route matches: an expression as it is; of a
// number those that begin with it or, whole, that one alone.
func (k *Patterns) route(source string, whole bool) *pattern.Pattern {
	if !pattern.Plain(source) {
		return k.compile(source)
	}
	source = "^" + literal(source)
	if whole {
		source += "$"
	}
	return k.compile(source)
}

// literal is a number as an expression that matches it alone.
func literal(number string) string { return regexp.QuoteMeta(number) }

// expand is the target of a rule for what its pattern found.
func (p *plan) expand(search *pattern.Pattern, target string, m pattern.Match) string {
	w, err := pattern.NewRewrite(search, target)
	if err != nil {
		return target // refused when it was saved
	}
	return w.Expand(m)
}

// rewrite applies a search and replace pattern, with its step.
func (p *plan) rewrite(rule, template string, r pbx.SearchReplace, number string) string {
	out, m, ok := p.q.Patterns.replaced(r, number)
	if ok {
		s := p.step(rule, template, "number", number, "result", out)
		s.Pattern, s.Before, s.After, s.Groups = r.Search, number, out, m.Groups[1:]
	}
	return out
}

// Rewritten returns what a search and replace pattern makes of a number, and what
// its groups found. ok is false when it is not for that number, which then stays.
func Rewritten(r pbx.SearchReplace, number string) (out string, groups []string, ok bool) {
	var none *Patterns
	out, m, ok := none.replaced(r, number)
	if ok {
		groups = m.Groups[1:]
	}
	return out, groups, ok
}

// replaced applies a search and replace pattern; ok is false when it does not
// match, and the number stays.
func (k *Patterns) replaced(r pbx.SearchReplace, number string) (out string, m pattern.Match, ok bool) {
	if r.Search == "" {
		return number, m, false
	}
	search := k.compile(r.Search)
	if search == nil {
		return number, m, false
	}
	w, err := pattern.NewRewrite(search, r.Replace)
	if err != nil {
		return number, m, false // refused when it was saved
	}
	return w.Apply(number)
}
