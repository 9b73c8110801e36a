package page_test

import (
	"strings"
	"testing"

	"galilei/pbxd/pbxdtest/browser"
)

// TestMessagesAndCard has a user write to a colleague, who reads it as it comes
// and deletes it, and prints the code card.
func TestMessagesAndCard(t *testing.T) {
	t.Parallel()
	chromium := &browser.Chromium{}
	t.Cleanup(chromium.Close)
	s := office(t)
	anna, petra := chromium.Page(t), chromium.Page(t)
	logIn(anna, s, "anna")
	logIn(petra, s, "petra")
	base := "https://" + s.Web.String()
	petra.Open(base + "/messages")
	petra.Heading("Nachrichten")
	petra.Sees("Keine Nachrichten.")
	anna.Open(base + "/messages")
	anna.Heading("Messages")
	anna.Press("Send") // nothing is chosen yet: the browser says so
	anna.Select("To", "Petra Klein 205")
	anna.Fill("Message", "Lunch at <b>12</b>?")
	anna.Press("Send")
	anna.Sees("Sent. Receivers: 1")
	if left := anna.Value("Message"); left != "" {
		t.Errorf("the message stays in the form: %q", left)
	}
	petra.Sees("Lunch at <b>12</b>?") // live
	petra.Sees("Anna Cartman 201")
	petra.Sees("von keinem Telefon angezeigt")
	petra.Look(360, 740, "light")
	petra.Fits("messages at 360 px")
	petra.Press("Löschen")
	petra.Press("Löschen")
	petra.Sees("Keine Nachrichten.")
	petra.Until("the focus stays in the list", "document.activeElement.matches('.messages')")
	anna.NoTroubles()
	petra.NoTroubles()

	anna.Open(base + "/code-card")
	anna.Heading("Code card")
	anna.Sees("*93*")
	anna.Sees("112 Fire brigade and ambulance")
	if n := anna.Print("code-card"); n != 1 {
		t.Errorf("the card takes %d sheets of A5", n)
	}
	petra.Look(1280, 860, "dark")
	petra.Open(base + "/code-card")
	petra.Heading("Codekarte")
	petra.Sees("Das Telefon klingelt nicht")
	if n := petra.Print("code-card-german"); n != 1 {
		t.Errorf("the German card takes %d sheets of A5", n)
	}
	if text := petra.Text(); strings.Contains(text, "{") {
		t.Errorf("a word has a hole: %s", text)
	}
}
