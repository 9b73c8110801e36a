package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"galilei/firmware/boards"
	"galilei/pbxd"
	"galilei/pbxd/license"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbx/pattern"
)

// unusableData is the exit status of a PBX whose data cannot be used.
const unusableData = 3

// pbxdMain runs the telephone system. It exits 0 after SIGTERM, 1 when a part
// fails that it cannot be without, 2 when the command line is wrong, 3 when
// its data cannot be used.
func pbxdMain(args []string) int {
	d, err := pbxdDeps(args, os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "galilei pbxd:", err)
		return 2
	}
	pattern.Prepare()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	p, err := pbxd.New(ctx, d)
	if err == nil {
		err = p.Run(ctx)
	}
	if err != nil {
		d.Log.Error("stopped", "err", err)
		if errors.Is(err, pbxd.ErrUnusableData) {
			return unusableData
		}
		return 1
	}
	return 0
}

// pbxdDeps reads the command line.
func pbxdDeps(args []string, out, errOut io.Writer) (pbxd.Deps, error) {
	fs := flag.NewFlagSet("galilei pbxd", flag.ContinueOnError)
	fs.SetOutput(errOut)
	host := fs.Bool("host", false, "run on this machine, which stays as it is")
	dir := fs.String("data", "galilei-data", "`folder` of configuration and recordings")
	board := fs.String("board", "t640-sim", "board: "+strings.Join(boards.Names(), ", "))
	web := fs.String("web", "127.0.0.1:8443", "`address` of the admin page (HTTPS)")
	redirect := fs.String("web-redirect", "", "`address` of plain HTTP, which leads to the admin page")
	sip := fs.String("sip", "127.0.0.1:5060", "`address` of the phones' SIP port, UDP and TCP")
	sipTLS := fs.String("sip-tls", "", "`address` of the phones' TLS port; without it the host of --sip and the port of the settings")
	trunkSIP := fs.String("trunk-sip", "", "`address` of the providers' SIP port; opened once a provider is set up")
	rtp := fs.String("rtp", "", "`address:first-last` of the RTP ports; default: all addresses, ports of the settings")
	control := fs.String("control", "", "unix `socket` of process 1")
	showDemo := fs.Bool("show-demo", false, "print the SIP passwords of the demo users")
	memory := fs.Bool("memory", false, "the data is in memory because its partition does not mount; say so")
	verbose := fs.Bool("v", false, "log more")
	if err := fs.Parse(args); err != nil {
		return pbxd.Deps{}, err
	}
	if fs.NArg() > 0 {
		return pbxd.Deps{}, fmt.Errorf("%q is not an option", fs.Arg(0))
	}
	if *trunkSIP != "" {
		if _, err := netip.ParseAddrPort(*trunkSIP); err != nil {
			return pbxd.Deps{}, fmt.Errorf("providers' SIP port %q: %w", *trunkSIP, err)
		}
	}
	if !*host && *control == "" {
		return pbxd.Deps{}, errors.New("--host or --control is needed")
	}
	b, err := boards.Load(*board)
	if err != nil {
		return pbxd.Deps{}, err
	}
	vendor, err := license.ParsePublicKey(b.LicenseKey)
	if err != nil {
		return pbxd.Deps{}, fmt.Errorf("board %s: %w", *board, err)
	}
	level := slog.LevelInfo
	if *verbose {
		level = slog.LevelDebug
	}
	d := pbxd.Deps{
		Dir: *dir, Web: *web, Redirect: *redirect, SIP: *sip, SIPTLS: *sipTLS, ShowDemo: *showDemo, Memory: *memory, Version: version, Out: out, Now: time.Now,
		Model:   pbx.Model{Name: b.Model, MaxUsers: b.MaxUsers},
		License: pbxd.License{Required: b.LicenseRequired, Key: vendor},
		Defaults: pbx.Defaults{
			NetworkMode: b.Network.Mode, ExternalAddress: b.Network.ExternalAddress, NoLocalNetworks: b.Network.NoLocalNetworks,
			RTPPortMin: b.Network.RTPPortMin, RTPPortMax: b.Network.RTPPortMax,
		},
		Log:  slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: level})),
		Host: guestOfMachine{},
	}
	if *control != "" {
		d.Host = newControlClient(*control)
	}
	if d.RTPBind, d.RTPMin, d.RTPMax, err = rtpRange(*rtp); err != nil {
		return pbxd.Deps{}, err
	}
	return d, nil
}

// rtpRange reads "127.0.0.1:20000-29999" or "[::1]:20000-29999".
func rtpRange(s string) (bind netip.Addr, lo, hi uint16, err error) {
	if s == "" {
		return netip.Addr{}, 0, 0, nil
	}
	host, ports, err := net.SplitHostPort(s)
	if err != nil {
		return bind, 0, 0, fmt.Errorf("RTP ports %q: %w", s, err)
	}
	if bind, err = netip.ParseAddr(host); err != nil && host != "" {
		return bind, 0, 0, fmt.Errorf("RTP ports %q: %w", s, err)
	}
	first, last, ok := strings.Cut(ports, "-")
	a, err1 := strconv.ParseUint(first, 10, 16)
	b, err2 := strconv.ParseUint(last, 10, 16)
	if !ok || err1 != nil || err2 != nil || a < 1024 || b < a+3 {
		return bind, 0, 0, fmt.Errorf("RTP ports %q: want first-last from 1024 to 65535 with at least four ports", s)
	}
	return bind, uint16(a), uint16(b), nil
}

// guestOfMachine is the Host of --host: the machine belongs to somebody else.
type guestOfMachine struct{}

func (guestOfMachine) ApplyNetwork(context.Context, pbx.Network) error { return pbxd.ErrNotHere }
func (guestOfMachine) Alive(context.Context) error                     { return pbxd.ErrNotHere }

// controlClient talks to process 1.
type controlClient struct {
	http *http.Client
}

func newControlClient(socket string) controlClient {
	return controlClient{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
		DisableKeepAlives: true,
	}}}
}

// ApplyNetwork implements pbxd.Host.
func (c controlClient) ApplyNetwork(ctx context.Context, n pbx.Network) error {
	return c.do(ctx, http.MethodPut, "network", n)
}

// Alive implements pbxd.Host.
func (c controlClient) Alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return c.do(ctx, http.MethodPost, "alive", struct {
		Role string `json:"role"`
	}{"pbxd"})
}

func (c controlClient) do(ctx context.Context, method, verb string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("control %s: %w", verb, err)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://init/v1/"+verb, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("control %s: %w", verb, err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("control %s: %w", verb, err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		why, _ := io.ReadAll(io.LimitReader(res.Body, 1024)) // the status alone is worth an error
		return fmt.Errorf("control %s: process 1 answers %s: %s", verb, res.Status, bytes.TrimSpace(why))
	}
	return nil
}
