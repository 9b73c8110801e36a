package sipedge

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
)

// binding is one contact of a REGISTER.
type binding struct {
	reg      pbx.Registration
	instance string // +sip.instance and reg-id (RFC 5626), empty when the phone gives none
	uri      sip.Uri
}

// sameAs tells whether the contact replaces binding g: the same device
// instance, or an equal URI (RFC 3261 section 19.1.4, as far as registrars
// meet it).
func (b binding) sameAs(g pbx.Registration) bool {
	if b.instance != "" && b.instance == g.Instance {
		return true
	}
	if b.reg.Outbound && g.Outbound {
		return false // another flow, whatever its URI (RFC 5626 section 6)
	}
	var u sip.Uri
	if err := sip.ParseUri(g.Contact, &u); err != nil {
		return g.Contact == b.reg.Contact
	}
	tb, _ := b.uri.UriParams.Get("transport")
	tu, _ := u.UriParams.Get("transport")
	return u.User == b.uri.User && strings.EqualFold(u.Host, b.uri.Host) && u.Port == b.uri.Port && strings.EqualFold(tu, tb)
}

// Limits of one REGISTER.
const (
	maxContactsPerRequest = 10
	maxContactURI         = 512 // octets
	maxPath               = 4
	maxPathURI            = 512 // octets of each
)

// A phone with outbound sends keep-alives over its connection at least as often
// as flowTimer; when it has been silent for longer than that and flowGrace the
// flow counts as failed (RFC 5626 section 5.4).
const (
	flowTimer = 120 * time.Second
	flowGrace = 60 * time.Second
)

// authenticate returns the extension that a request comes from. Otherwise it
// has answered: with a challenge, whether the user exists or not (RFC 3261
// section 22; no answer tells the difference).
func (e *Edge) authenticate(tx *transaction.Server, req *sip.Request) (*pbx.User, bool) {
	cfg := e.deps.Config()
	user, v := e.digest.check(req, func(name string) (pbx.Secret, bool) { return e.password(cfg, name) })
	if v == authGood {
		tx.Flow().Trust()
		return cfg.UserByExtension(user), true
	}
	if v == authWrong {
		e.deps.Log.Info("SIP authentication failed", "from", tx.Flow().String(), "method", string(req.Method))
	}
	e.challenge(tx, req, v)
	return nil, false
}

// challenge asks the sender of a request for its password.
func (e *Edge) challenge(tx *transaction.Server, req *sip.Request, v verdict) {
	res := e.response(req, 401, "Unauthorized")
	e.digest.challenge(res, e.deps.Config().SIP.DigestSHA256, v == authStale)
	e.once(tx, req, res)
}

func (e *Edge) password(cfg *pbx.Config, extension string) (pbx.Secret, bool) {
	u := cfg.UserByExtension(extension)
	exists := u != nil && u.SIPPassword != ""
	if !exists {
		u = &e.nobody // opened all the same: the time tells nothing
	}
	p, err := e.deps.Key.Open(pbx.SIPPasswordPurpose(u.ID), u.SIPPassword)
	if err != nil {
		e.deps.Log.Error("SIP password cannot be read", "user", u.Name, "err", err)
		return "", false
	}
	return p, exists
}

