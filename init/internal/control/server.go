package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"galilei/pbxd/pbx"
)

// Device does what the verbs ask for.
type Device interface {
	Status() Status
	// ApplyNetwork keeps and applies the settings, which are valid, and
	// reports whether anything changed.
	ApplyNetwork(ctx context.Context, n pbx.Network) (changed bool, err error)
	// Reboot and Shutdown return at once; the device goes down a moment later.
	Reboot()
	Shutdown()
	// Alive takes a role's word that it does not hang. It returns ErrNoRole
	// when there is none of that name.
	Alive(name string) error
	// RestartRole returns ErrNoRole when there is none of that name.
	RestartRole(name string) error
}

// ErrNoRole means that there is no role of that name.
var ErrNoRole = errors.New("no such role")

// Limits of one connection.
const (
	maxBody        = 64 << 10         // bytes
	maxHeader      = 8 << 10          // bytes
	maxConnections = 16               // at a time
	bodyTime       = 10 * time.Second // to send a request
	answerTime     = 30 * time.Second // to be answered
)

// Server serves the verbs.
type Server struct {
	Device Device
	// Validate checks network settings; a refusal may be a
	// *pbx.ValidationError.
	Validate func(pbx.Network) error
	// Allowed are the user IDs that may connect.
	Allowed []uint32
	Log     *slog.Logger
}

// Listen makes the socket at path for the group gid, in place of one that an
// earlier start left behind.
func Listen(path string, gid int) (*net.UnixListener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := errors.Join(os.Chown(path, 0, gid), os.Chmod(path, 0o660)); err != nil {
		return nil, errors.Join(fmt.Errorf("control socket: %w", err), l.Close())
	}
	return l, nil
}

// Serve answers on l until ctx ends. It closes l.
func (s *Server) Serve(ctx context.Context, l *net.UnixListener) error {
	srv := &http.Server{
		Handler:        s.contain(s.routes()),
		ReadTimeout:    bodyTime,
		WriteTimeout:   answerTime,
		IdleTimeout:    time.Minute,
		MaxHeaderBytes: maxHeader,
		BaseContext:    func(net.Listener) context.Context { return ctx },
		ErrorLog:       slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
	}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	err := srv.Serve(&gate{UnixListener: l, allowed: s.Allowed, log: s.Log, slots: make(chan struct{}, maxConnections)})
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("control socket: %w", err)
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, s.Device.Status())
	})
	mux.HandleFunc("PUT /v1/network", s.putNetwork)
	mux.HandleFunc("POST /v1/reboot", func(w http.ResponseWriter, r *http.Request) {
		s.Log.Info("reboot as asked")
		s.Device.Reboot()
		answer(w, http.StatusAccepted, struct{}{})
	})
	mux.HandleFunc("POST /v1/shutdown", func(w http.ResponseWriter, r *http.Request) {
		s.Log.Info("shut down as asked")
		s.Device.Shutdown()
		answer(w, http.StatusAccepted, struct{}{})
	})
	mux.HandleFunc("POST /v1/restart-role", s.onRole(s.Device.RestartRole))
	mux.HandleFunc("POST /v1/alive", s.onRole(s.Device.Alive))
	return mux
}

func (s *Server) putNetwork(w http.ResponseWriter, r *http.Request) {
	var n pbx.Network
	if err := decode(w, r, &n); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if err := s.Validate(n); err != nil {
		refuse(w, http.StatusUnprocessableEntity, err)
		return
	}
	changed, err := s.Device.ApplyNetwork(r.Context(), n)
	if err != nil {
		s.Log.Error("apply network settings", "error", err)
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	answer(w, http.StatusOK, struct {
		Changed bool `json:"changed"`
	}{changed})
}

// onRole serves a verb that only names a role.
func (s *Server) onRole(do func(name string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Role string `json:"role"`
		}
		if err := decode(w, r, &body); err != nil {
			refuse(w, http.StatusBadRequest, err)
			return
		}
		if err := do(body.Role); err != nil {
			code := http.StatusInternalServerError
			if errors.Is(err, ErrNoRole) {
				code = http.StatusNotFound
			}
			refuse(w, code, err)
			return
		}
		answer(w, http.StatusAccepted, struct{}{})
	}
}

// contain answers 500 when a verb panics: process 1 goes on.
func (s *Server) contain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				s.Log.Error("control verb failed", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
				refuse(w, http.StatusInternalServerError, fmt.Errorf("%s %s failed inside", r.Method, r.URL.Path))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func decode(w http.ResponseWriter, r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("decode body: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("decode body: something follows the JSON value")
	}
	return nil
}

func answer(w http.ResponseWriter, code int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, `{"error":"the answer cannot be written as JSON"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// A peer that has gone away needs no answer.
	_, _ = w.Write(append(b, '\n'))
}

func refuse(w http.ResponseWriter, code int, err error) {
	body := struct {
		Error  string           `json:"error"`
		Fields []pbx.FieldError `json:"fields,omitempty"`
	}{Error: err.Error()}
	var v *pbx.ValidationError
	if errors.As(err, &v) {
		body.Fields = v.Fields
	}
	answer(w, code, body)
}

// gate lets only allowed users in, and only so many at a time.
type gate struct {
	*net.UnixListener
	allowed []uint32
	log     *slog.Logger
	slots   chan struct{}
}

// Accept returns the next connection of an allowed user.
func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.AcceptUnix()
		if err != nil {
			return nil, err
		}
		uid, err := peer(c)
		if err != nil || !slices.Contains(g.allowed, uid) {
			g.log.Warn("control connection refused", "uid", uid, "error", err)
			c.Close()
			continue
		}
		select {
		case g.slots <- struct{}{}:
			return &passed{Conn: c, leave: func() { <-g.slots }}, nil
		default:
			g.log.Warn("control connection refused", "open", maxConnections)
			c.Close()
		}
	}
}

// peer returns the user ID of the process that connected.
func peer(c *net.UnixConn) (uint32, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("peer of control connection: %w", err)
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(err, credErr); err != nil {
		return 0, fmt.Errorf("peer of control connection: %w", err)
	}
	return cred.Uid, nil
}
