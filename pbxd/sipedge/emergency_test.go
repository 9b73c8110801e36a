package sipedge_test

import (
	"net/netip"
	"testing"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/sipedge"
)

// inGermany has an office stand there; its phones are in the network 127.0.0.0/29.
func inGermany(d *sipedge.Deps) {
	cfg := d.Config()
	cfg.Locale.Country, cfg.Locale.OutsideLine = "DE", "9"
	cfg.SIP.LocalNetworks = []string{"127.0.0.0/29"}
	pbx.SetDefaults(&cfg.FunctionCodes)
}

// from returns a phone with an address of this machine.
func (o *office) from(local, network, ext, password string) *pbxdtest.Phone {
	o.t.Helper()
	return pbxdtest.NewPhoneFrom(o.t, netip.MustParseAddr(local), o.addr, network, ext, password)
}

// A phone that shows no password, or a wrong one, makes an emergency call, however it
// writes the number, as nobody; its call takes all that belongs to it.
func TestEmergencyCallWithoutPassword(t *testing.T) {
	o := newOffice(t, inGermany)
	at := o.addr.String()
	for _, tt := range []struct{ network, uri, number string }{
		{"udp", "sip:112@" + at, "112"}, {"tcp", "sip:110@" + at + ";user=phone", "110"}, {"udp", "sip:9112@" + at, "112"}, {"udp", "sip:0112@" + at, "112"},
		{"udp", "sip:*31112@" + at, "112"}, {"udp", "sip:1-1-2@" + at + ";user=phone", "112"}, {"udp", "sip:%31%312@" + at, "112"}, {"udp", "sip:112;phone-context=%2B49@" + at, "112"},
		{"udp", "tel:112", "112"}, {"tcp", "tel:110;phone-context=+49", "110"}, {"udp", "urn:service:sos", "112"}, {"tcp", "URN:service:sos.police", "110"},
	} {
		p := o.from("127.0.0.2", tt.network, "102", "wrong")
		c := p.DialBare(tt.uri, pbxdtest.SDP(16000), `Authorization: Digest username="102", realm="galilei", nonce="x", uri="`+tt.uri+`", response="00", algorithm=MD5`+"\r\n"+
			"Replaces: x;to-tag=1;from-tag=2\r\nPrivacy: id\r\nDiversion: <sip:103@x>;reason=unconditional\r\n")
		in := o.arrival()
		if in.Digits != tt.number || !in.Unknown || in.Caller != (call.Party{Name: "127.0.0.2"}) || in.Phone != "" || in.Claims != "102" || in.Likely != "" || in.Address == "" ||
			in.Anonymous || in.Replaces != nil || len(in.Diversions) != 0 {
			t.Fatalf("%s: %+v", tt.uri, in)
		}
		in.Leg.Answer(pcma())
		c.Answered()
		c.Send("INVITE", pbxdtest.SDP(16010))
		o.event(call.EventOffer)
		in.Leg.Respond(pcma())
		c.Response(200)
		c.Ack("")
		c.Send("REFER", "")
		c.Response(403)
		c.Hangup()
		o.event(call.EventEnded)
	}
	p := o.from("127.0.0.2", "udp", "nobody", "wrong")
	c := p.DialBare("tel:112", pbxdtest.SDP(16000), "")
	in := o.arrival()
	in.Leg.Ringing(nil)
	c.Response(180)
	c.Cancel()
	p.Response("CANCEL", 200)
	p.Response("INVITE", 487)
	if o.event(call.EventEnded); in.Claims != "" {
		t.Errorf("%+v", in)
	}
	o.nothingLeft()
}

// In the dialog of such a phone requests come from its address alone.
func TestEmergencyCallOfAStrangerIsIts(t *testing.T) {
	o := newOffice(t, inGermany)
	p := o.from("127.0.0.2", "udp", "102", "wrong")
	c := p.DialBare("tel:112", pbxdtest.SDP(16000), "")
	o.arrival().Leg.Answer(pcma())
	c.Answered()
	x := *c
	x.Phone = o.from("127.0.0.3", "udp", "102", o.password)
	x.CSeq = 500
	x.Send("BYE", "")
	challenge := x.Response(401)
	x.SendWith("BYE", "Authorization: "+x.Phone.Credentials(challenge.Get("WWW-Authenticate"), "BYE", x.Target)+"\r\n", "", "")
	x.Response(403)
	x = *c
	x.Phone = o.from("127.0.0.2", "udp", "102", "wrong") // another port: it has moved
	x.Hangup()
	o.event(call.EventEnded)
	o.nothingLeft()
}

