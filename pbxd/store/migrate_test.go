package store

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// fixture copies the data directory of an older version and returns it.
func fixture(t testing.TB, version string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{dbName, keyName} {
		b, err := os.ReadFile(filepath.Join("testdata", version, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fixtureClock is soon after the fixtures were written.
func fixtureClock() *clock { return &clock{time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)} }

// checkVersion1 checks what the program that wrote testdata/v1 did with the
// code of schema version 1: six revisions, users with changed PINs and SIP
// passwords, registrations, audit entries, a secret.
func checkVersion1(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	c, _ := s.Current()
	if err := pbx.Validate(c, model()); err != nil {
		t.Error(err)
	}
	if !c.Setup.WizardDone {
		t.Error("the wizard would start on a device in use")
	}
	var pins pbx.PINs
	for name, want := range map[string]struct {
		pin, sip pbx.Secret
		admin    bool
	}{
		"admin":   {pin: "4711", admin: true},
		"demo101": {pin: "1234", sip: "first-fixture-password"},
		"vera":    {pin: "9876", sip: "vera-fixture-password", admin: true},
	} {
		u := c.UserByName(name)
		if u == nil {
			t.Errorf("user %s is gone", name)
			continue
		}
		if !pins.Verify(u.PIN, want.pin) || u.MustChangePIN {
			t.Errorf("%s: another PIN, must change %v", name, u.MustChangePIN)
		}
		if u.Admin != want.admin || c.PermissionGroupByID(pbx.GroupAdmins).Has(u) != want.admin {
			t.Errorf("%s: administrator is %v", name, u.Admin)
		}
		if want.sip == "" {
			continue
		}
		if got, err := s.Key().Open(pbx.SIPPasswordPurpose(u.ID), u.SIPPassword); err != nil || got != want.sip {
			t.Errorf("%s: another SIP password, %v", name, err)
		}
	}
	if u := c.UserByName("demo101"); u.FirstName != "Änne" || u.LastName != "Groß" || c.UserByName("demo103") != nil || len(c.Users) != 4 {
		t.Errorf("users: %+v", c.Users)
	}
	if c.SIP.RingTime != 45 || c.Network.Hostname != "fixture" || c.Media.RTPPortMin != 21000 || !reflect.DeepEqual(c.SIP.LocalNetworks, []string{"192.168.0.0/16"}) {
		t.Errorf("%+v %+v %+v", c.SIP, c.Network, c.Media)
	}
	regs, err := s.Registrations(ctx)
	if err != nil || len(regs) != 3 || regs[1].Transport != "tcp" || regs[1].CSeq != 9 || regs[1].Path[0] != "<sip:edge;lr>" || regs[2].Extension != "200" {
		t.Errorf("registrations: %+v, %v", regs, err)
	}
	if v, err := s.Secret(ctx, "web-certificate"); err != nil || string(v) != "fixture secret" {
		t.Errorf("secret %q, %v", v, err)
	}
	log, err := s.AuditLog(ctx, pbx.AuditQuery{})
	if err != nil || len(log) != 5 || log[4].Action != "login" || log[3].Actor != "vera" || log[0].Object != "object 4" || log[0].From != "192.168.0.7" || log[0].As != "" {
		t.Errorf("audit log: %+v, %v", log, err)
	}
}

func TestMigrationFromVersion1(t *testing.T) {
	dir := fixture(t, "v1")
	for range 2 { // the second start finds what the first has made
		s := openAt(t, dir, fixtureClock())
		checkVersion1(t, s)
		c, n := s.Current()
		factory := pbx.Factory(pbx.Defaults{})
		if n != 6 {
			t.Errorf("revision %d, want 6", n)
		}
		if !reflect.DeepEqual(c.PermissionGroups, factory.PermissionGroups) || !reflect.DeepEqual(c.GUIGroups, factory.GUIGroups) {
			t.Errorf("groups: %+v %+v", c.PermissionGroups, c.GUIGroups)
		}
		if c.Locale != factory.Locale || c.FunctionCodes != factory.FunctionCodes || c.Mail != factory.Mail || c.Page != factory.Page ||
			c.Retention != factory.Retention || !c.Setup.WizardDone || c.HuntGroups == nil || len(c.HuntGroups)+len(c.PickupGroups)+len(c.Certificates)+len(c.ProvisioningGroups) != 0 {
			t.Errorf("what version 1 did not know: %+v", c)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOldRevisionsAreShownAndRestored(t *testing.T) {
	s := openAt(t, fixture(t, "v1"), fixtureClock())
	revs, err := s.Revisions(t.Context(), 0, 0)
	if err != nil || len(revs) != 6 || revs[0].Comment != "Changed settings" || !reflect.DeepEqual(revs[0].Message, pbx.Typed("Changed settings")) || revs[0].Author != "vera" || len(revs[0].Changes) < 4 {
		t.Fatalf("%+v, %v", revs, err)
	}
	for n := int64(1); n <= 5; n++ {
		if _, err := s.Restore(t.Context(), "admin", n); err != nil {
			t.Errorf("restore of revision %d: %v", n, err)
		}
		c, _ := s.Current()
		if (c.UserByName("demo103") != nil) != (n < 5) || (c.UserByName("vera") != nil) != (n > 3) || c.SIP.RingTime != 120 {
			t.Errorf("revision %d came back as %+v", n, c.Users)
		}
		if len(c.PermissionGroups) != 6 || len(c.GUIGroups) != 2 {
			t.Errorf("revision %d: %d permission groups, %d GUI groups", n, len(c.PermissionGroups), len(c.GUIGroups))
		}
	}
}

// What an older version wrote as empty or otherwise stays so; an entry is not
// mixed with the factory's entry in its place.
func TestListsThatARevisionKnows(t *testing.T) {
	s := openIn(t, t.TempDir())
	old := map[string]any{
		"users":            []map[string]any{{"id": "admin", "user": "admin", "admin": true}},
		"huntGroups":       nil,
		"guiGroups":        []map[string]any{},
		"permissionGroups": []map[string]any{{"id": "own", "name": "Own"}},
	}
	packed, err := pack(old)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.writer.ExecContext(t.Context(), "UPDATE revision SET config = ?", packed); err != nil {
		t.Fatal(err)
	}
	c, err := s.configOf(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	want := []pbx.PermissionGroup{{ID: "own", PermissionGroupSettings: pbx.PermissionGroupSettings{Name: "Own", Members: []string{}, Permissions: []pbx.GroupPermission{}}}}
	if !reflect.DeepEqual(c.PermissionGroups, want) || len(c.GUIGroups) != 0 || c.HuntGroups == nil {
		t.Errorf("%+v %+v", c.PermissionGroups, c.GUIGroups)
	}
}

// A device in a country where people dial 9 for an outside line goes on so with a
// version that has a parameter for it.
func TestOutsideLineOfTheCountry(t *testing.T) {
	s := openIn(t, t.TempDir())
	for locale, want := range map[string]string{`{"country":"US"}`: "9", `{"country":"DE"}`: "0", `{"country":"US","outsideLine":""}`: "", `{"country":"US","outsideLine":"8"}`: "8"} {
		packed, err := pack(map[string]any{"locale": json.RawMessage(locale)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.db.writer.ExecContext(t.Context(), "UPDATE revision SET config = ?", packed); err != nil {
			t.Fatal(err)
		}
		if c, err := s.configOf(t.Context(), 1); err != nil || c.Locale.OutsideLine != want {
			t.Errorf("%s: %+v, %v, want %q", locale, c, err, want)
		}
	}
}

// migrateUntilKilled is a process that opens a database of an older version: with
// "GALILEI_STORE_HALF" it stops in the middle of the step to version 2.
func migrateUntilKilled(dir string) int {
	ctx := context.Background()
	if os.Getenv("GALILEI_STORE_HALF") == "" {
		fmt.Println("open 1")
		s, err := Open(ctx, dir, Options{Model: model()})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println("done 2")
		time.Sleep(time.Minute)
		s.Close()
		return 1
	}
	db, err := connect(ctx, filepath.Join(dir, dbName))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	half, _, _ := strings.Cut(migrations()[1], "CREATE TABLE mail")
	for _, q := range []string{"PRAGMA cache_size = 1", "BEGIN IMMEDIATE", half, "PRAGMA user_version = 2"} {
		if _, err := db.writer.ExecContext(ctx, q); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	fmt.Println("half 1")
	time.Sleep(time.Minute)
	return 1
}

// A migration that is cut off leaves the old schema or the new one, and the
// next start has the new one with all that was there.
func TestKilledWhileMigrating(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	versions := map[int]int{}
	for round := range 12 {
		from, check := 1, checkVersion1
		if round%3 == 2 {
			from, check = 2, checkVersion2
		}
		dir := fixture(t, fmt.Sprint("v", from))
		env, after, delay := "", "open", time.Duration(random.IntN(20_000))*time.Microsecond
		if round%3 == 0 {
			env, after, delay = "1", "half", 0
		}
		killMigration(t, dir, env, after, delay)
		version := schemaVersion(t, dir)
		versions[version]++
		if version < from || version > len(migrations()) || env != "" && version != 1 {
			t.Errorf("round %d, seed %d: schema version %d", round, seed, version)
		}
		s := openAt(t, dir, fixtureClock())
		check(t, s)
		if err := s.AddContacts(t.Context(), "demo102", manyContacts(2)); err != nil { // all of step 2 is there
			t.Error(err)
		}
		if _, err := s.Commit(t.Context(), "a", pbx.Say("Changed"), setRingTime(46)); err != nil { // and of step 3
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("schema versions found after the kill: %v", versions)
}

func killMigration(t *testing.T, dir, half, after string, delay time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := child(ctx, "migrate", dir)
	cmd.Env = append(cmd.Env, "GALILEI_STORE_HALF="+half)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan() && !strings.HasPrefix(lines.Text(), after); {
	}
	time.Sleep(delay)
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the process was not killed: %v", err)
	}
}

func schemaVersion(t *testing.T, dir string) (version int) {
	t.Helper()
	db, err := connect(t.Context(), filepath.Join(dir, dbName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.close()
	if err := db.writer.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&version); err != nil {
		t.Fatal(err)
	}
	return version
}
