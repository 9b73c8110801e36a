// Package supervise runs what process 1 is responsible for: its own
// goroutines, which never take the process down (Tasks), the roles that it
// starts without privileges (Role), and the reaping of every child by one
// owner (Reaper).
package supervise
