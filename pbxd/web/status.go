package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"syscall"
	"time"

	"galilei/pbxd/pbx"
)

// Status is the general information about the device.
type Status struct {
	Model         string    `json:"model" doc:"Model of the device"`
	Version       string    `json:"version" doc:"Version of the firmware"`
	Hostname      string    `json:"hostname" doc:"Name in the network"`
	Time          time.Time `json:"time" doc:"Clock of the device"`
	UptimeSeconds int64     `json:"uptimeSeconds" doc:"Time since the telephone system started"`
	Healthy       bool      `json:"healthy" doc:"Calls can be made"`
	Problem       string    `json:"problem,omitempty" doc:"What is wrong, when the device is not healthy"`
	Users         int       `json:"users" doc:"Users with an extension"`
	MaxUsers      int       `json:"maxUsers" doc:"Most users with an extension; 0 for no limit"`
	LiveState
}

// LiveState is what the event stream keeps current.
type LiveState struct {
	Registrations []pbx.Registration `json:"registrations" doc:"Phones that are registered now"`
	Calls         []pbx.CallStatus   `json:"calls" doc:"Calls of now"`
	Revision      int64              `json:"revision" doc:"Number of the current configuration"`
}

func (s *Server) registerStatus() {
	register(s, operation{id: "get-status", method: http.MethodGet, path: "/status", tag: "Status", access: accessAdmin,
		summary: "General information, registrations and calls"}, s.status)
}

func (s *Server) status(ctx context.Context, _ *none) (*answer[Status], error) {
	cfg, _ := s.Store.Current()
	health := s.Health(ctx)
	st := Status{
		Model: s.Model.Name, Version: s.Version, Hostname: cfg.Network.Hostname,
		Time: s.Now(), UptimeSeconds: int64(s.Now().Sub(s.started).Seconds()),
		Healthy: health == nil, Problem: problemText(health), MaxUsers: s.Model.MaxUsers, LiveState: s.snapshot(ctx),
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
	switch {
	case err == nil:
		return ""
	case errors.Is(err, syscall.ENOSPC):
		return memoryFull
	case errors.Is(err, syscall.EROFS):
		return "The device's memory cannot be written. Nothing can be saved."
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
	st := LiveState{Registrations: []pbx.Registration{}, Calls: []pbx.CallStatus{}, Revision: revision}
	for _, f := range now {
		switch {
		case f.Kind == pbx.FactRegistration:
			st.Registrations = append(st.Registrations, f.Registrations...)
		case f.Kind == pbx.FactCall && f.Call != nil && f.Call.State != pbx.CallEnded:
			st.Calls = append(st.Calls, *f.Call)
		}
	}
	slices.SortStableFunc(st.Registrations, func(a, b pbx.Registration) int { return cmp.Compare(a.Extension, b.Extension) })
	slices.SortStableFunc(st.Calls, func(a, b pbx.CallStatus) int { return a.Started.Compare(b.Started) })
	return st
}
