package page_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"galilei/pbxd/pbxdtest/browser"
)

// showsFaces gives a user a picture, then a photograph that a camera held
// upright has taken.
func (p *newcomer) showsFaces(t *testing.T) {
	p.Press("Users")
	p.Press("susi")
	for _, x := range []struct {
		button, file, want string
	}{
		{"Choose picture", picture(t), "wide, red on the left"},
		{"Choose another picture", photograph(t), "high, red on top"},
	} {
		p.Choose(x.button, x.file)
		p.Until("the picture is "+x.want, fmt.Sprintf(`(() => {
			const [img] = [...document.querySelectorAll('dialog img')].filter((i) => i.complete && i.naturalWidth && i.checkVisibility());
			if (!img) return false;
			const [w, h] = [img.naturalWidth, img.naturalHeight];
			const c = Object.assign(document.createElement('canvas'), {width: w, height: h}).getContext('2d');
			c.drawImage(img, 0, 0);
			const red = (x, y) => c.getImageData(x * w, y * h, 1, 1).data[0] > 128;
			const all = [red(0.1, 0.1), red(0.9, 0.1), red(0.1, 0.9), red(0.9, 0.9)].join();
			if (w > h && all === 'true,false,true,false') return %[1]q === 'wide, red on the left';
			return w < h && all === 'true,true,false,false' && %[1]q === 'high, red on top';
		})()`, x.want))
	}
	shoot(p.Page, "user-photograph")
	p.Press("Close")
}

// sendsMail tells the device of a mail server and tries it.
func (p *newcomer) sendsMail(t *testing.T) {
	post := startMailServer(t)
	p.Press("E-mail delivery")
	p.Tick("E-mail delivery", true)
	p.Fill("Sender e-mail address", "pbx@example.org")
	p.Fill("SMTP server", "127.0.0.1")
	p.Fill("SMTP port", strconv.Itoa(post.port))
	p.Tick("Plaintext", true)
	p.Fill("Send a test mail to", "anna@example.org")
	p.Press("Send test mail")
	p.Sees("The mail server has taken the test mail to anna@example.org.")
	shoot(p.Page, "mail-tested")
	m := post.next(t)
	if m.From != "pbx@example.org" || !slices.Equal(m.To, []string{"anna@example.org"}) || !regexp.MustCompile(`(?m)^Subject: \S`).MatchString(m.Content) {
		t.Errorf("the server took %+v", m)
	}
	p.Press("Save")
	p.Sees("Settings are saved")
}

// readsGerman changes to German, looks at every screen, and changes back.
func (p *newcomer) readsGerman(t *testing.T) {
	p.Press("Profile of admin")
	p.Press("Change language")
	p.Tick("Deutsch", true)
	p.Press("Save")
	p.Until("the page says its language", "document.documentElement.lang === 'de'")
	words := newEnglish(t)
	for _, name := range menu(p.Page) {
		p.Press(name)
		p.Until("the screen "+name, settled)
		p.Idle()
		words.check(p.Page, t, name)
		if name == "Installationsassistent" {
			p.Press("Hier beenden") // it has no menu
		}
	}
	p.Press("Profil von admin")
	p.Press("Sprache ändern")
	p.Tick("English", true)
	p.Press("Speichern")
	p.Until("the page says its language", "document.documentElement.lang === 'en'")
}

// undoes brings back, by the history, a user that was deleted.
func (p *newcomer) undoes(t *testing.T) {
	p.Press("Users")
	p.Press("Delete ben, Ben Smith, 15")
	p.Press("Delete")
	p.Sees("ben, Ben Smith, 15 is deleted")
	p.Press("History")
	p.Sees("Current")
	numbers := regexp.MustCompile(`(?m)^\d+$`).FindAllString(browser.Eval[string](p.Page, "document.querySelector('main').innerText"), 2)
	if len(numbers) < 2 {
		t.Fatalf("the history shows the revisions %q", numbers)
	}
	p.Press(numbers[0] + " User ben deleted…")
	p.Press(numbers[1] + " …")
	p.Press("Restore revision " + numbers[1])
	p.Sees("Brought back, with PIN and password of then: ben.")
	shoot(p.Page, "history-restore")
	p.Press("Restore")
	p.Sees("Revision " + numbers[1] + " is restored")
	p.Press("Users")
	p.In("ben").Sees("ben Ben Smith 15 ben.smith@company.org")
}

// triesCertificate lets the page use another certificate and does nothing more:
// the one before returns by itself, and the page says so.
func (p *newcomer) triesCertificate(t *testing.T) {
	before := p.s.Served(t)
	chain, key := certificate(t, "pbx.example.org")
	_, other := certificate(t, "pbx.example.org")
	p.Press("Certificates")
	p.Press("Add certificate")
	p.Fill("Description", "Office")
	p.Fill("Certificate", chain)
	p.Fill("Private key", other)
	p.Press("Add certificate")
	p.Sees("Not saved:")
	shoot(p.Page, "certificate-refused")
	p.Fill("Private key", key)
	p.Press("Add certificate")
	p.Sees("Office is added")

	p.In("Office").Press("Use for this page")
	p.Sees("the present certificate returns by itself")
	shoot(p.Page, "certificate-asked")
	p.Press("Use it")
	p.Sees("Goes back by itself in")
	if got := p.s.Served(t); got != "pbx.example.org" {
		t.Errorf("the device shows the certificate of %q", got)
	}
	p.Sees("Nobody confirmed the change in time: it has gone back by itself.")
	p.SeesNot("Goes back by itself in")
	if got := p.s.Served(t); got != before {
		t.Errorf("the device shows the certificate of %q, want %q as before", got, before)
	}
	p.Reload()
	p.Forgive() // connections end when the certificate changes
	p.Sees("All good")
	p.Press("History")
	p.Sees("system ·")
}

// exportsContacts writes contacts into a file, empties the directory, and
// imports the file: the file that comes out then is the same.
func (p *newcomer) exportsContacts(t *testing.T) {
	p.Press("Contact list")
	for _, c := range [][]string{{"Zoë", "O'Neill, Jr.", `Müller & "Söhne"; Köln`, "zoe@example.org", "+49 221 1234", "1"}, {"Ben", "Black", "", "", "0170 55", "2"}} {
		p.Press("Add contact")
		for i, label := range []string{"First name", "Last name", "Company", "E-mail", "Office", "Office quick dial"} {
			p.Fill(label, c[i])
		}
		p.Press("Add contact")
		p.Heading(c[0] + " " + c[1])
		p.Press("Close")
	}
	p.Press("CSV import/export")
	_, first := p.Download(func() { p.Press("Download") })
	if text := string(first); strings.Count(text, "\n") != 3 || !strings.Contains(text, "O'Neill, Jr.") || !strings.Contains(text, "Zoë") {
		t.Errorf("the file holds %q", text)
	}
	p.Press("Contact list")
	p.Press("Delete all contacts")
	p.Fill("Type “global contacts” to go on", "global contacts")
	shoot(p.Page, "contacts-delete-all")
	p.Press("Delete all contacts")
	p.Sees("No contacts yet.")
	p.Press("CSV import/export")
	p.Choose("Choose file", written(t, "contacts.csv", first))
	p.Press("Import 2 contacts")
	p.Sees("2 contacts are imported.")
	name, second := p.Download(func() { p.Press("Download") })
	if string(second) != string(first) {
		t.Errorf("imported and exported again, %s holds %q, want %q", name, second, first)
	}
}
