// Package web serves the admin page and the HTTP API over the types of package
// pbx: TLS with the device's own certificate, sessions, permissions, problem
// details (RFC 9457) and live facts as server-sent events. It reaches the rest
// of the PBX only through the interfaces of this package.
package web
