// Package page tests the admin page as people use it: in Debian's chromium,
// against a whole PBX with its own store.
package page
