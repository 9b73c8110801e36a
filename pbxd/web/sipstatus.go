package web

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"galilei/pbxd/pbx"
)

// SIPStatus is what the device knows of its providers (F230).
type SIPStatus struct {
	Gateways   []GatewayStatus   `json:"gateways" title:"Gateways" doc:"Lines at providers, by name" maxItems:"1000"`
	Transports []TransportStatus `json:"transports" title:"Transports" doc:"Sockets at which providers are reached, by name" maxItems:"1000"`
}

// GatewayStatus is a gateway with its state of now.
type GatewayStatus struct {
	ID        string          `json:"id" title:"Identifier" doc:"Identifier of the gateway" maxLength:"26"`
	Name      string          `json:"name" title:"Name" doc:"Name of the gateway" maxLength:"50"`
	Group     string          `json:"group" title:"Group" doc:"Title of its group; empty: it belongs to none" maxLength:"50"`
	Transport string          `json:"transport" title:"Transport" doc:"Name of its transport" maxLength:"50"`
	Registrar string          `json:"registrar" title:"Registrar" doc:"Server of the provider at which the device registers" maxLength:"253"`
	User      string          `json:"user" title:"User" doc:"User name at the provider" maxLength:"100"`
	Register  bool            `json:"register" title:"Register" doc:"The device registers at the provider"`
	Check     bool            `json:"check" title:"Check availability" doc:"The provider is asked now and then whether it is there"`
	Line      *pbx.LineStatus `json:"line,omitempty" title:"State" doc:"State of now; absent while nothing is known"`
}

// TransportStatus is a transport and who uses it.
type TransportStatus struct {
	ID       string `json:"id" title:"Identifier" doc:"Identifier of the transport" maxLength:"26"`
	Name     string `json:"name" title:"Name" doc:"Name of the transport" maxLength:"50"`
	Type     string `json:"type" title:"Type" doc:"How messages are carried" enum:"udp,tcp,tls"`
	Address  string `json:"address" title:"Address" doc:"Address and port of the device" maxLength:"60"`
	External string `json:"external" title:"External address" doc:"Address and port that providers send messages to, when a router stands between" maxLength:"60"`
	Gateways int    `json:"gateways" title:"Gateways" doc:"Gateways that use it" minimum:"0" maximum:"1000"`
}

func (s *Server) registerSIPStatus() {
	register(s, operation{id: "get-sip-status", method: http.MethodGet, path: "/sip-status", tag: "Status", module: "sip-status",
		summary: "Gateways and transports with their state of now", description: "Changes of the state come with the live facts."},
		func(ctx context.Context, _ *none) (*answer[SIPStatus], error) {
			cfg, _ := s.Store.Current()
			return &answer[SIPStatus]{sipStatusOf(cfg, s.snapshot(ctx).Lines)}, nil
		})
}

func sipStatusOf(cfg *pbx.Config, lines []pbx.LineStatus) SIPStatus {
	st := SIPStatus{Gateways: []GatewayStatus{}, Transports: []TransportStatus{}}
	names, used := map[string]string{}, map[string]int{}
	for i := range cfg.Gateways {
		used[cfg.Gateways[i].Transport]++
	}
	for _, x := range cfg.Transports {
		names[x.ID] = x.Name
		t := TransportStatus{ID: x.ID, Name: x.Name, Type: x.Type, Address: net.JoinHostPort(x.BindAddress, strconv.Itoa(x.BindPort)), Gateways: used[x.ID]}
		if x.ExternalSignalling != "" {
			port := x.ExternalSignallingPort
			if port == 0 {
				port = x.BindPort
			}
			t.External = net.JoinHostPort(x.ExternalSignalling, strconv.Itoa(port))
		}
		st.Transports = append(st.Transports, t)
	}
	for i := range cfg.Gateways {
		g := &cfg.Gateways[i]
		v := GatewayStatus{ID: g.ID, Name: g.Name, Transport: names[g.Transport], Registrar: g.Registrar, User: g.User, Register: g.Register, Check: g.Check}
		if group := cfg.GatewayGroupByID(g.Group); group != nil {
			v.Group = group.Title
		}
		if at := slices.IndexFunc(lines, func(l pbx.LineStatus) bool { return l.Gateway == g.ID }); at >= 0 {
			v.Line = &lines[at]
		}
		st.Gateways = append(st.Gateways, v)
	}
	slices.SortStableFunc(st.Gateways, func(a, b GatewayStatus) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	slices.SortStableFunc(st.Transports, func(a, b TransportStatus) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return st
}
