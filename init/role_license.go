package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"galilei/pbxd/license"
)

const licenseUsage = `usage: galilei license key -o FILE
       galilei license sign --key FILE --code CODE --users N --customer NAME [--expires DATE] [-o FILE]
`

// licenseMain makes the key of a vendor and signs licences with it.
func licenseMain(args []string) int {
	err := errLicenseUsage
	if len(args) > 0 {
		switch args[0] {
		case "key":
			err = licenseKey(args[1:], os.Stdout)
		case "sign":
			err = licenseSign(args[1:], os.Stdout, time.Now())
		}
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errLicenseUsage):
		fmt.Fprint(os.Stderr, licenseUsage)
		return 2
	}
	fmt.Fprintln(os.Stderr, "galilei license:", err)
	return 1
}

var errLicenseUsage = errors.New("wrong options")

// licenseKey writes a new private key to a file and the public one, as a line
// of a board file, to out.
func licenseKey(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("license key", flag.ContinueOnError)
	path := fs.String("o", "", "file for the private key; it must not exist")
	if err := fs.Parse(args); err != nil || fs.NArg() > 0 || *path == "" {
		return errLicenseUsage
	}
	private, public, err := license.NewKey()
	if err != nil {
		return err
	}
	if err := writeNew(*path, private, 0o600); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "license_key = %q\n", public)
	return err
}

// licenseSign writes a licence for the device whose code is given.
func licenseSign(args []string, out io.Writer, now time.Time) error {
	fs := flag.NewFlagSet("license sign", flag.ContinueOnError)
	keyPath := fs.String("key", "", "file with the private key")
	code := fs.String("code", "", "code that the device's licence screen shows")
	l := license.License{Issued: now.UTC().Format(time.DateOnly)}
	fs.IntVar(&l.Users, "users", 0, "users with an extension")
	fs.StringVar(&l.Customer, "customer", "", "who gets the licence")
	fs.StringVar(&l.Expires, "expires", "", "last licensed day, such as 2027-12-31; empty for no end")
	path := fs.String("o", "", "file for the licence; it must not exist; empty for standard output")
	if err := fs.Parse(args); err != nil || fs.NArg() > 0 || *keyPath == "" || *code == "" {
		return errLicenseUsage
	}
	text, err := os.ReadFile(*keyPath)
	if err != nil {
		return err
	}
	key, err := license.ParsePrivateKey(text)
	if err != nil {
		return fmt.Errorf("%s: %w", *keyPath, err)
	}
	if l.Model, l.Serial, err = license.ParseCode(*code); err != nil {
		return err
	}
	signed, err := license.Sign(l, key)
	if err != nil {
		return err
	}
	if *path != "" {
		return writeNew(*path, signed, 0o644)
	}
	_, err = out.Write(signed)
	return err
}

// writeNew writes a file that must not exist: a key that is overwritten is
// lost.
func writeNew(path string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}
