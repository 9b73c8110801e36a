// Package outside runs calls between the PBX and providers that Galilei's
// authors did not write (kamailio, sipp), whose names a real name server has
// (dnsmasq), and measures what both sides hear. It holds tests only.
package outside
