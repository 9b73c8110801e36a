package pbxd

import (
	"context"
	"time"
)

// nameTime is how long a call waits for a name.
const nameTime = 500 * time.Millisecond

// names looks up what the directories call somebody outside, for call.Deps: those
// of everybody, the internal one before the global contacts, by "", and the
// private contacts of users.
func (p *PBX) names(numbers, users []string) map[string]string {
	cfg := p.config()
	n := cfg.Numbering()
	ctx, cancel := context.WithTimeout(context.Background(), nameTime)
	defer cancel()
	names, err := p.store.NamesOf(ctx, n, numbers, append([]string{""}, users...))
	if err != nil {
		p.deps.Log.Warn("no name found for a number", "err", err)
	}
	if u := cfg.ListedByNumber(n, numbers); u != nil {
		if names == nil {
			names = map[string]string{}
		}
		names[""] = u.DisplayName()
	}
	return names
}
