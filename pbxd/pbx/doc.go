// Package pbx is the domain: the configuration as one immutable value, the
// rules that make it valid, and the words (extension, cause, registration)
// that every other package speaks. It does no I/O, reads no clock and imports
// none of ours.
package pbx
