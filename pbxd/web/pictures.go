package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
	"galilei/pbxd/picture"
)

// Image names the picture of a user or a contact.
type Image struct {
	Image  string `json:"image" title:"Image" doc:"Hash of the picture, for /pictures/{hash}; empty for none" maxLength:"64"`
	Width  int    `json:"width" title:"Width" doc:"Width of the picture" unit:"pixels" minimum:"0" maximum:"320"`
	Height int    `json:"height" title:"Height" doc:"Height of the picture" unit:"pixels" minimum:"0" maximum:"320"`
}

// imageOf is who has a picture: a user, oneself or a contact.
type imageOf struct {
	id, path, tag string
	module        string
	permission    pbx.Permission
	// owner returns for whom a picture is kept, as PutPicture takes it.
	owner func(ctx context.Context) string
	// look returns the ETag of the entry with that ID.
	look func(ctx context.Context, id string) (tag string, err error)
	// set makes hash the picture of the entry with that ID and returns the name
	// of the entry and its new ETag. match checks the ETag that the client has seen.
	set func(ctx context.Context, id, hash string, match func(tag string) error) (name, tag string, err error)
}

// imagePath is the path parameter of a picture's owner; the own profile has
// none.
type imageInput struct {
	EntryPath
	IfMatch
	File upload
}

type ownImageInput struct {
	IfMatch
	File upload
}

