package mail

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"galilei/pbxd/pbx"
)

// tokens keeps the access token that the queue uses, and the refresh token
// that followed the stored one.
type tokens struct {
	reach reach
	now   func() time.Time
	save  func(ctx context.Context, old, new pbx.Secret) error // may be nil
	log   *slog.Logger

	turn chan struct{} // holds one element while somebody asks the OAuth server or reads what follows

	key    [32]byte // of the grant that access is for
	access string
	until  time.Time

	// A server that gives a new refresh token often takes the old one back.
	// Until the store holds the new one, old tells which stored token it follows.
	old, new string
	unsaved  bool
}

func newTokens(r reach, now func() time.Time, save func(ctx context.Context, old, new pbx.Secret) error, log *slog.Logger) *tokens {
	return &tokens{reach: r, now: now, save: save, log: log, turn: make(chan struct{}, 1)}
}

// get returns an access token for g. fresh asks for a new one whatever is
// kept. kept reports that the token is one from before.
func (t *tokens) get(ctx context.Context, g grant, fresh bool) (access string, kept bool, err error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", false, &Error{Step: StepToken, Fault: FaultInterrupted, Server: g.url, Err: ctx.Err()}
	}
	stored := g.refresh
	if t.old != "" && stored == t.old {
		g.refresh = t.new
		t.keep(ctx)
	}
	if !fresh && t.access != "" && t.key == g.key() && t.now().Before(t.until) {
		return t.access, true, nil
	}
	got, err := t.reach.fetch(ctx, g)
	if err != nil {
		return "", false, err
	}
	if got.refresh != "" {
		t.old, t.new, t.unsaved = stored, got.refresh, true
		g.refresh = got.refresh
		t.keep(ctx)
	}
	t.key, t.access = g.key(), got.access
	t.until = t.now().Add(got.life - expiryMargin)
	return got.access, false, nil
}

// keep hands the new refresh token over to be stored. What fails is tried
// again with the next token.
func (t *tokens) keep(ctx context.Context) {
	if !t.unsaved || t.save == nil {
		return
	}
	// A token that the server has taken back cannot be got again: it is saved even while going down.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := t.save(ctx, pbx.Secret(t.old), pbx.Secret(t.new)); err != nil {
		t.log.Error("save refresh token of mail", "error", fmt.Errorf("save refresh token: %w", err))
		return
	}
	t.unsaved = false
}

// gave reports whether the OAuth server itself gave this refresh token last:
// that it is stored now is no change of the settings.
func (t *tokens) gave(ctx context.Context, refresh pbx.Secret) bool {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return false
	}
	return t.new != "" && refresh.Reveal() == t.new
}
