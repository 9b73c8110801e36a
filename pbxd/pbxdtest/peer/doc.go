// Package peer drives SIP phones that Galilei's authors did not write
// (baresip and sipp) and measures what they hear. It is for tests only and is
// linked into no product. It imports nothing but the standard library, so that
// a fault of ours cannot hide in both ends of a test.
//
// A test skips, and is counted as skipped, where the program is not installed:
//
//	peer.NeedBaresip(t)
//	a, err := peer.StartBaresip(ctx, peer.BaresipOptions{User: "101", ...})
//
// All phones live on 127.0.0.1 unless told otherwise and need no sound card.
package peer
