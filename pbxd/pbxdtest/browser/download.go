package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/network"
)

// Download does what makes the browser download a file, waits for it and returns
// its name and what is in it.
func (p *Page) Download(start func()) (name string, content []byte) {
	p.t.Helper()
	for _, f := range p.downloaded() { // one of the same name would be replaced
		if err := os.Remove(filepath.Join(p.downloads, f)); err != nil {
			p.t.Fatalf("remove an earlier download: %v", err)
		}
	}
	for again := 0; name == ""; again++ {
		if again > 0 {
			p.t.Logf("the download is asked for again: %q", p.loads())
		}
		p.mu.Lock()
		p.downloading = nil
		p.mu.Unlock()
		start()
		asked := time.Now()
		p.wait("wait for the download", func(context.Context) error {
			files := p.downloaded()
			for _, f := range files {
				if !strings.HasSuffix(f, ".crdownload") && !strings.HasPrefix(f, ".") {
					name = f
					return nil
				}
			}
			// Chromium gives a download up that meets the end of its connection
			// (ERR_FAILED, as in answered) and a person asks for it again.
			states := p.loads()
			failed := len(states) > 0 && states[len(states)-1] == string(browser.DownloadProgressStateCanceled)
			lost := len(states) == 0 && time.Since(asked) > p.Step/4
			if again < 2 && (failed || lost) {
				return nil
			}
			return fmt.Errorf("there are %q, the browser told of %q", files, states)
		})
	}
	content, err := os.ReadFile(filepath.Join(p.downloads, name))
	if err != nil {
		p.t.Fatalf("read what was downloaded: %v", err)
	}
	return name, content
}

// loads is what the browser told of the download since it was asked for.
func (p *Page) loads() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.downloading)
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

// Slow lets each answer of the network take longer; 0 ends that.
func (p *Page) Slow(latency time.Duration) {
	p.t.Helper()
	p.Run("slow the network down", command(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: float64(latency.Milliseconds()), DownloadThroughput: -1, UploadThroughput: -1}}}))
}
