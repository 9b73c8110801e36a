package web

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"galilei/pbxd/pbx"
	"galilei/pbxd/picture"
)

// pictureIn returns a picture of 400 x 200 pixels in a format.
func pictureIn(t testing.TB, format string) string {
	t.Helper()
	img := image.NewPaletted(image.Rect(0, 0, 400, 200), color.Palette{color.White, color.RGBA{200, 30, 60, 255}})
	for i := range img.Pix {
		img.Pix[i] = uint8(i / (5 + int(format[0])%5) % 2) // another picture in PNG than in GIF
	}
	var b bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&b, img)
	case "gif":
		err = gif.Encode(&b, img, nil)
	case "jpeg":
		err = jpeg.Encode(&b, img, nil)
	case "tiff":
		err = tiff.Encode(&b, img, nil)
	}
	if err != nil || b.Len() == 0 {
		t.Fatalf("make %s: %d bytes, error %v", format, b.Len(), err)
	}
	return b.String()
}

// put uploads a picture.
func (c *client) put(t testing.TB, status int, path, contentType, body string) Image {
	t.Helper()
	res := c.do("PUT", apiPrefix+path, body, "Content-Type", contentType)
	if res.StatusCode != status {
		t.Fatalf("PUT %s: got %d, want %d: %s", path, res.StatusCode, status, res.text)
	}
	var i Image
	if status == 200 {
		if err := json.Unmarshal([]byte(res.text), &i); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

// threePeople are logged in: admin, anna (demo101) and ben (demo102).
func threePeople(t *testing.T) (m *memory, s *Server, admin, anna, ben *client) {
	t.Helper()
	m = newMemory()
	s = newServer(t, m, nil)
	admin = loggedIn(t, s)
	m.edit(t, func(cfg *pbx.Config) {
		for _, id := range []string{"demo101", "demo102"} {
			cfg.UserByID(id).PIN, cfg.UserByID(id).MustChangePIN = anyPIN, false
		}
	})
	return m, s, admin, enter(t, s, "demo101"), enter(t, s, "demo102")
}

func TestPictures(t *testing.T) {
	m, _, admin, anna, _ := threePeople(t)
	var contact pbx.Contact
	admin.want(201, "POST", "/contacts", `{"lastName":"Maier"}`, &contact)
	var own pbx.Contact
	anna.want(201, "POST", "/private-contacts", `{"lastName":"Own"}`, &own)
	for _, tc := range []struct {
		c            *client
		path, format string
		contentType  string
		image        func() string
	}{
		{admin, "/users/demo101/image", "png", "image/png", func() string { return userNamed(m, "demo101").Image }},
		{anna, "/profile/image", "gif", "application/octet-stream", func() string { return userNamed(m, "demo101").Image }},
		{admin, "/contacts/" + contact.ID + "/image", "jpeg", "image/gif", func() string { return m.contacts[""][0].Image }}, // the type is found from the content
		{anna, "/private-contacts/" + own.ID + "/image", "tiff", "image/tiff", func() string { return m.contacts["demo101"][0].Image }},
	} {
		i := tc.c.put(t, 200, tc.path, tc.contentType, pictureIn(t, tc.format))
		if i.Image == "" || i.Image != tc.image() || i.Width != 320 || i.Height != 160 {
			t.Errorf("%s: got %+v, kept %q", tc.path, i, tc.image())
		}
		res := tc.c.want(200, "GET", "/pictures/"+i.Image, "", nil)
		img, format, err := image.Decode(strings.NewReader(res.text))
		if err != nil || format != "jpeg" || img.Bounds().Dx() != 320 || res.Header.Get("Content-Type") != "image/jpeg" {
			t.Errorf("%s: got %s, %v, error %v", tc.path, format, res.Header, err)
		}
		if res := tc.c.do("GET", apiPrefix+"/pictures/"+i.Image, "", "If-None-Match", res.Header.Get("ETag")); res.StatusCode != 304 || res.text != "" {
			t.Errorf("%s: known picture: got %d with %d bytes, want 304", tc.path, res.StatusCode, len(res.text))
		}
		if res := tc.c.do("PUT", apiPrefix+tc.path, pictureIn(t, "png"), "Content-Type", "image/png", "If-Match", `"other"`); res.StatusCode != 412 {
			t.Errorf("%s: from another state: got %d, want 412", tc.path, res.StatusCode)
		}
		tc.c.want(200, "DELETE", tc.path, "", nil)
		if tc.image() != "" {
			t.Errorf("%s: the picture was not deleted", tc.path)
		}
		tc.c.want(404, "GET", "/pictures/"+i.Image, "", nil)
	}
	for _, action := range []string{"set-user-image", "delete-user-image", "set-own-image", "set-contact-image", "set-private-contact-image"} {
		if n := m.audited(action); n != 1 {
			t.Errorf("%s audited %d times, want 1", action, n)
		}
	}
}

func TestRefusedPictures(t *testing.T) {
	m, _, admin, _, _ := threePeople(t)
	for _, tc := range []struct {
		contentType, body string
		status            int
		words             string
	}{
		{"image/png", "no picture", 422, "not a PNG, GIF, TIFF or JPEG"},
		{"image/png", "", 422, "not a PNG"},
		{"image/png", pictureIn(t, "png")[:120], 422, "damaged"},
		{"application/json", "{}", 415, "image/*"},
		{"text/plain", "x", 415, "image/*"},
		{"image/jpeg", "\xff\xd8" + strings.Repeat("x", picture.MaxUpload), 413, "larger than 5 MB"},
		{"image/jpeg", strings.Repeat("x", 2*picture.MaxUpload), 413, "larger than"},
	} {
		res := admin.do("PUT", apiPrefix+"/users/demo101/image", tc.body, "Content-Type", tc.contentType)
		if res.StatusCode != tc.status || !strings.Contains(res.text, tc.words) {
			t.Errorf("%s %.20q: got %d %s; want %d, %q", tc.contentType, tc.body, res.StatusCode, res.text, tc.status, tc.words)
		}
	}
	admin.put(t, 404, "/users/nobody/image", "image/png", pictureIn(t, "png"))
	admin.put(t, 404, "/contacts/none/image", "image/png", pictureIn(t, "png"))
	if userNamed(m, "demo101").Image != "" {
		t.Error("a refused picture was kept")
	}
}

// TestPictureAccess checks who sees whose picture.
func TestPictureAccess(t *testing.T) {
	m, _, admin, anna, ben := threePeople(t)
	var own, global pbx.Contact
	anna.want(201, "POST", "/private-contacts", `{"lastName":"Own"}`, &own)
	admin.want(201, "POST", "/contacts", `{"lastName":"Global"}`, &global)
	i := anna.put(t, 200, "/private-contacts/"+own.ID+"/image", "image/png", pictureIn(t, "png"))
	anna.want(200, "GET", "/pictures/"+i.Image, "", nil)
	ben.want(404, "GET", "/pictures/"+i.Image, "", nil)
	admin.want(404, "GET", "/pictures/"+i.Image, "", nil) // private means private
	ben.put(t, 404, "/private-contacts/"+own.ID+"/image", "image/png", pictureIn(t, "png"))
	ben.put(t, 403, "/users/demo101/image", "image/png", pictureIn(t, "png"))
	ben.put(t, 403, "/contacts/"+global.ID+"/image", "image/png", pictureIn(t, "png"))
	admin.put(t, 200, "/contacts/"+global.ID+"/image", "image/png", pictureIn(t, "png"))
	ben.want(200, "GET", "/pictures/"+i.Image, "", nil) // the same picture, now of a contact that ben sees
	j := anna.put(t, 200, "/profile/image", "image/gif", pictureIn(t, "gif"))
	ben.want(200, "GET", "/pictures/"+j.Image, "", nil)
	m.edit(t, func(cfg *pbx.Config) { cfg.UserByID("demo101").HideFromPhonebook = true })
	ben.want(404, "GET", "/pictures/"+j.Image, "", nil)
	anna.want(200, "GET", "/pictures/"+j.Image, "", nil)
	admin.want(200, "GET", "/pictures/"+j.Image, "", nil)
	ben.want(422, "GET", "/pictures/xyz", "", nil)
}
