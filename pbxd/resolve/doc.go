// Package resolve finds the servers of SIP providers by DNS (RFC 3263): from the
// name in a configuration to addresses in the order in which they are tried.
//
// Pure are the order of records (naptr.go, srv.go, family.go), the wire format
// (message.go, records.go) and the memory of servers that failed (health.go).
// cache.go keeps answers, exchange.go has the only sockets. Names are asked as
// they are written: there is no search list, and /etc/hosts is not read.
package resolve
