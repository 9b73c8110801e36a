package sipedge

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// maxParts bounds the parts of a body that are looked at.
const maxParts = 16

// bodyOf returns the session description of a message, nil when it has none: the
// whole body, or one of several parts (RFC 5621 section 3.1). A body of another
// kind is left alone where the sender permits it (RFC 3261 section 20.11).
func bodyOf(m sip.Message) ([]byte, error) {
	body := m.Body()
	if len(body) == 0 {
		return nil, nil
	}
	ct := headerValue(m, "content-type")
	coding := strings.ToLower(strings.TrimSpace(headerValue(m, "content-encoding")))
	switch kind := mediaType(ct); {
	case coding != "" && coding != "identity":
		return nil, fmt.Errorf("body encoded as %.40q: %w", coding, errContentType)
	case kind == "application/sdp":
		return body, nil
	case strings.HasPrefix(kind, "multipart/"):
		return sdpPart(ct, body)
	case mayIgnore(headerValue(m, "content-disposition")):
		return nil, nil
	}
	return nil, fmt.Errorf("body of type %.40q: %w", ct, errContentType)
}

// mediaType returns the type of a Content-Type without its parameters, in lower
// case.
func mediaType(contentType string) string {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// mayIgnore reports whether a Content-Disposition lets those ignore a body who
// do not understand it.
func mayIgnore(disposition string) bool {
	_, params, err := mime.ParseMediaType(disposition)
	return err == nil && strings.EqualFold(params["handling"], "optional")
}

// sdpPart returns the session description among the parts of a body, nil when
// there is none. What the others hold, of a gateway mostly the signalling behind
// it, concerns no phone.
func sdpPart(contentType string, body []byte) ([]byte, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, fmt.Errorf("body of type %.40q without a boundary: %w", contentType, errContentType)
	}
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for range maxParts {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("body of several parts: %w: %w", errContentType, err)
		}
		if mediaType(p.Header.Get("Content-Type")) != "application/sdp" {
			continue
		}
		text, err := io.ReadAll(p)
		if err != nil {
			return nil, fmt.Errorf("body of several parts: %w: %w", errContentType, err)
		}
		return append(text, "\r\n"...), nil // the last line end belongs to the boundary
	}
	return nil, fmt.Errorf("body of more than %d parts: %w", maxParts, errContentType)
}
