// Package holiday reads the days of an iCalendar file (RFC 5545) as the entries
// of a holiday calendar. It is pure: no I/O, no clock, no state. Files come from
// anywhere, so that all that is read of one is bounded.
package holiday
