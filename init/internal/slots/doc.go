// Package slots keeps the record of the device's slots, the bootstate
// partition, and tells which slot is running. A slot is one complete firmware;
// there are two, a and b.
package slots