// A password is asked for as ever for other numbers, and from outside of the local
// networks. What is no SIP URI is refused then.
func TestPasswordForOtherCalls(t *testing.T) {
	o := newOffice(t, inGermany)
	for _, tt := range []struct {
		from, uri string
		status    int
	}{
		{"127.0.0.2", "sip:102@" + o.addr.String(), 401}, {"127.0.0.2", "sip:1120@" + o.addr.String(), 401}, {"127.0.0.2", "tel:102", 416}, {"127.0.0.2", "tel:+49112", 416},
		{"127.0.0.2", "urn:service:test.sos", 416}, {"127.0.0.2", "urn:service:counseling", 416}, {"127.0.0.2", "urn:nena:service:sos", 416},
		{"127.0.0.99", "sip:112@" + o.addr.String(), 401}, {"127.0.0.99", "tel:112", 401}, {"127.0.0.99", "urn:service:sos", 401},
	} {
		p := o.from(tt.from, "udp", "102", o.password)
		c := p.DialBare(tt.uri, pbxdtest.SDP(16000), "")
		res := c.Response(tt.status)
		if c.AckRefusal(res); tt.status != 401 || tt.from == "127.0.0.2" {
			continue
		}
		c.Again(pbxdtest.SDP(16000), "Authorization: "+p.Credentials(res.Get("WWW-Authenticate"), "INVITE", tt.uri)+"\r\n")
		if in := o.arrival(); in.Unknown || in.Phone != "102" || in.Digits != "112" {
			t.Errorf("%s: %+v", tt.uri, in)
		} else {
			in.Leg.Hangup(pbx.CauseUserBusy)
		}
	}
	o.nothingLeft()
}

// A phone that is registered is asked for its password, so that those who help see
// its number; when it does not give it, it is not asked again.
func TestEmergencyCallOfARegisteredPhone(t *testing.T) {
	o := newOffice(t, inGermany)
	p := o.from("127.0.0.2", "udp", "102", o.password).MustRegister()
	for range 2 {
		p.Dial("112", pbxdtest.SDP(16000))
		if in := o.arrival(); in.Unknown || in.Phone != "102" || in.Digits != "112" || in.Address == "" {
			t.Errorf("%+v", in)
		} else {
			in.Leg.Hangup(pbx.CauseUserBusy)
		}
		p.Response("INVITE", 486)
	}
	c := p.DialBare("tel:112", pbxdtest.SDP(16000), "")
	c.AckRefusal(c.Response(401))
	c.Again(pbxdtest.SDP(16000), "") // it does not know what to do with that
	if in := o.arrival(); !in.Unknown || in.Likely != "102" || in.Caller.Number != "" || in.Phone != "" {
		t.Errorf("%+v", in)
	}
	other := o.from("127.0.0.2", "udp", "103", o.password).MustRegister()
	for ext, likely := range map[string]string{"102": "102", "103": "103", "777": ""} { // another port of the same address
		p := o.from("127.0.0.2", "udp", ext, "wrong")
		p.DialBare("tel:110", pbxdtest.SDP(16000), "")
		if in := o.arrival(); !in.Unknown || in.Likely != likely {
			t.Errorf("calls itself %s: %+v", ext, in)
		}
	}
	other.Register(0)
	c = o.from("127.0.0.2", "tcp", "777", "wrong").DialBare("tel:110", pbxdtest.SDP(16000), "") // the fifth of one address without a password
	c.AckRefusal(c.Response(401))
}

// One phone that floods the device with emergency calls is asked for a password at
// last; others, and those with a password, call all the same.
func TestFloodOfEmergencyCalls(t *testing.T) {
	o := newOffice(t, inGermany)
	flood := o.from("127.0.0.2", "udp", "x", "wrong")
	for range 4 {
		c := flood.DialBare("tel:112", pbxdtest.SDP(16000), "")
		o.arrival()
		c.Response(100)
	}
	c := flood.DialBare("tel:112", pbxdtest.SDP(16000), "")
	c.AckRefusal(c.Response(401))
	known := o.from("127.0.0.2", "udp", "102", o.password)
	c = known.DialBare("tel:112", pbxdtest.SDP(16000), "")
	res := c.Response(401)
	c.AckRefusal(res)
	c.Again(pbxdtest.SDP(16000), "Authorization: "+known.Credentials(res.Get("WWW-Authenticate"), "INVITE", "tel:112")+"\r\n")
	if in := o.arrival(); in.Phone != "102" {
		t.Errorf("with a password: %+v", in)
	}
	o.from("127.0.0.3", "udp", "x", "wrong").DialBare("tel:112", pbxdtest.SDP(16000), "")
	if in := o.arrival(); !in.Unknown || in.Caller.Name != "127.0.0.3" {
		t.Errorf("another phone: %+v", in)
	}
}
