// Package dhcp is the DHCP client (RFC 2131). It runs as a role of its own,
// with no right but that to send and receive packets, and tells process 1 of
// each lease as one line of JSON, which process 1 checks again: the words on
// the wire never reach a privileged process.
package dhcp