func (s *Server) registerPictures() {
	owners := []imageOf{{id: "user", path: "/users/{id}/image", tag: "Users", module: "users", owner: ofUsers,
		look: s.lookAtUser(tagOfUser), set: s.setImageOf(tagOfUser, func(u *pbx.User) pbx.Message { return pbx.Say("Picture of {name}", "name", u.Name) })}}
	for _, d := range []directory{globalDirectory(), privateDirectory()} {
		owners = append(owners, imageOf{id: d.name, path: d.path + "/{id}/image", tag: d.tag, module: d.write, permission: d.permit, owner: d.owner,
			look: func(ctx context.Context, id string) (string, error) {
				c, err := s.Store.Contact(ctx, d.owner(ctx), id)
				if err != nil {
					return "", noContact(fmt.Errorf("contact %s: %w", id, err))
				}
				return etag(c), nil
			},
			set: func(ctx context.Context, id, hash string, match func(string) error) (string, string, error) {
				return s.setContactImage(ctx, d, id, hash, match)
			}})
	}
	for _, o := range owners {
		registerUpload(s, o.operation("set", http.MethodPut), []string{typeImage, typeBinary},
			func(ctx context.Context, in *imageInput) (*tagged[Image], error) {
				return s.putImage(ctx, o, in.ID, &in.File, in.check)
			})
		register(s, o.operation("delete", http.MethodDelete), func(ctx context.Context, in *struct {
			EntryPath
			IfMatch
		}) (*tagged[Image], error) {
			return s.dropImage(ctx, o, in.ID, in.check)
		})
	}
	own := imageOf{id: "own", path: "/profile/image", tag: "Profile", module: "profile-image", owner: ofUsers,
		look: s.lookAtUser(tagOfProfile), set: s.setImageOf(tagOfProfile, func(u *pbx.User) pbx.Message { return pbx.Say("Own picture of {name}", "name", u.Name) })}
	registerUpload(s, own.operation("set", http.MethodPut), []string{typeImage, typeBinary},
		func(ctx context.Context, in *ownImageInput) (*tagged[Image], error) {
			return s.putImage(ctx, own, callerOf(ctx).user.ID, &in.File, in.check)
		})
	register(s, own.operation("delete", http.MethodDelete), func(ctx context.Context, in *IfMatch) (*tagged[Image], error) {
		return s.dropImage(ctx, own, callerOf(ctx).user.ID, in.check)
	})
	register(s, operation{id: "get-picture", method: http.MethodGet, path: "/pictures/{hash}", tag: "Pictures", access: accessUser,
		summary: "A picture", description: "JPEG of at most 320 x 320 pixels. Only for those who may see a user or contact that it belongs to.",
		errors: []int{http.StatusNotFound},
		content: &huma.Response{Description: "The picture", Content: map[string]*huma.MediaType{
			"image/jpeg": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary", Title: "Picture", Description: "JPEG"}}}}}, s.picture)
}

func (o imageOf) operation(verb, method string) operation {
	op := operation{id: verb + "-" + o.id + "-image", method: method, path: o.path, tag: o.tag, module: o.module, permission: o.permission,
		errors: []int{http.StatusNotFound, http.StatusPreconditionFailed, http.StatusPreconditionRequired}}
	op.audits = []string{op.id}
	switch method {
	case http.MethodPut:
		op.summary = "Set the picture"
		op.errors = append(op.errors, http.StatusConflict)
		op.description = "PNG, GIF (first frame), TIFF or JPEG of at most 5 MB, as the body or as the file of a form. It is stored upright, without metadata, at most 320 x 320 pixels."
	default:
		op.summary = "Delete the picture"
	}
	return op
}

func ofUsers(context.Context) string { return pbx.PicturesOfUsers }

// putImage decodes an uploaded picture and makes it that of an entry. Nothing is
// decoded or kept for an entry that there is not.
func (s *Server) putImage(ctx context.Context, o imageOf, id string, file *upload, match func(string) error) (*tagged[Image], error) {
	seen, err := o.look(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := match(seen); err != nil {
		return nil, err
	}
	r, err := file.open(picture.MaxUpload)
	if err != nil {
		return nil, brokenUpload(err)
	}
	p, err := s.decodePicture(ctx, r)
	if err != nil {
		return nil, pictureProblem(err)
	}
	if err := s.still(ctx); err != nil {
		return nil, err
	}
	if err := s.Store.PutPicture(ctx, o.owner(ctx), p.Hash, p.JPEG); err != nil {
		if errors.Is(err, pbx.ErrTooMany) {
			return nil, refuse(http.StatusConflict, "There is no room for more pictures. Delete some first.")
		}
		return nil, fmt.Errorf("keep picture of %d bytes: %w", len(p.JPEG), err)
	}
	name, tag, err := o.set(ctx, id, p.Hash, match)
	if err != nil {
		return nil, err
	}
	s.record(ctx, "set-"+o.id+"-image", name)
	return &tagged[Image]{tag, Image{p.Hash, p.Width, p.Height}}, nil
}

func (s *Server) dropImage(ctx context.Context, o imageOf, id string, match func(string) error) (*tagged[Image], error) {
	name, tag, err := o.set(ctx, id, "", match)
	if err != nil {
		return nil, err
	}
	s.record(ctx, "delete-"+o.id+"-image", name)
	return &tagged[Image]{ETag: tag}, nil
}

// decodePicture lets one administrator and one of all others wait for the
// decoder, which takes pictures in their order.
func (s *Server) decodePicture(ctx context.Context, r io.Reader) (picture.Picture, error) {
	leave, err := s.decoding.enter(ctx)
	if err != nil {
		return picture.Picture{}, err
	}
	defer leave()
	return s.pictures.Decode(ctx, r)
}

// pictureProblem says to the client what is wrong with a picture.
func pictureProblem(err error) error {
	m, ok := toldMessage(err)
	if !ok {
		return brokenUpload(err)
	}
	status := http.StatusUnprocessableEntity
	if errors.As(err, new(picture.TooLargeError)) {
		status = http.StatusRequestEntityTooLarge
	}
	p := refuseWith(status, m)
	p.Errors = []ProblemDetail{detailOf("body", m)}
	return p
}

// lookAtUser returns the ETag of a user, which tagOf makes.
func (s *Server) lookAtUser(tagOf func(*pbx.Config, *pbx.User) string) func(ctx context.Context, id string) (string, error) {
	return func(_ context.Context, id string) (string, error) {
		cfg, _ := s.Store.Current()
		u := cfg.UserByID(id)
		if u == nil {
			return "", noUser()
		}
		return tagOf(cfg, u), nil
	}
}

// setImageOf sets the picture of a user whose ETag tagOf makes, in a revision
// about that.
func (s *Server) setImageOf(tagOf func(*pbx.Config, *pbx.User) string, about func(*pbx.User) pbx.Message) func(ctx context.Context, id, hash string, match func(string) error) (name, tag string, err error) {
	return func(ctx context.Context, id, hash string, match func(string) error) (name, tag string, err error) {
		cfg, _ := s.Store.Current()
		u := cfg.UserByID(id)
		if u == nil {
			return "", "", noUser()
		}
		_, err = s.commit(ctx, about(u), func(cfg *pbx.Config) error {
			u := cfg.UserByID(id)
			if u == nil {
				return noUser()
			}
			if err := match(tagOf(cfg, u)); err != nil {
				return err
			}
			u.Image = hash
			name, tag = u.Name, tagOf(cfg, u)
			return nil
		})
		return name, tag, err
	}
}

func (s *Server) setContactImage(ctx context.Context, d directory, id, hash string, match func(string) error) (name, tag string, err error) {
	c, err := s.Store.ChangeContact(ctx, d.owner(ctx), id, func(c *pbx.Contact) error {
		if err := match(etag(*c)); err != nil {
			return err
		}
		c.Image = hash
		return nil
	})
	if err != nil {
		return "", "", noContact(fmt.Errorf("picture of contact %s: %w", id, err))
	}
	return d.object(c), etag(c), nil
}

// pictureAnswer is a picture, or that the client has it already.
type pictureAnswer struct {
	Status       int
	ContentType  string `header:"Content-Type" title:"Type" doc:"image/jpeg" maxLength:"20"`
	CacheControl string `header:"Cache-Control" title:"Caching" doc:"A browser keeps the picture, and asks each time whether it may show it" maxLength:"40"`
	ETag         string `header:"ETag" title:"ETag" doc:"Hash of the picture" maxLength:"80"`
	Body         []byte
}

func (s *Server) picture(ctx context.Context, in *struct {
	Hash  string `path:"hash" title:"Hash" doc:"Hash of the picture" pattern:"^[0-9a-f]{64}$" patternDescription:"the hash of a picture" maxLength:"64"`
	Known string `header:"If-None-Match" title:"If-None-Match" doc:"ETag of the picture that the client has" maxLength:"500"`
}) (*pictureAnswer, error) {
	gone := refuse(http.StatusNotFound, "There is no such picture.")
	seen, err := s.maySee(ctx, in.Hash)
	if err != nil {
		return nil, err
	}
	if !seen {
		return nil, gone // as if it did not exist: its hash tells nothing to others
	}
	a := &pictureAnswer{Status: http.StatusOK, ContentType: "image/jpeg", CacheControl: "private, no-cache", ETag: `"` + in.Hash + `"`}
	if strings.Contains(in.Known, a.ETag) {
		a.Status = http.StatusNotModified
		return a, nil
	}
	if a.Body, err = s.Store.Picture(ctx, in.Hash); err != nil {
		return nil, notFound(fmt.Errorf("picture %s: %w", in.Hash, err), gone.Template)
	}
	return a, nil
}

// maySee reports whether the caller may see a picture: that of a user in the
// lists or the directory that they see, of a contact in a directory of theirs,
// or their own.
func (s *Server) maySee(ctx context.Context, hash string) (bool, error) {
	c := callerOf(ctx)
	cfg, _ := s.Store.Current()
	for i := range cfg.Users {
		u := &cfg.Users[i]
		if u.Image != hash {
			continue
		}
		if u.ID == c.user.ID || c.has("users") || c.has(internalModule) && cfg.Listed(u) {
			return true, nil
		}
	}
	owners, err := s.Store.PictureOwners(ctx, hash)
	if err != nil {
		return false, fmt.Errorf("owners of picture %s: %w", hash, err)
	}
	global, private := globalDirectory(), privateDirectory()
	return slices.ContainsFunc(owners, func(owner string) bool {
		return owner == "" && c.has(global.read+"|"+global.write) || owner != "" && owner == c.user.ID && c.has(private.read)
	}), nil
}
