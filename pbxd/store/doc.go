// Package store keeps what must outlive a restart: revisions of the
// configuration, registrations, contacts and their pictures, mails to be sent,
// values that are not committed, the journals of users, the audit log and sealed secrets, in one
// SQLite database beside the device key.
//
// # Files
//
//	galilei.db    the database (write-ahead log in galilei.db-wal)
//	device.key    32 random bytes that seal secrets in the database
//	galilei.lock  held while a Store is open; one process at a time
//
// All are readable by their owner only. The database is built under another
// name and renamed when it is complete, so that a galilei.db which lacks a
// revision is always damage and never a first start.
//
// # Durability
//
// What a call writes is on the disk (fsync) when the call returns, all of it,
// or none when it fails. Calls in journals are written within a second,
// call records within 200 ms.
// Only registrations are not: they survive the death of
// the process at once and a loss of power from the next other write on, or
// when the kernel has written them back. Phones renew them by themselves, and
// flash wears.
package store
