package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/license"
)

func TestLicenseKeyAndSign(t *testing.T) {
	dir := t.TempDir()
	keyFile, licenceFile := filepath.Join(dir, "vendor.pem"), filepath.Join(dir, "licence.json")
	var out bytes.Buffer
	if err := licenseKey([]string{"-o", keyFile}, &out); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(keyFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v, %v", info.Mode(), err)
	}
	if strings.Contains(out.String(), "PRIVATE") {
		t.Fatal("the private key is printed")
	}
	line, ok := strings.CutPrefix(strings.TrimSpace(out.String()), `license_key = "`)
	if !ok {
		t.Fatalf("printed %q, want a line of a board file", out.String())
	}
	key, err := license.ParsePublicKey(strings.TrimSuffix(line, `"`))
	if err != nil {
		t.Fatal(err)
	}
	if err := licenseKey([]string{"-o", keyFile}, &out); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second key in the same file: %v, want ErrExist", err)
	}

	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	args := []string{"--key", keyFile, "--code", license.Code("T640", "abcd1234"), "--users", "60", "--customer", "Example GmbH", "--expires", "2027-12-31"}
	if err := licenseSign(append(args, "-o", licenceFile), &out, now); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(licenceFile)
	if err != nil {
		t.Fatal(err)
	}
	got, err := license.Parse(text, key)
	want := license.License{Model: "T640", Serial: "ABCD1234", Users: 60, Expires: "2027-12-31", Issued: "2026-11-23", Customer: "Example GmbH"}
	if err != nil || got != want {
		t.Errorf("licence %+v, %v, want %+v", got, err, want)
	}
	out.Reset()
	if err := licenseSign(args, &out, now); err != nil || !bytes.Equal(out.Bytes(), text) {
		t.Errorf("on standard output %q, %v, want %q", out.Bytes(), err, text)
	}

	for _, c := range []struct{ old, new, want string }{
		{"60", "0", "users is 0"},
		{"2027-12-31", "2026-01-01", "is before issued"},
		{"Example GmbH", "", "customer has 0"},
		{keyFile, licenceFile, "no PEM block"},
		{keyFile, keyFile + "x", "no such file"},
		{license.Code("T640", "abcd1234"), "T640-ABCD-1235-XX", "typing mistake"},
	} {
		changed := make([]string, len(args))
		for i, a := range args {
			changed[i] = a
			if a == c.old {
				changed[i] = c.new
			}
		}
		if err := licenseSign(changed, &out, now); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %q: error %v, want one with %q", c.new, c.old, err, c.want)
		}
	}
	if got := licenseMain(nil); got != 2 {
		t.Errorf("without a command: status %d, want 2", got)
	}
}
