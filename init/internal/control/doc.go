// Package control is the one door from the PBX to process 1: HTTP with JSON
// over a unix socket. Process 1 serves it; root and the PBX's own user may
// connect, which the kernel's word on the peer decides (SO_PEERCRED).
//
//	GET  /v1/status        200 Status
//	PUT  /v1/network       body pbx.Network; 200 {"changed":bool}; 422 when not valid
//	POST /v1/reboot        202, then the device restarts
//	POST /v1/shutdown      202, then the device switches off
//	POST /v1/restart-role  body {"role":"pbxd"}; 202; 404 for a role that there is not
//	POST /v1/alive         the same body: the role does not hang. A watched role
//	                       that is silent for too long is killed
//
// PUT /v1/network is kept over restarts and applied before it answers; settings
// that are in force already change nothing. The PBX sends its settings at its
// start and after each change.
//
// A refusal is {"error":"in words"}, and for settings that are not valid
// {"error":..., "fields":[{"path":"network.gateway","rule":"..."}]}.
// Bodies are at most 64 KiB; unknown names are refused.
package control
