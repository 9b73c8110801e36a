package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// asset is one file of the page, compressed once, when it is first asked for: at
// the start there is other work to do.
type asset struct {
	mediaType string
	tag       string // ETag (RFC 9110 section 8.8.3), weak since two encodings share it
	plain     []byte
	gzipped   func() []byte // nil when compression gains nothing
}

// assets serves the page. Every path without a file extension is a screen of
// it: the page's own router takes it from there.
type assets struct {
	files map[string]*asset // by path with a leading slash
}

func newAssets(files fs.FS) (*assets, error) {
	a := &assets{files: map[string]*asset{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		a.files["/"+name], err = newAsset(name, data)
		return err
	})
	if err != nil {
		return nil, err
	}
	index := a.files["/index.html"]
	if index == nil {
		return nil, fmt.Errorf("read index.html: %w", fs.ErrNotExist)
	}
	index.tag = a.version()
	return a, nil
}

// version is a tag of all files together. It stands for the document, so that a
// page that is open can tell that the device has another one by now.
func (a *assets) version() string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(a.files)) {
		_, _ = fmt.Fprintf(sum, "%s %s\n", name, a.files[name].tag) // a hash takes everything
	}
	return `W/"` + hex.EncodeToString(sum.Sum(nil)[:12]) + `"`
}

func newAsset(name string, data []byte) (*asset, error) {
	types := map[string]string{
		".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
		".json": "application/json", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json",
	}
	t, ok := types[path.Ext(name)]
	if !ok {
		return nil, fmt.Errorf("file %s: no media type for %q", name, path.Ext(name))
	}
	sum := sha256.Sum256(data)
	return &asset{
		mediaType: t, tag: `W/"` + hex.EncodeToString(sum[:12]) + `"`, plain: data,
		gzipped: sync.OnceValue(func() []byte { return gzipped(data) }),
	}, nil
}

// gzipped compresses data; it returns nil when that gains nothing.
func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil || b.Len() >= len(data) {
		return nil
	}
	return b.Bytes()
}

// ServeHTTP answers GET and HEAD.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		writeProblem(w, refuse(http.StatusMethodNotAllowed, "The page can only be read."))
		return
	}
	f := a.files[r.URL.Path]
	if f == nil && path.Ext(r.URL.Path) == "" {
		f = a.files["/index.html"]
	}
	if f == nil {
		writeProblem(w, refuse(http.StatusNotFound, "There is no such file."))
		return
	}
	f.ServeHTTP(w, r)
}

// ServeHTTP sends the file, or 304 when the client has it. Clients keep files
// but ask every time, so a new firmware shows its new page at once.
func (f *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.tag)
	h.Set("Vary", "Accept-Encoding")
	for t := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimSpace(t) == f.tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	data := f.plain
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		if small := f.gzipped(); small != nil {
			data = small
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Type", f.mediaType)
	h.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(data) // an error means that the client is gone
	}
}

// acceptsGzip reads Accept-Encoding (RFC 9110 section 12.5.3).
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q := strings.TrimSpace(weight)
			return !strings.HasPrefix(q, "q=0") || strings.Trim(q, "q=0.") != ""
		}
	}
	return false
}
