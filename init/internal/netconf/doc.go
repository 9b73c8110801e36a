// Package netconf turns the network settings and a DHCP lease into a plan,
// which is plain data, and makes the kernel agree with it over netlink. IPv6 is
// left to the kernel: link-local addresses and router advertisements.
package netconf
