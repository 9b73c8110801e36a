package csvtable

import (
	"strconv"
	"time"

	"galilei/pbxd/pbx"
)

// RecordRow is one row of the call records. Its columns are named as in the API.
type RecordRow struct {
	Began      string `json:"began" csv:"began"` // RFC 3339 in the zone of the device, like all times
	Direction  string `json:"direction" csv:"direction"`
	Caller     string `json:"caller.number" csv:"caller.number" kind:"number"`
	CallerE164 string `json:"caller.e164" csv:"caller.e164" kind:"number"`
	CallerName string `json:"caller.name" csv:"caller.name"`
	Hidden     string `json:"hidden" csv:"hidden"` // true or false
	Dialled    string `json:"dialled" csv:"dialled" kind:"number"`
	DialledE   string `json:"dialledE164" csv:"dialledE164" kind:"number"`
	Target     string `json:"target.number" csv:"target.number" kind:"number"`
	TargetE164 string `json:"target.e164" csv:"target.e164" kind:"number"`
	TargetName string `json:"target.name" csv:"target.name"`
	Result     string `json:"result" csv:"result"`
	Cause      string `json:"cause" csv:"cause"`
	Ring       string `json:"ring" csv:"ring"` // seconds
	Talk       string `json:"talk" csv:"talk"` // seconds
	Toll       string `json:"toll" csv:"toll"`
	GatewayIn  string `json:"gatewayIn" csv:"gatewayIn"` // name; the ID of one that is gone
	GatewayOut string `json:"gatewayOut" csv:"gatewayOut"`
	Answered   string `json:"answered" csv:"answered"`
	Ended      string `json:"ended" csv:"ended"`
	Call       string `json:"call" csv:"call"`
}

// Records returns the table of call records, which is written only.
func Records() *Table[RecordRow] {
	return newTable[RecordRow]([]string{"began", "direction", "caller.number", "caller.e164", "caller.name", "hidden", "dialled", "dialledE164",
		"target.number", "target.e164", "target.name", "result", "cause", "ring", "talk", "toll", "gatewayIn", "gatewayOut", "answered", "ended", "call"})
}

// RecordRowOf returns the row of a record. gateway names a gateway by its ID.
func RecordRowOf(r pbx.CallRecord, zone *time.Location, gateway func(id string) string) RecordRow {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(zone).Format(time.RFC3339)
	}
	return RecordRow{
		Began: at(r.Began), Direction: string(r.Direction), Caller: r.Caller.Number, CallerE164: r.Caller.E164, CallerName: r.Caller.Name, Hidden: strconv.FormatBool(r.Hidden),
		Dialled: r.Dialled, DialledE: r.DialledE, Target: r.Target.Number, TargetE164: r.Target.E164, TargetName: r.Target.Name,
		Result: string(r.Result), Cause: strconv.Itoa(int(r.Cause)), Ring: strconv.Itoa(r.Ring), Talk: strconv.Itoa(r.Talk), Toll: string(r.Toll),
		GatewayIn: gateway(r.GatewayIn), GatewayOut: gateway(r.GatewayOut), Answered: at(r.Answered), Ended: at(r.Ended), Call: r.Call,
	}
}
