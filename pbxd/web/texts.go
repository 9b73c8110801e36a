package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// Texts sends text messages to users. It waits until they are kept, not for the
// phones.
type Texts interface {
	// SendText sends from a user to users, all by their IDs, and returns for how
	// many the message is kept and the IDs of those who take none of the sender.
	// The error is ErrTextRate when the sender has too many in this minute.
	SendText(ctx context.Context, from *pbx.User, to []string, body string) (receivers int, refused []string, err error)
}

// ErrTextRate says that a user has sent too many messages within a minute.
var ErrTextRate = errors.New("too many messages within a minute")

// TextStore keeps text messages.
type TextStore interface {
	// Texts returns the messages to a user, the newest first.
	Texts(ctx context.Context, user string) ([]pbx.Text, error)
	// DeleteText returns fs.ErrNotExist for one that there is not.
	DeleteText(ctx context.Context, user string, id int64) error
}

// TextToSend is a message to users.
type TextToSend struct {
	To    []string `json:"to" title:"To" doc:"Identifiers of the users who get it" maxItems:"1000" maxLength:"26"`
	Group string   `json:"group" title:"Group" doc:"Identifier of a permission group whose members get it, too; empty for none" maxLength:"26"`
	Body  string   `json:"body" title:"Message" doc:"What is sent" minLength:"1" maxLength:"1000" multiline:"true" required:"true"`
}

// TextSent says what became of a message at first.
type TextSent struct {
	Receivers int      `json:"receivers" title:"Receivers" doc:"How many get it: their phones are tried now, and it is kept in their messages" minimum:"0"`
	Refused   []string `json:"refused" title:"Not sent to" doc:"Names of those who take no messages from you" maxItems:"10000" maxLength:"101"`
}

// TextReceivers are those to whom a user may send.
type TextReceivers struct {
	Users  []TextReceiver `json:"users" title:"Users" doc:"People, by their names" maxItems:"10000"`
	Groups []TextReceiver `json:"groups" title:"Groups" doc:"Groups of them; none when only people may be sent to" maxItems:"500"`
}

// TextReceiver is a user or a group.
type TextReceiver struct {
	ID   string `json:"id" title:"Identifier" doc:"Identifier of the user or the group" maxLength:"26"`
	Name string `json:"name" title:"Name" doc:"Name, of a user with the extension" maxLength:"120"`
}

// textNumber is the path parameter of a message.
type textNumber struct {
	ID int64 `path:"id" title:"Number" doc:"Number of the message" minimum:"1" maximum:"9007199254740991"`
}

// maxTextReceivers bounds the receivers of a message, those of its group
// included.
const maxTextReceivers = 1000

const (
	textsModule      = "messages"
	textGroupsModule = "messages-groups"
)

func (s *Server) registerTexts() {
	const tag = "Messages"
	register(s, operation{id: "list-own-texts", method: http.MethodGet, path: "/profile/texts", tag: tag, module: textsModule, summary: "Own messages, the newest first",
		description: "A look with the rights of another user is in the audit log.", audits: []string{"show-texts"}},
		func(ctx context.Context, _ *none) (*answer[[]pbx.Text], error) {
			c := callerOf(ctx)
			if c.as() {
				if err := s.audit(ctx, "show-texts", c.user.Name); err != nil {
					return nil, err
				}
			}
			list, err := s.Store.Texts(ctx, c.user.ID)
			if err != nil {
				return nil, fmt.Errorf("list messages: %w", err)
			}
			return &answer[[]pbx.Text]{append([]pbx.Text{}, list...)}, nil
		})
	register(s, operation{id: "delete-own-text", method: http.MethodDelete, path: "/profile/texts/{id}", tag: tag, module: textsModule, status: http.StatusNoContent,
		summary: "Delete an own message", description: "It needs no If-Match: a message is never edited.", audits: []string{"delete-own-text"}, errors: []int{http.StatusNotFound}},
		func(ctx context.Context, in *textNumber) (*none, error) {
			user := callerOf(ctx).user
			if err := s.Store.DeleteText(ctx, user.ID, in.ID); err != nil {
				return nil, notFound(fmt.Errorf("delete message %d: %w", in.ID, err), "There is no such message.")
			}
			s.record(ctx, "delete-own-text", user.Name)
			return &none{}, nil
		})
	register(s, operation{id: "list-text-receivers", method: http.MethodGet, path: "/texts/receivers", tag: tag, module: textsModule,
		summary: "To whom messages can be sent", description: "The users of the internal directory. Groups need the module messages-groups."},
		func(ctx context.Context, _ *none) (*answer[TextReceivers], error) {
			cfg, _ := s.Store.Current()
			return &answer[TextReceivers]{receiversOf(cfg, callerOf(ctx))}, nil
		})
	register(s, operation{id: "send-text", method: http.MethodPost, path: "/texts", tag: tag, module: textsModule,
		summary: "Send a message to users", description: "It is sent to the phones of the receivers and kept in their messages. Who takes messages of whom is said by the permission receive-push-messages. A group needs the module messages-groups.",
		audits: []string{"send-text"}, errors: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable}}, s.sendText)
}

