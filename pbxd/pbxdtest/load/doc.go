// Package load holds the tests of a PBX that has much to do for a long time. In
// CI they are short; scripts/test long calls runs them in full.
package load