func (e *Edge) register(tx *transaction.Server, req *sip.Request) {
	if s := req.To().Address.Scheme; s != "sip" && s != "sips" {
		e.refuse(tx, req, 400, "Address of Record Is No SIP URI") // RFC 3261 section 10.3
		return
	}
	u, ok := e.authenticate(tx, req)
	if !ok {
		return
	}
	if req.To().Address.User != u.Extension {
		e.reply(tx, req, 403, "Forbidden") // one user cannot register as another
		return
	}
	regs, err := e.bind(tx, req, u.Extension)
	var refused *bindingError
	if errors.As(err, &refused) {
		res := e.response(req, refused.status, refused.reason)
		if refused.status == 423 {
			res.AppendHeader(sip.NewHeader("Min-Expires", strconv.Itoa(e.deps.Config().SIP.MinExpires)))
		}
		e.send(tx, res)
		return
	}
	if err != nil {
		e.deps.Log.Info("REGISTER refused", "from", tx.Flow().String(), "err", err)
		e.reply(tx, req, 400, "Bad Request")
		return
	}
	res := e.response(req, 200, "OK")
	now := e.registrar.clock()
	for _, r := range regs {
		left := max(0, int(r.Expires.Sub(now).Round(time.Second).Seconds()))
		res.AppendHeader(sip.NewHeader("Contact", fmt.Sprintf("<%s>;expires=%d", r.Contact, left)))
	}
	if slices.ContainsFunc(regs, func(r pbx.Registration) bool { return r.Outbound && r.CallID == req.CallID().Value() }) {
		res.AppendHeader(sip.NewHeader("Require", "outbound")) // RFC 5626 section 6: it is done as asked
		if f := tx.Flow(); f.Reliable() {
			res.AppendHeader(sip.NewHeader("Flow-Timer", seconds(flowTimer)))
			f.Within(flowTimer + flowGrace)
		}
	}
	for _, p := range req.GetHeaders("path") { // RFC 3327 section 5.3
		res.AppendHeader(sip.NewHeader("Path", p.Value()))
	}
	res.AppendHeader(sip.NewHeader("Date", e.deps.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")))
	e.send(tx, res)
}

// bind applies the contacts of a REGISTER and returns what is bound then.
func (e *Edge) bind(tx *transaction.Server, req *sip.Request, ext string) ([]pbx.Registration, error) {
	contacts := req.GetHeaders("contact")
	if len(contacts) == 0 {
		return e.registrar.contacts(ext), nil // only asks
	}
	cfg := e.deps.Config().SIP
	for _, h := range contacts {
		if c, ok := h.(*sip.ContactHeader); ok && c.Address.Wildcard {
			if len(contacts) != 1 || headerValue(req, "expires") != "0" {
				return nil, &bindingError{400, "Contact * needs Expires 0 and no other contact"}
			}
			return nil, e.registrar.clear(ext, req.CallID().Value(), req.CSeq().SeqNo)
		}
	}
	if len(contacts) > maxContactsPerRequest {
		return nil, &bindingError{400, "Too many contacts"}
	}
	var set []binding
	for _, h := range contacts {
		c, ok := h.(*sip.ContactHeader)
		if !ok {
			return nil, fmt.Errorf("contact %.80q cannot be read", h.Value())
		}
		b, err := e.binding(tx, req, ext, c, cfg)
		if err != nil {
			return nil, err
		}
		set = append(set, b)
	}
	return e.registrar.change(ext, set, cfg.MaxContacts)
}

func (e *Edge) binding(tx *transaction.Server, req *sip.Request, ext string, c *sip.ContactHeader, cfg pbx.SIP) (binding, error) {
	uri := c.Address.String()
	secure := c.Address.Scheme == "sips" && tx.Flow().Network == "tls"
	if c.Address.Scheme != "sip" && !secure || c.Address.Host == "" || c.Address.Port > 65535 || len(c.Address.Headers) > 0 || len(uri) > maxContactURI || strings.ContainsAny(uri, "<>\r\n") {
		return binding{}, &bindingError{400, "Contact is no SIP URI"}
	}
	wanted, ok := c.Params.Get("expires")
	if !ok {
		wanted = headerValue(req, "expires")
	}
	seconds := cfg.MaxExpires
	if n, err := strconv.ParseUint(strings.TrimSpace(wanted), 10, 32); err == nil { // anything else counts as absent
		seconds = int(min(n, uint64(cfg.MaxExpires)))
	}
	if seconds > 0 && seconds < cfg.MinExpires {
		return binding{}, &bindingError{423, "Interval Too Brief"}
	}
	now := e.deps.Now()
	f := tx.Flow()
	b := binding{
		uri: *c.Address.Clone(),
		reg: pbx.Registration{
			Extension: ext, Contact: uri, Transport: f.Network, Source: f.Remote.String(), Local: f.Local.String(),
			UserAgent: printable(headerValue(req, "user-agent"), 120), CallID: req.CallID().Value(), CSeq: req.CSeq().SeqNo,
			Since: now, Refreshed: now, Expires: now.Add(time.Duration(seconds) * time.Second),
		},
	}
	if a := reachedAt(req); a.IsValid() {
		b.reg.ReachedAt = a.String()
	}
	b.instance = instanceOf(c)
	b.reg.Outbound = outbound(req, c)
	b.reg.Instance = b.instance
	var err error
	b.reg.Path, err = pathOf(req)
	return b, err
}

// pathOf returns the proxies by which a phone wants to be reached, topmost
// first (RFC 3327 section 5.3).
func pathOf(req *sip.Request) (path []string, err error) {
	for _, h := range req.GetHeaders("path") {
		for p := range strings.SplitSeq(strings.ReplaceAll(h.Value(), ">,", ">\n"), "\n") {
			var u sip.Uri
			uri, _, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(p), "<"), ">")
			switch {
			case len(path) == maxPath:
				return nil, &bindingError{400, "Too many Path fields"}
			case len(p) > maxPathURI:
				return nil, &bindingError{400, "Path is too long"}
			case !ok || sip.ParseUri(uri, &u) != nil || u.Scheme != "sip" && u.Scheme != "sips":
				return nil, &bindingError{400, "Path is no SIP URI"}
			}
			path = append(path, "<"+uri+">")
		}
	}
	return path, nil
}

// instanceOf returns what names the device behind a contact (RFC 5626 section
// 4.1), or "".
func instanceOf(c *sip.ContactHeader) string {
	id, ok := c.Params.Get("+sip.instance")
	if !ok {
		return ""
	}
	regID, _ := c.Params.Get("reg-id")
	return printable(id+";"+regID, 200)
}

// outbound reports whether a phone asks to be reached only by the flow that it
// registers over: it says so, names itself and the flow, and nobody is between
// (RFC 5626 section 6).
func outbound(req *sip.Request, c *sip.ContactHeader) bool {
	id, named := c.Params.Get("+sip.instance")
	flow, numbered := c.Params.Get("reg-id")
	n, err := strconv.ParseUint(flow, 10, 31)
	if !named || id == "" || !numbered || err != nil || n == 0 || len(req.GetHeaders("via")) != 1 {
		return false
	}
	for _, h := range req.GetHeaders("supported") {
		for option := range strings.SplitSeq(h.Value(), ",") {
			if strings.EqualFold(strings.TrimSpace(option), "outbound") {
				return true
			}
		}
	}
	return false
}

// device returns what names the phone of a registration whatever flow it was
// made over, or "".
func device(reg pbx.Registration) string {
	if i := strings.LastIndexByte(reg.Instance, ';'); i > 0 && reg.Outbound {
		return reg.Instance[:i]
	}
	return ""
}

// headerValue returns the first value of a header field, or "".
func headerValue(m sip.Message, name string) string {
	for _, h := range m.GetHeaders(name) {
		return h.Value()
	}
	return ""
}

// printable returns s cut to max octets without control characters.
func printable(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Bidi_Control, r) {
			return -1 // the last kind would let text pose as other text
		}
		return r
	}, s)
	for len(s) > max {
		s = s[:max]
		s = strings.ToValidUTF8(s, "")
	}
	return s
}
