package pbxd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"

	"galilei/pbxd/pbx"
)

// renewedSecret is the name under which the renewed tokens are kept.
const renewedSecret = "mail-refresh-tokens"

// maxRenewed bounds the accounts whose tokens are kept: a revision of a while
// ago may bring one of them back.
const maxRenewed = 8

// secretStore keeps sealed values beside the configuration.
type secretStore interface {
	Key() pbx.DeviceKey
	Secret(ctx context.Context, name string) ([]byte, error)
	SetSecret(ctx context.Context, name string, value []byte) error
}

// renewed holds the refresh tokens that OAuth servers gave in place of the
// configured ones, which are no longer good (RFC 6749 section 6). They are no
// part of the configuration: nobody has changed that, and an older revision
// must not bring a dead token back.
type renewed struct {
	store secretStore

	mu   sync.Mutex
	list []renewedToken // the last renewed one last
}

// renewedToken is the token in force in place of a configured one.
type renewedToken struct {
	Of    string `json:"of"` // SHA-256 of the configured token as it is sealed
	Token string `json:"token"`
}

// openRenewed reads the renewed tokens. When they cannot be read the configured
// ones are tried, and the administrator hears from the mail server.
func openRenewed(ctx context.Context, st secretStore, log *slog.Logger) *renewed {
	r := &renewed{store: st}
	text, err := st.Secret(ctx, renewedSecret)
	if errors.Is(err, fs.ErrNotExist) {
		return r
	}
	if err == nil {
		err = json.Unmarshal(text, &r.list)
	}
	if err != nil {
		log.Error("renewed refresh tokens of mail cannot be read", "err", err)
		r.list = nil
	}
	return r
}

// open opens a secret of the configuration, or gives what has taken its place.
func (r *renewed) open(purpose string, sealed pbx.Sealed) (pbx.Secret, error) {
	if purpose == pbx.MailPasswordPurpose {
		r.mu.Lock()
		defer r.mu.Unlock()
		if i := r.index(sealed); i >= 0 {
			return pbx.Secret(r.list[i].Token), nil
		}
	}
	return r.store.Key().Open(purpose, sealed)
}

func (r *renewed) index(sealed pbx.Sealed) int {
	of := nameOf(sealed)
	return slices.IndexFunc(r.list, func(t renewedToken) bool { return t.Of == of })
}

func nameOf(sealed pbx.Sealed) string {
	sum := sha256.Sum256([]byte(sealed))
	return hex.EncodeToString(sum[:])
}

// replace keeps the token new in place of old, durably, when old is what stands
// for the configured one.
func (r *renewed) replace(ctx context.Context, configured pbx.Sealed, old, new pbx.Secret) error {
	now, err := r.open(pbx.MailPasswordPurpose, configured)
	if err != nil || now != old {
		return nil // the account is another meanwhile
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.Clone(r.list)
	if i := r.index(configured); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	list = append(list, renewedToken{nameOf(configured), new.Reveal()}) // the store seals it
	if len(list) > maxRenewed {
		list = list[len(list)-maxRenewed:]
	}
	text, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("write %d tokens as JSON: %w", len(list), err)
	}
	if err := r.store.SetSecret(ctx, renewedSecret, text); err != nil {
		r.list = list // the old one is dead: until the next start the new one is known
		return err
	}
	r.list = list
	return nil
}
