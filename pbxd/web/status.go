package web

import (
	"context"
	"errors"
	"net/http"
	"sort"
	"syscall"
	"time"

	"galilei/pbxd/pbx"
)

// Status is the general information about the device.
type Status struct {
	Model         string    `json:"model" title:"Model" maxLength:"50" doc:"Model of the device"`
	Version       string    `json:"version" title:"Version" maxLength:"50" doc:"Version of the firmware"`
	Hostname      string    `json:"hostname" title:"Host name" maxLength:"63" doc:"Name in the network"`
	Time          time.Time `json:"time" title:"Time" doc:"Clock of the device"`
	UptimeSeconds int64     `json:"uptimeSeconds" title:"Running for" unit:"s" minimum:"0" doc:"Time since the telephone system started"`
	Healthy       bool      `json:"healthy" title:"Healthy" doc:"Calls can be made"`
	Problem       string    `json:"problem,omitempty" title:"Problem" maxLength:"1000" doc:"What is wrong, when the device is not healthy"`
	Warnings      []Warning `json:"warnings" title:"Warnings" maxItems:"100" doc:"What to look after, though calls can be made: whether emergency calls can leave, those of the last day, gateways that are down, limits of calls that are almost or wholly used up"`
	Users         int       `json:"users" title:"Users" minimum:"0" maximum:"10000" doc:"Users with an extension"`
	MaxUsers      int       `json:"maxUsers" title:"Most users" minimum:"0" maximum:"10000" doc:"Most users with an extension; 0 for no limit"`
	LiveState
}

// LiveState is what the event stream keeps current.
type LiveState struct {
	Registrations []pbx.Registration `json:"registrations" title:"Phones" maxItems:"10000" doc:"Phones that are registered now"`
	Calls         []pbx.CallStatus   `json:"calls" title:"Calls" maxItems:"10000" doc:"Calls of now"`
	Lines         []pbx.LineStatus   `json:"lines" title:"Gateways" maxItems:"1000" doc:"State of the gateways"`
	Pending       *pbx.PendingChange `json:"pending,omitempty" title:"Unconfirmed change" doc:"Change that reverts by itself unless it is confirmed; absent when there is none"`
	Drafts        int                `json:"drafts" title:"Uncommitted settings" doc:"System settings that were changed but not committed yet" minimum:"0" maximum:"200"`
	Revision      int64              `json:"revision" title:"Revision" minimum:"1" doc:"Number of the current configuration"`
}

func (s *Server) registerStatus() {
	register(s, operation{id: "get-status", method: http.MethodGet, path: "/status", tag: "Status", module: "general-information",
		summary: "General information, registrations and calls"}, s.status)
}

func (s *Server) status(ctx context.Context, _ *none) (*answer[Status], error) {
	cfg, _ := s.Store.Current()
	health := s.Health(ctx)
	st := Status{
		Model: s.Model.Name, Version: s.Version, Hostname: cfg.Network.Hostname,
		Time: s.Now(), UptimeSeconds: int64(s.Now().Sub(s.started).Seconds()),
		Healthy: health == nil, Problem: problemText(health), Warnings: s.warnings(cfg), MaxUsers: s.Model.MaxUsers, LiveState: s.snapshot(ctx),
	}
	for _, u := range cfg.Users {
		if u.Extension != "" {
			st.Users++
		}
	}
	return &answer[Status]{st}, nil
}

// problemText says to administrators what is wrong.
func problemText(err error) string {
	var a interface {
		error
		Alarm() string // what is wrong and what to do next
	}
	switch {
	case err == nil:
		return ""
	case errors.As(err, &a):
		return a.Alarm()
	case errors.Is(err, syscall.ENOSPC):
		return memoryFull
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EIO):
		return memoryReadOnly
	}
	return "Self-test failed: " + err.Error()
}

// snapshot returns what is true now.
func (s *Server) snapshot(ctx context.Context) LiveState {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	now, _ := s.Facts.Subscribe(ctx)
	return s.liveState(now)
}

// liveState sorts the facts of a snapshot: registrations by extension, calls
// by start.
func (s *Server) liveState(now []pbx.Fact) LiveState {
	_, revision := s.Store.Current()
	st := LiveState{Registrations: []pbx.Registration{}, Calls: []pbx.CallStatus{}, Lines: []pbx.LineStatus{}, Revision: revision, Pending: s.Store.Pending()}
	for _, f := range now {
		switch {
		case f.Kind == pbx.FactRegistration:
			st.Registrations = append(st.Registrations, f.Registrations...)
		case f.Kind == pbx.FactDrafts:
			st.Drafts = f.Drafts
		case f.Kind == pbx.FactLine && f.Line != nil:
			st.Lines = append(st.Lines, *f.Line)
		case f.Kind == pbx.FactCall && f.Call != nil && f.Call.State != pbx.CallEnded:
			st.Calls = append(st.Calls, *f.Call)
		}
	}
	sort.SliceStable(st.Registrations, func(i, j int) bool { return st.Registrations[i].Extension < st.Registrations[j].Extension })
	sort.SliceStable(st.Calls, func(i, j int) bool { return st.Calls[i].Started.Before(st.Calls[j].Started) })
	return st
}

const memoryFull = "The device's memory is full. Nothing can be saved."

// memoryReadOnly is the problem of a device whose disk takes nothing.
const memoryReadOnly = "The device's memory cannot be written. Nothing can be saved. Restart the device; when that does not help, have it repaired."
