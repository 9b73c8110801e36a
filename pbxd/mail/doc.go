// Package mail delivers e-mail: a durable queue with retries over one SMTP
// client (RFC 5321) that says in plain words which step failed and what to do
// next.
//
// # Never lost, rarely twice
//
// A mail leaves the queue when the server has answered 250 to its content. A
// process that dies between that answer and [Queue.MailDone] sends the mail
// again after its restart, with the same Message-ID, by which servers and
// readers drop the second copy. While the process lives, a mail that was
// accepted is never sent again, even when the queue cannot be written.
//
// # What is given up and what is tried again
//
// An answer 5xx about one mail (its receiver, its content) gives that mail up
// at once. Everything that concerns the server or the settings (name, network,
// TLS, login, sender) is tried again by the schedule, also when the answer was
// 5xx, since the administrator mends it by changing the settings, which tries
// all that waits at once. The server is asked once for all mails that are due.
package mail
