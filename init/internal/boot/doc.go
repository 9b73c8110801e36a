// Package boot holds the steps that bring the device up and down: mounts,
// modules, the watchdog, the partitions, the data file system, and the way
// out. What is done is data where it can be; the order is init's.
package boot
