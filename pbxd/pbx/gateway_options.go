package pbx

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// GatewayOptions are the enhanced parameters of a gateway (F175): what few
// providers need. In a gateway each is written as key=value, yes or no for a
// switch; those that are not written have their default, and unknown ones are
// refused.
type GatewayOptions struct {
	Expires       int  `json:"expires" title:"Registration time" doc:"For how long the device asks to be registered" unit:"s" minimum:"60" maximum:"86400" default:"3600"`
	CheckInterval int  `json:"check_interval" title:"Time between checks" doc:"How often the provider is asked whether it is there; one that is not is asked every 5 s" unit:"s" minimum:"5" maximum:"3600" default:"30"`
	Keepalive     int  `json:"keepalive" title:"Keep-alive" doc:"How often an empty message keeps the way through a router open; 0: never" unit:"s" minimum:"0" maximum:"600" default:"20"`
	NoAnswer      int  `json:"no_answer" title:"Time for an answer" doc:"After how long without any answer a call goes to the next gateway" unit:"ms" minimum:"500" maximum:"30000" default:"3500"`
	ProxyRoute    bool `json:"proxy_route" title:"Route to the proxy" doc:"Requests name the proxy in Route (RFC 3261 section 8.1.2)" default:"true"`
	UserPhone     bool `json:"user_phone" title:"user=phone" doc:"Numbers are marked with user=phone (RFC 3261 section 19.1.1)" default:"false"`
	SendPPI       bool `json:"ppi" title:"P-Preferred-Identity" doc:"The number of the caller is sent in P-Preferred-Identity (RFC 3325)" default:"false"`
	Diversion     bool `json:"diversion" title:"Diversion" doc:"Forwarded calls say who has forwarded them in Diversion (RFC 5806)" default:"true"`
	HistoryInfo   bool `json:"history_info" title:"History-Info" doc:"Forwarded calls say who has forwarded them in History-Info (RFC 7044)" default:"true"`
	CLIPNoScreen  bool `json:"clip_no_screening" title:"CLIP no screening" doc:"Forwarded calls show the number of who calls instead of who forwards; the provider must allow it" default:"false"`
	Names         bool `json:"names" title:"Names" doc:"The name of the caller is sent with the number" default:"true"`
	Redirect      bool `json:"redirect" title:"Follow 302" doc:"A call that the provider sends elsewhere (302) is made there" default:"true"`
	SessionTimers bool `json:"session_timers" title:"Session timers" doc:"Calls are refreshed now and then (RFC 4028)" default:"true"`
	Reliable      bool `json:"100rel" title:"100rel" doc:"Ringing may be acknowledged with PRACK (RFC 3262)" default:"true"`
	InbandRinging bool `json:"inband_progress" title:"Ringing tone in the audio" doc:"Callers hear our ringing tone instead of the provider's: 183 with audio in place of 180" default:"false"`
}

// Options returns the enhanced parameters of a gateway, defaults where none is
// written. Those that cannot be read are refused by Validate, and have their
// default here.
func (g *GatewaySettings) Options() GatewayOptions {
	o, _ := parseOptions("", g.Parameters)
	return o
}

// parseOptions reads enhanced parameters and says what is wrong with them, in
// fields below path.
func parseOptions(path string, list []string) (o GatewayOptions, errs []FieldError) {
	SetDefaults(&o)
	fields := map[string]int{}
	v := reflect.ValueOf(&o).Elem()
	var keys []string
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("json")
		fields[key] = i
		keys = append(keys, key)
	}
	seen := map[string]bool{}
	for i, text := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		key, value, _ := strings.Cut(text, "=")
		n, known := fields[key]
		switch {
		case !known:
			errs = append(errs, refused(at, "is not known; known are {keys}", "keys", strings.Join(keys, ", ")))
			continue
		case seen[key]:
			errs = append(errs, refused(at, "is in the list twice"))
			continue
		}
		seen[key] = true
		switch field := v.Field(n); field.Kind() {
		case reflect.Bool:
			if value != "yes" && value != "no" {
				errs = append(errs, refused(at, "must be one of {choices}", "choices", "yes, no"))
				continue
			}
			field.SetBool(value == "yes")
		case reflect.Int:
			x, err := strconv.Atoi(value)
			if err != nil {
				errs = append(errs, refused(at, "is no whole number"))
				continue
			}
			if rule := intRule(v.Type().Field(n).Tag, int64(x)); !rule.IsZero() {
				errs = append(errs, FieldError{Path: at, Rule: rule})
				continue
			}
			field.SetInt(int64(x))
		}
	}
	return o, errs
}
