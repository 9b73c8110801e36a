package sipedge

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
	"galilei/pbxd/sipedge/transport"
)

// maxProofs is how often a request is sent again with credentials: once for the
// challenge, once more for a nonce that was stale by then, and for a proxy on the
// way that wants some of its own.
const maxProofs = 3

// account is who we are at a provider.
type account struct {
	user     string
	password pbx.Secret
}

// askLocked sends a request of the leg and calls on with what comes back, and with
// the number of the request that it answers. A provider that wants to know who we
// are gets the request once more, with credentials (RFC 3261 section 22.2),
// whatever the request is: some ask with each BYE.
func (l *leg) askLocked(req *sip.Request, f transport.Flow, on func(res *sip.Response, err error, cseq uint32)) (*transaction.Client, error) {
	return l.askAgainLocked(req, f, on, 0)
}

func (l *leg) askAgainLocked(req *sip.Request, f transport.Flow, on func(*sip.Response, error, uint32), proofs int) (*transaction.Client, error) {
	cseq := req.CSeq().SeqNo
	if l.line == nil {
		return l.edge.tx.Request(req, f, func(res *sip.Response, err error) { on(res, err, cseq) })
	}
	var first *transaction.Client
	tx, err := l.edge.tx.Request(req, f, func(res *sip.Response, err error) {
		if err != nil || res.StatusCode != 401 && res.StatusCode != 407 || proofs == maxProofs {
			on(res, err, cseq)
			return
		}
		again := false
		l.locked(func() func() {
			again = l.proveLocked(req, res, f, on, proofs, first)
			return nil
		})
		if !again {
			on(res, err, cseq)
		}
	})
	first = tx // under the lock, which the answer takes
	return tx, err
}

// proveLocked sends a request once more with credentials; false when none are to
// be had, or when it is given up already.
func (l *leg) proveLocked(req *sip.Request, res *sip.Response, f transport.Flow, on func(*sip.Response, error, uint32), proofs int, before *transaction.Client) bool {
	if l.state == legEnded || req.IsInvite() && (l.state == legEnding || l.clientTx != before) {
		return false
	}
	if from := f.Remote.Addr(); !slices.Contains(l.asks, from) && !l.line.from(from) {
		l.log.Warn("credentials withheld: who wants them is none of the provider's servers", "method", string(req.Method), "from", f.String())
		return false
	}
	again, err := proved(req, res, l.line.account())
	if err != nil {
		l.log.Info("the provider wants credentials", "method", string(req.Method), "err", err)
		return false
	}
	l.cseq++
	renumber(again, l.cseq)
	l.via(again, f)
	tx, err := l.askAgainLocked(again, f, on, proofs+1)
	if err != nil {
		l.log.Info("request not sent with credentials", "method", string(req.Method), "err", err)
		return false
	}
	if req.IsInvite() {
		if l.out != nil && l.state == legOutgoing {
			l.out.spoken = false // of the INVITE before
			l.awaitLocked(time.Duration(l.out.options.NoAnswer) * time.Millisecond)
		}
		l.clientTx = tx
		l.proof, l.proofSeq = slices.Concat(again.GetHeaders("Authorization"), again.GetHeaders("Proxy-Authorization")), l.cseq
		if l.offerSeq == req.CSeq().SeqNo {
			l.offerSeq = l.cseq
		}
	}
	return true
}

// renumber gives a request a number of its own, and takes its hop off.
func renumber(req *sip.Request, cseq uint32) {
	req.CSeq().SeqNo = cseq
	req.RemoveHeader("Via")
}

// proved returns a request with the answer to the challenges of a 401 or 407
// beside it. The error says why there is none: what is wanted is not known here,
// or was given before and is not taken.
func proved(req *sip.Request, res *sip.Response, who account) (*sip.Request, error) {
	wants, gives := "www-authenticate", "Authorization"
	if res.StatusCode == 407 {
		wants, gives = "proxy-authenticate", "Proxy-Authorization"
	}
	fields := res.GetHeaders(wants)
	if len(fields) == 0 {
		return nil, fmt.Errorf("%d without a challenge", res.StatusCode)
	}
	if who.user == "" || who.password == "" {
		return nil, fmt.Errorf("%d, and the gateway has no password", res.StatusCode)
	}
	again := req.Clone()
	given := again.GetHeaders(gives)
	for again.RemoveHeader(gives) {
	}
	var realms []string
	for _, h := range fields { // the best first (RFC 8760 section 2.4)
		chal, err := digest.ParseChallenge(h.Value())
		if err != nil || !digest.CanDigest(chal) || slices.Contains(realms, chal.Realm) {
			continue
		}
		if refusedProof(given, chal) {
			return nil, fmt.Errorf("the password is not taken in %.100q", chal.Realm)
		}
		cred, err := digest.Digest(chal, digest.Options{
			Method: string(req.Method), URI: req.Recipient.String(), Username: who.user, Password: who.password.Reveal(), Count: 1,
			GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(req.Body())), nil },
		})
		if err != nil {
			continue
		}
		again.AppendHeader(sip.NewHeader(gives, cred.String()))
		realms = append(realms, chal.Realm)
	}
	if len(realms) == 0 {
		return nil, fmt.Errorf("%d with no challenge that is understood", res.StatusCode)
	}
	for _, h := range given { // of other proxies on the way
		if c, err := digest.ParseCredentials(h.Value()); err == nil && !slices.Contains(realms, c.Realm) {
			again.AppendHeader(h)
		}
	}
	return again, nil
}

// refusedProof reports whether credentials for the same realm were given already,
// and were not refused for the age of their nonce alone.
func refusedProof(given []sip.Header, chal *digest.Challenge) bool {
	return !chal.Stale && slices.ContainsFunc(given, func(h sip.Header) bool {
		c, err := digest.ParseCredentials(h.Value())
		return err == nil && strings.EqualFold(c.Realm, chal.Realm)
	})
}
