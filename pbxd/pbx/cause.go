package pbx

import "fmt"

// Cause is why a call was refused or ended, as an ITU-T Q.850 cause value
// (1 to 127). Zero means that no cause is known. This table is the only place
// that maps between Q.850 and SIP (RFC 3398 sections 7.2.4.1 and 8.2.6.1).
type Cause int

// The causes that Galilei gives (ITU-T Q.850 table 1).
const (
	CauseUnallocated        Cause = 1
	CauseNoRouteTransit     Cause = 2 // to the transit network
	CauseNoRoute            Cause = 3 // to the destination
	CauseNormalClearing     Cause = 16
	CauseUserBusy           Cause = 17
	CauseNoUserResponding   Cause = 18
	CauseNoAnswer           Cause = 19
	CauseSubscriberAbsent   Cause = 20
	CauseCallRejected       Cause = 21
	CauseNumberChanged      Cause = 22
	CauseAnsweredElsewhere  Cause = 26 // non-selected user clearing
	CauseOutOfOrder         Cause = 27
	CauseInvalidNumber      Cause = 28
	CauseFacilityRejected   Cause = 29
	CauseNormalUnspecified  Cause = 31
	CauseNoCircuit          Cause = 34
	CauseNetworkOutOfOrder  Cause = 38
	CauseTemporaryFailure   Cause = 41
	CauseCongestion         Cause = 42
	CauseChannelNotThere    Cause = 44 // requested circuit not available
	CauseNoResource         Cause = 47 // unspecified
	CauseNotAuthorised      Cause = 57
	CauseIncompatible       Cause = 88
	CauseRecoveryOnTimer    Cause = 102
	CauseInterworking       Cause = 127
	CauseBearerNotAvailable Cause = 58
	CauseNotImplemented     Cause = 79
)

type causeRow struct {
	cause Cause
	sip   int // status that a caller gets for this cause
	text  string
}

func causeTable() []causeRow {
	row := func(cause Cause, sip int, template string) causeRow { return causeRow{cause, sip, template} }
	return []causeRow{
		row(CauseUnallocated, 404, "unknown number"),
		row(CauseNoRouteTransit, 404, "no route"),
		row(CauseNoRoute, 404, "no route"),
		row(CauseNormalClearing, 480, "hung up"),
		row(CauseUserBusy, 486, "busy"),
		row(CauseNoUserResponding, 408, "phone does not respond"),
		row(CauseNoAnswer, 480, "no answer"),
		row(CauseSubscriberAbsent, 480, "no phone registered"),
		row(CauseCallRejected, 603, "rejected"),
		row(CauseNumberChanged, 410, "number changed"),
		row(CauseAnsweredElsewhere, 487, "answered elsewhere"),
		row(CauseOutOfOrder, 502, "line out of order"),
		row(CauseInvalidNumber, 484, "incomplete number"),
		row(CauseFacilityRejected, 501, "facility rejected"),
		row(CauseNormalUnspecified, 480, "not available"),
		row(CauseNoCircuit, 503, "no line free"),
		row(CauseNetworkOutOfOrder, 503, "network out of order"),
		row(CauseTemporaryFailure, 503, "temporary failure"),
		row(CauseCongestion, 503, "congestion"),
		row(CauseChannelNotThere, 503, "no line free"),
		row(CauseNoResource, 503, "congestion"),
		row(CauseNotAuthorised, 403, "not permitted"),
		row(CauseBearerNotAvailable, 503, "bearer not available"),
		row(CauseNotImplemented, 501, "not implemented"),
		row(CauseIncompatible, 488, "no common codec"),
		row(CauseRecoveryOnTimer, 504, "time-out"),
		row(CauseInterworking, 500, "interworking error"),
	}
}

// SIPStatus returns the SIP final status that tells a caller of this cause.
func (c Cause) SIPStatus() int {
	for _, r := range causeTable() {
		if r.cause == c {
			return r.sip
		}
	}
	return 480
}

// String returns plain words.
func (c Cause) String() string {
	for _, r := range causeTable() {
		if r.cause == c {
			return r.text
		}
	}
	if c == 0 {
		return ""
	}
	return fmt.Sprintf("cause %d", int(c))
}

// Message returns plain words in the reader's language.
func (c Cause) Message() Message { return Message{Template: c.String()} }

// CauseOfSIP returns the Q.850 cause of a SIP final status. It follows RFC 3398
// section 8.2.6.1, except where a status must reach the caller as it came from
// the called phone: 408, 480 and 488 (and what means the same) have the cause
// that SIPStatus turns into them again. 405, 482, 483 and 487 are as current
// practice has them.
func CauseOfSIP(status int) Cause {
	switch status {
	case 400, 481, 500:
		return CauseTemporaryFailure
	case 401, 402, 403, 407:
		return CauseCallRejected
	case 404, 485, 604:
		return CauseUnallocated
	case 405:
		return CauseNotImplemented
	case 406, 415, 488, 606:
		return CauseIncompatible
	case 408:
		return CauseNoUserResponding
	case 410:
		return CauseNumberChanged
	case 480:
		return CauseNoAnswer
	case 484:
		return CauseInvalidNumber
	case 486, 600:
		return CauseUserBusy
	case 487:
		return CauseNormalClearing
	case 501:
		return CauseNotImplemented
	case 502:
		return CauseNetworkOutOfOrder
	case 503:
		return CauseTemporaryFailure
	case 504:
		return CauseRecoveryOnTimer
	case 603:
		return CauseCallRejected
	}
	switch {
	case status >= 200 && status < 300:
		return CauseNormalClearing
	case status >= 400 && status < 700:
		return CauseInterworking
	}
	return CauseNormalUnspecified
}
