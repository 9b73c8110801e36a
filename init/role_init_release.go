//go:build !testcontrol

package main

// startTestChannel does nothing: the test channel exists in test images only,
// and of its package not a byte is in this binary.
func startTestChannel(*device) {}
