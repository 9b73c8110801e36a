package pbxd

import (
	"context"
	"errors"
	"fmt"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/push"
	"galilei/pbxd/sipedge"
	"galilei/pbxd/web"
)

// newPush returns the delivery of text messages. The edge exists.
func (p *PBX) newPush() *push.Delivery {
	return push.New(push.Deps{
		Config: p.config, Store: p.store, Now: p.deps.Now, Log: p.deps.Log.With("part", "messages"),
		Changed: func(user string) { p.facts.Publish(pbx.Fact{Kind: pbx.FactTexts, Users: []string{user}}) },
		Phone: func(ctx context.Context, extension string, from push.Sender, body string) error {
			return p.edge.SendText(ctx, extension, call.Party{Number: from.Number, Name: from.Name}, body)
		},
	})
}

// textOfPhone takes a text message of a phone.
func (p *PBX) textOfPhone(t sipedge.Text) pbx.Cause {
	return p.push.FromPhone(t.From.Number, t.To, t.Body)
}

// texts sends text messages of the page.
type texts struct{ *PBX }

func (t texts) SendText(ctx context.Context, from *pbx.User, to []string, body string) (int, []string, error) {
	sent, err := t.push.Send(ctx, push.Sender{UserID: from.ID, Number: from.Extension, Name: from.DisplayName()}, to, body)
	if errors.Is(err, push.ErrRate) {
		err = fmt.Errorf("%w: %w", web.ErrTextRate, err)
	}
	return sent.Receivers, sent.Refused, err
}

// mayWatch reports whether an extension may see the calls of another (F092):
// its own, and those of users towards whom it has the permission Busy Lamp
// Field.
func (p *PBX) mayWatch(watcher, watched string) bool {
	cfg := p.config()
	u, of := cfg.UserByExtension(watcher), cfg.UserByExtension(watched)
	return u != nil && of != nil && (u == of || cfg.May(u, pbx.PermitBusyLampField, of))
}

// mayPickUp reports whether an extension may take calls that ring at another, or
// is the same.
func (p *PBX) mayPickUp(watcher, watched string) bool {
	cfg := p.config()
	return watcher == watched || cfg.MayPickUp(cfg.UserByExtension(watcher), cfg.UserByExtension(watched))
}
