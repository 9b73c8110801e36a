package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"galilei/init/internal/dhcp"
)

// dhcpMain is the DHCP client. Each line of its standard output that begins
// with a brace is an event for process 1; its log goes to standard error.
func dhcpMain(args []string) int {
	flags := flag.NewFlagSet("dhcp", flag.ContinueOnError)
	iface := flags.String("interface", "", "LAN interface")
	hostname := flags.String("hostname", "galilei", "name that the server is told")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()
	if err := runDHCP(ctx, *iface, *hostname, log); err != nil && ctx.Err() == nil {
		log.Error("DHCP client", "error", err)
		return 1
	}
	return 0
}

// withoutTime leaves out the time of a log line: process 1 puts its own.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func runDHCP(ctx context.Context, iface, hostname string, log *slog.Logger) error {
	ifi, err := net.InterfaceByName(iface)
	if err != nil {
		return fmt.Errorf("interface %q: %w", iface, err)
	}
	s, err := dhcp.OpenSocket(ifi)
	if err != nil {
		return err
	}
	defer s.Close()
	received := make(chan error, 1)
	go func() { received <- s.Receive(ctx) }()
	seed := uint64(time.Now().UnixNano())
	for _, b := range ifi.HardwareAddr { // clocks of devices without a battery are all alike
		seed = seed*31 + uint64(b)
	}
	out := json.NewEncoder(os.Stdout)
	c := dhcp.Client{
		Wire: s, Hardware: ifi.HardwareAddr, Hostname: hostname, Log: log,
		Tell:   func(e dhcp.Event) error { return out.Encode(e) },
		Random: rand.New(rand.NewPCG(seed, uint64(ifi.Index))),
	}
	err = c.Run(ctx)
	select {
	case cause := <-received:
		if cause != nil {
			return cause
		}
	default:
	}
	return err
}
