package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Download does what makes the browser download a file, waits for it and returns
// its name and what is in it.
func (p *Page) Download(start func()) (name string, content []byte) {
	p.t.Helper()
	before := map[string]bool{}
	for _, f := range p.downloaded() {
		before[f] = true
	}
	start()
	p.wait("wait for the download", func(context.Context) error {
		for _, f := range p.downloaded() {
			if !before[f] && !strings.HasSuffix(f, ".crdownload") && !strings.HasPrefix(f, ".") {
				name = f
				return nil
			}
		}
		return fmt.Errorf("there are %q", p.downloaded())
	})
	content, err := os.ReadFile(filepath.Join(p.downloads, name))
	if err != nil {
		p.t.Fatalf("read what was downloaded: %v", err)
	}
	return name, content
}

func (p *Page) downloaded() (names []string) {
	list, err := os.ReadDir(p.downloads)
	if err != nil {
		p.t.Fatalf("list what was downloaded: %v", err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// SetCookie gives the page a cookie of the site at url, as an earlier visit
// would have.
func (p *Page) SetCookie(url, name, value string) {
	p.t.Helper()
	yes := true
	p.Run("set the cookie "+name, command(network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: url, Secure: &yes, HTTPOnly: &yes, SameSite: network.CookieSameSiteStrict}))
}

// Offline cuts the page off the network, or brings it back.
func (p *Page) Offline(off bool) {
	p.t.Helper()
	p.Run("change the network", chromedp.Steps(command(network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: off, DownloadThroughput: -1, UploadThroughput: -1})))
}
