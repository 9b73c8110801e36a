package pbxdtest

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"galilei/pbxd"
	"galilei/pbxd/pbx"
)

// A device whose data partition does not mount carries calls, and says that
// nothing is kept.
func TestFromMemory(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{Memory: true})
	if err := s.PBX.Health(t.Context()); !errors.Is(err, pbxd.ErrMemory) {
		t.Errorf("health is %v, want %v", err, pbxd.ErrMemory)
	}
	call := a.Dial("102", SDP(16000))
	b.Ringing().Reply(486, "Busy Here", "")
	call.AckRefusal(a.Response("INVITE", 486))
	nothingLeft(t, s)
}

// execute changes the database of a PBX that is stopped.
func execute(dir, statement string) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "galilei.db")+"?mode=rw")
	if err != nil {
		return err
	}
	done, err := db.Exec(statement)
	if err == nil && !strings.HasPrefix(statement, "DROP") {
		var n int64
		if n, err = done.RowsAffected(); err == nil && n == 0 {
			err = fmt.Errorf("%s: no row", statement)
		}
	}
	return errors.Join(err, db.Close())
}

// One damaged row costs what it holds and not the telephones.
func TestDamagedRows(t *testing.T) {
	t.Parallel()
	s, _, _ := twoPhones(t, Options{})
	s.Stop()
	for _, statement := range []string{
		"UPDATE registration SET binding = '{' WHERE extension = '101'",
		"UPDATE secret SET sealed = 'x' || sealed WHERE name = 'web-certificate'",
		"UPDATE revision SET changes = x'00' WHERE number = 1",
		"INSERT INTO secret (name, sealed) SELECT 'license', sealed FROM secret WHERE name = 'web-certificate'",
	} {
		if err := execute(s.Dir, statement); err != nil {
			t.Fatal(err)
		}
	}
	s = Start(t, Options{Dir: s.Dir})
	if err := s.PBX.Health(t.Context()); err != nil {
		t.Error(err)
	}
	s.Phone("102", "udp").MustRegister()
	s.Login() // over the certificate that was made anew
	for _, word := range []string{"registration is damaged", "device certificate cannot be read", "stored licence not used"} {
		if !strings.Contains(s.Log.String(), word) {
			t.Errorf("the log does not say %q", word)
		}
	}
}

// A damaged newest revision costs one change, and Health says so.
func TestDamagedRevision(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	s.Login() // makes revision 2
	s.Stop()
	s = Start(t, Options{Dir: s.Dir, Configure: func(c *pbx.Config) { c.SIP.RingTime = 77 }})
	s.Stop()
	if err := execute(s.Dir, "UPDATE revision SET config = x'00' WHERE number = 3"); err != nil {
		t.Fatal(err)
	}
	s = Start(t, Options{Dir: s.Dir})
	if err := s.PBX.Health(t.Context()); err != pbxd.ErrFellBack {
		t.Errorf("health is %v, want %v", err, pbxd.ErrFellBack)
	}
	s.Phone("101", "udp").MustRegister()
	a := s.As("admin", "4711")
	var status struct{ Problem string }
	if a.Do("GET", "/api/v1/status", nil, 200, &status); status.Problem != pbxd.ErrFellBack.Alarm() {
		t.Errorf("problem %q", status.Problem)
	}
	var list []pbx.Revision
	if a.Do("GET", "/api/v1/revisions", nil, 200, &list); len(list) != 4 || list[0].Damaged || !list[1].Damaged || list[2].Damaged || list[3].Damaged {
		t.Errorf("%+v", list)
	}
	a.Do("POST", "/api/v1/revisions/3/restore", nil, 409, nil)
	var locale map[string]any
	a.Do("GET", "/api/v1/locale", nil, 200, &locale)
	locale["language"] = "de"
	a.Do("PUT", "/api/v1/locale", locale, 200, nil)
	if err := s.PBX.Health(t.Context()); err != nil {
		t.Errorf("health after an administrator's change: %v", err)
	}
}

// readOnlyEnv tells the test binary, started again, that it has a mount
// namespace of its own.
const readOnlyEnv = "GALILEI_READ_ONLY"

// A data partition that became read-only costs what is changed from then on,
// and not the telephones.
func TestReadOnlyData(t *testing.T) {
	if os.Getenv(readOnlyEnv) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestReadOnlyData$")
		cmd.Env = append(os.Environ(), readOnlyEnv+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, os.ErrPermission) {
			t.Skipf("no mount namespace of its own: %v", err)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	dir := t.TempDir()
	if err := syscall.Mount("galilei-test", dir, "tmpfs", 0, "size=16m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("TMPDIR", t.TempDir())
	s := Start(t, Options{Dir: dir})
	s.Phone("102", "udp").MustRegister()
	s.Stop()
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s = Start(t, Options{Dir: dir})
		if err := s.PBX.Health(t.Context()); err != pbxd.ErrReadOnly {
			t.Errorf("health is %v, want %v", err, pbxd.ErrReadOnly)
		}
		s.Phone("101", "udp").MustRegister() // with the password from before
		s.Stop()
		if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 0 {
			t.Errorf("left in memory: %v, %v", left, err)
		}
	}
}

// Data that no restart can mend is told apart from faults that one may.
func TestUnusableData(t *testing.T) {
	t.Parallel()
	tests := map[string]func(dir string) error{
		"a database of noise": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "galilei.db"), make([]byte, 65536), 0o600)
		},
		"a device key is gone":   func(dir string) error { return os.Remove(filepath.Join(dir, "device.key")) },
		"a device key cut short": func(dir string) error { return os.Truncate(filepath.Join(dir, "device.key"), 5) },
		"a device key of another database": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "device.key"), bytes.Repeat([]byte{7}, 32), 0o600)
		},
		"a table is missing":   func(dir string) error { return execute(dir, "DROP TABLE draft") },
		"no revision is whole": func(dir string) error { return execute(dir, "UPDATE revision SET config = x'00'") },
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			s := Start(t, Options{})
			s.Stop()
			if err := damage(s.Dir); err != nil {
				t.Fatal(err)
			}
			_, err := pbxd.New(t.Context(), pbxd.Deps{
				Dir: s.Dir, Model: pbx.Model{Name: "T640"}, Host: otherMachine{}, Version: "test", Web: "127.0.0.1:0", SIP: "127.0.0.1:0",
				RTPBind: netip.MustParseAddr("127.0.0.1"), Out: &Buffer{}, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			})
			if !errors.Is(err, pbxd.ErrUnusableData) {
				t.Errorf("got %v, want %v", err, pbxd.ErrUnusableData)
			}
		})
	}
}
