// Package flow runs whole call flows through the PBX between real sockets, with
// phones that Galilei's authors did not write (sipp, baresip), and measures
// what each side hears. It holds tests only; the scenarios of sipp are in
// testdata, named after the section that they follow.
package flow