// receiversOf returns to whom the caller may send, by name.
func receiversOf(cfg *pbx.Config, c *caller) TextReceivers {
	r := TextReceivers{Users: []TextReceiver{}, Groups: []TextReceiver{}}
	for i := range cfg.Users {
		if u := &cfg.Users[i]; cfg.Listed(u) {
			r.Users = append(r.Users, TextReceiver{u.ID, u.DisplayName() + " " + u.Extension})
		}
	}
	if c.has(textGroupsModule) {
		for i := range cfg.PermissionGroups {
			if g := &cfg.PermissionGroups[i]; offered(cfg, c, g) {
				r.Groups = append(r.Groups, TextReceiver{g.ID, g.Name})
			}
		}
	}
	for _, list := range [][]TextReceiver{r.Users, r.Groups} {
		sort.Slice(list, func(i, j int) bool { return strings.ToLower(list[i].Name) < strings.ToLower(list[j].Name) })
	}
	return r
}

// offered reports whether the caller may send to a group: one of users, not all
// of whom are hidden from a caller who is no administrator.
func offered(cfg *pbx.Config, c *caller, g *pbx.PermissionGroup) bool {
	return g.Type == "user" && slices.ContainsFunc(cfg.MembersOf(g), func(id string) bool { return named(cfg, c, id) })
}

// named reports whether the caller may learn of a user, by ID.
func named(cfg *pbx.Config, c *caller, id string) bool {
	u := cfg.UserByID(id)
	return u != nil && (c.user.Admin || cfg.Listed(u))
}

func (s *Server) sendText(ctx context.Context, in *struct{ Body body[TextToSend] }) (*answer[TextSent], error) {
	if s.Texts == nil {
		return nil, refuse(http.StatusServiceUnavailable, "The device cannot send messages now.")
	}
	c, m := callerOf(ctx), in.Body.value
	cfg, _ := s.Store.Current()
	to := m.To
	tooMany := func() error {
		return invalidField("to", pbx.Say("has {n} entries; at most {max} are allowed", "n", len(to), "max", maxTextReceivers))
	}
	if len(to) > maxTextReceivers { // before they are looked up one by one
		return nil, tooMany()
	}
	for _, id := range m.To {
		if cfg.UserByID(id) == nil {
			return nil, invalidField("to", pbx.Say("names a user that there is not"))
		}
	}
	if m.Group != "" {
		g := cfg.PermissionGroupByID(m.Group)
		switch {
		case !c.has(textGroupsModule):
			return nil, noModule(textGroupsModule)
		case g == nil || !offered(cfg, c, g):
			return nil, invalidField("group", pbx.Say("names a group that there is not"))
		}
		for _, id := range cfg.MembersOf(g) {
			if id != c.user.ID { // the others are meant
				to = append(to, id)
			}
		}
	}
	switch {
	case len(to) == 0:
		return nil, invalidField("to", pbx.Say("is needed: choose who gets the message"))
	case strings.TrimSpace(m.Body) == "":
		return nil, invalidField("body", pbx.Say("is needed: write a message"))
	case utf8.RuneCountInString(m.Body) > pbx.MaxText:
		return nil, invalidField("body", pbx.Say("has {n} characters; at most {max} are allowed", "n", utf8.RuneCountInString(m.Body), "max", pbx.MaxText))
	case !pbx.PlainText(m.Body):
		return nil, invalidField("body", pbx.Say("has control characters. Type the message instead of pasting it."))
	case len(to) > maxTextReceivers:
		return nil, tooMany()
	}
	n, refused, err := s.Texts.SendText(ctx, &c.user, to, m.Body)
	switch {
	case errors.Is(err, ErrTextRate):
		return nil, huma.ErrorWithHeaders(refuse(http.StatusTooManyRequests, "You have sent too many messages. Try again in a minute."), http.Header{"Retry-After": {"60"}})
	case err != nil:
		return nil, fmt.Errorf("send a message: %w", err)
	}
	s.record(ctx, "send-text", c.user.Name)
	sent := TextSent{Receivers: n, Refused: []string{}}
	for _, id := range refused {
		if named(cfg, c, id) {
			sent.Refused = append(sent.Refused, cfg.UserByID(id).DisplayName())
		}
	}
	return &answer[TextSent]{sent}, nil
}
