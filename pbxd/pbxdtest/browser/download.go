package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

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
	start()
	p.wait("wait for the download", func(context.Context) error {
		for _, f := range p.downloaded() {
			if !strings.HasSuffix(f, ".crdownload") && !strings.HasPrefix(f, ".") {
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

// Slow lets each answer of the network take longer; 0 ends that.
func (p *Page) Slow(latency time.Duration) {
	p.t.Helper()
	p.Run("slow the network down", command(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: float64(latency.Milliseconds()), DownloadThroughput: -1, UploadThroughput: -1}}}))
}
