package qemutest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"
)

// awaitSIP sends an OPTIONS every 50 ms, each a request of its own, and
// returns when one of them is answered. What was sent before does not count.
func awaitSIP(ctx context.Context) error {
	conn, err := net.Dial("udp", sipAddress)
	if err != nil {
		return fmt.Errorf("wait for SIP: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	run := strconv.FormatInt(time.Now().UnixNano(), 36)
	buf := make([]byte, 4096)
	for n := 1; ctx.Err() == nil; n++ {
		request := fmt.Sprintf("OPTIONS sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bK%[3]s%[4]d;rport\r\nMax-Forwards: 70\r\n"+
			"From: <sip:probe@%[1]s>;tag=%[3]s\r\nTo: <sip:%[1]s>\r\nCall-ID: %[3]s%[4]d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
			sipAddress, conn.LocalAddr(), run, n)
		// Neither need work while the machine is down.
		_, _ = conn.Write([]byte(request))
		_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		size, err := conn.Read(buf)
		if err == nil && bytes.HasPrefix(buf[:size], []byte("SIP/2.0 200 ")) && bytes.Contains(buf[:size], []byte(run)) {
			return nil
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
			time.Sleep(50 * time.Millisecond) // refused at once: keep the pace
		}
	}
	return fmt.Errorf("wait for SIP: %w", context.Cause(ctx))
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// awaitHealthy asks /healthz until it answers 200.
func awaitHealthy(ctx context.Context, a *api) error {
	for {
		one, cancel := context.WithTimeout(ctx, time.Second)
		err := a.call(one, "GET", "/healthz", nil, nil)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for health: %w; last: %w", context.Cause(ctx), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// awaitBack waits until both SIP and /healthz answer, and returns how long
// each took.
func awaitBack(tb testing.TB, a *api) (sip, web time.Duration) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), awaitTime)
	defer cancel()
	start := time.Now()
	type result struct {
		took time.Duration
		err  error
	}
	healthy := make(chan result, 1)
	go func() {
		err := awaitHealthy(ctx, a)
		healthy <- result{time.Since(start), err}
	}()
	err := awaitSIP(ctx)
	sip = time.Since(start)
	r := <-healthy
	if err := errors.Join(err, r.err); err != nil {
		tb.Fatal(err)
	}
	return sip, r.took
}
