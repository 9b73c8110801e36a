package call

import "galilei/pbxd/pbx"

// Transfer is the wish of one side of a call to be replaced by another (RFC
// 3515).
type Transfer struct {
	Target string // number that the other side shall be connected to
	// Replaces is the asking side's leg of its other call: the other side shall
	// take its place there (attended transfer). Nil for a blind one.
	Replaces   Leg
	ReferredBy Party // who asks, as it says itself (RFC 3892); empty when not said
}

// TransferProgress is how far a transfer has come.
type TransferProgress int

// The steps of a transfer.
const (
	TransferTaken   TransferProgress = iota // the call tries
	TransferRinging                         // the target is alerted
	TransferDone                            // the target has answered; the last word
	TransferFailed                          // refused or failed; the last word
)

// Diversion is one party that a call was for before it was sent on.
type Diversion struct {
	Number string
	Name   string
	Reason pbx.DiversionReason
}

// refuseTransfer answers a wish that the call does not fulfil.
func refuseTransfer(ev Event) { ev.Leg.Transfer(TransferFailed, pbx.CauseCallRejected) }
