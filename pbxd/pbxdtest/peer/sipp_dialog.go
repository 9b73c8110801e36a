package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"time"
)

// said returns what the scenario has logged as "NAME VALUE" so far.
func (s *Sipp) said(name string) ([]string, error) {
	text, err := os.ReadFile(s.file("rtp.log"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sipp %s: read its log: %w", s.opts.Scenario, err)
	}
	var values []string
	for _, m := range regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(name)+` (.*?)\r?$`).FindAllSubmatch(text, -1) {
		values = append(values, string(m[1]))
	}
	return values, nil
}

// AwaitSaid waits until the scenario has logged its n-th "NAME VALUE", counted
// from 1, and returns the value.
func (s *Sipp) AwaitSaid(ctx context.Context, name string, n int) (string, error) {
	for {
		values, err := s.said(name)
		if err != nil {
			return "", err
		}
		if len(values) >= n {
			return values[n-1], nil
		}
		select {
		case <-s.exited:
			if values, err = s.said(name); err == nil && len(values) >= n {
				return values[n-1], nil
			}
			return "", fmt.Errorf("sipp %s: ended and has not said %q for the %d. time: %w%s", s.opts.Scenario, name, n, s.err, s.complaints())
		case <-ctx.Done():
			return "", fmt.Errorf("sipp %s: has not said %q for the %d. time: %w%s", s.opts.Scenario, name, n, context.Cause(ctx), s.complaints())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Go lets a scenario go on that waits for the request GO in the call that it
// has logged as "call ID". Such a request comes from nobody else.
func (s *Sipp) Go(ctx context.Context) error {
	id, err := s.AwaitSaid(ctx, "call", 1)
	if err != nil {
		return err
	}
	network := "udp"
	if s.opts.Transport == "tcp" {
		network = "tcp"
	}
	conn, err := net.Dial(network, s.Addr().String())
	if err != nil {
		return fmt.Errorf("sipp %s: tell it to go on: %w", s.opts.Scenario, err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GO sip:sipp SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bKgo\r\nFrom: <sip:test>\r\nTo: <sip:sipp>\r\nCall-ID: %s\r\nCSeq: 1 GO\r\nContent-Length: 0\r\n\r\n", strings.ToUpper(network), conn.LocalAddr(), id)
	if err != nil {
		return fmt.Errorf("sipp %s: tell it to go on: %w", s.opts.Scenario, err)
	}
	return nil
}
