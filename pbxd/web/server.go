package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/ladder"
	"galilei/pbxd/pbx"
	"galilei/pbxd/picture"
	"galilei/webroot"
)

// Store keeps the configuration, the audit log and sealed secrets.
type Store interface {
	// Current returns the published configuration, which must not be modified.
	Current() (cfg *pbx.Config, revision int64)
	// Commit validates and publishes what change makes of a copy. It returns a
	// *pbx.ValidationError when the result is refused.
	Commit(ctx context.Context, author string, comment pbx.Message, change func(*pbx.Config) error) (revision int64, err error)
	// Revisions lists the newest first, those before the given number; 0 means
	// from the newest.
	Revisions(ctx context.Context, before int64, limit int) ([]pbx.Revision, error)
	// RestoreIf publishes an old revision as a new one unless allowed, which is
	// called with the configuration before and after, returns an error. It
	// returns fs.ErrNotExist when there is none of that number.
	RestoreIf(ctx context.Context, author string, number int64, allowed func(before, after *pbx.Config) error) (int64, error)
	// CommitTentative is Commit for a change that reverts after window unless it
	// is confirmed. It returns pbx.ErrPending when another one waits already.
	CommitTentative(ctx context.Context, author string, comment pbx.Message, section string, window time.Duration, change func(*pbx.Config) error) (pbx.PendingChange, error)
	// Pending returns the change that waits to be confirmed, or nil.
	Pending() *pbx.PendingChange
	// Confirm and RevertPending end it. They return fs.ErrNotExist when it is
	// not the one that waits.
	Confirm(ctx context.Context, author, id string) error
	RevertPending(ctx context.Context, author, id string) error
	ContactStore
	DraftStore
	MailStore
	JournalStore
	RecordStore
	TextStore
	// Watch has fn called within every commit, after it is published, with the
	// revision that it made. fn must not commit.
	Watch(fn func(old, new *pbx.Config, r pbx.Revision)) (stop func())
	// Key returns the device key.
	Key() pbx.DeviceKey
	// Audit adds one entry to the audit log.
	Audit(ctx context.Context, e pbx.AuditEntry) error
	// AuditLog lists the entries that q asks for, the newest first.
	AuditLog(ctx context.Context, q pbx.AuditQuery) ([]pbx.AuditEntry, error)
	// Secret returns a value kept sealed at rest, or fs.ErrNotExist.
	Secret(ctx context.Context, name string) ([]byte, error)
	// SetSecret keeps a value sealed at rest.
	SetSecret(ctx context.Context, name string, value []byte) error
}

// ContactStore keeps the directories and the pictures.
type ContactStore interface {
	Contacts(ctx context.Context, q pbx.ContactQuery) (pbx.ContactPage, error)
	// Contact and the calls below return fs.ErrNotExist for one that there is not.
	Contact(ctx context.Context, owner, id string) (pbx.Contact, error)
	// AddContacts adds all or none, in their order. It returns pbx.ErrTooMany
	// when there is no room.
	AddContacts(ctx context.Context, owner string, list []pbx.Contact) error
	// ChangeContact returns the error of change as it is.
	ChangeContact(ctx context.Context, owner, id string, change func(*pbx.Contact) error) (pbx.Contact, error)
	DeleteContact(ctx context.Context, owner, id string, check func(pbx.Contact) error) error
	DeleteContacts(ctx context.Context, owner string) (int, error)
	// PutPicture keeps a picture under its hash, for the directory of owner or
	// pbx.PicturesOfUsers. It returns pbx.ErrTooMany when there is no room.
	PutPicture(ctx context.Context, owner, hash string, jpeg []byte) error
	Picture(ctx context.Context, hash string) ([]byte, error)
	// QuickDial returns the number of a quick dial, from the private contacts of a
	// user before the global ones, or nil when no contact has it.
	QuickDial(ctx context.Context, user, quickdial string) (*pbx.QuickDial, error)
	// PictureOwners returns the owners of the contacts that show a picture; ""
	// stands for the global directory.
	PictureOwners(ctx context.Context, hash string) (owners []string, err error)
}

// DraftStore keeps uncommitted system settings.
type DraftStore interface {
	Drafts(ctx context.Context) ([]pbx.Draft, error)
	SetDraft(ctx context.Context, d pbx.Draft) error
	DeleteDraft(ctx context.Context, path string) error
	DeleteDrafts(ctx context.Context) error
}

// MailStore shows the mails that wait.
type MailStore interface {
	MailJobs(ctx context.Context) ([]pbx.MailJob, error)
	// RetryMail and DeleteMail return fs.ErrNotExist for one that there is not.
	RetryMail(ctx context.Context, id int64) error
	DeleteMail(ctx context.Context, id int64) error
}

// Facts tells what is true now and what changes.
type Facts interface {
	// Subscribe returns the facts of now and a channel of those that follow. It
	// is closed when ctx ends or the subscriber is too slow.
	Subscribe(ctx context.Context) (now []pbx.Fact, updates <-chan pbx.Fact)
}

// Deps is what the server needs. The fields that say what nil means may be left
// out, and License; all others must be set.
type Deps struct {
	Store Store
	Facts Facts
	Mail  Mail  // nil sends none
	Texts Texts // nil sends none
	// TestMail sends a test mail; nil means that the device cannot send any.
	TestMail TestMail
	License  LicenseDeps // what the board says of licences
	Model    pbx.Model
	Version  string                      // of the firmware, shown to administrators
	Health   func(context.Context) error // nil when the PBX can take calls
	Warnings func() []pbx.Warning        // what administrators should look after; nil: there is nothing beside what the configuration tells
	SIPPort  func() uint16               // port at which phones register
	Traces   Traces                      // calls of the day; nil: none are remembered
	CallsOf  func(extension string) int  // calls that an extension is in; nil: none
	Tolls    dialplan.Tolls              // what is used up of the limits of calls; nil: nothing
	// LogOutPhone gives the phone of an extension back to its user, who is logged
	// in at no other one then; nil: nobody is logged in anywhere.
	LogOutPhone func(ctx context.Context, extension string) error
	// Hangup ends a call, as who is named by wants; false when there is none of
	// that ID. Nil: there never is.
	Hangup func(call, by string) bool
	// Dial rings the phones of a user and connects who answers to a number. It
	// returns the ID of the call, or why none begins: CauseUserBusy while the
	// phones ring for another such call, CauseSubscriberAbsent when there is none,
	// CauseCongestion when there are too many calls. Nil: none can begin.
	Dial func(u *pbx.User, number string) (call string, refused pbx.Cause)
	// Names returns what the directories call somebody outside who has one of the
	// numbers: by "" what those of everybody do. Nil: nobody has a name.
	Names func(numbers, users []string) map[string]string
	Trial time.Duration    // how long a risky change waits to be confirmed; 0 means 120 s
	Now   func() time.Time // nil means time.Now
	Log   *slog.Logger     // nil means slog.Default
}

// Limits of the server. A device of 80 users needs far less.
const (
	maxConns         = 256
	maxConnsPerAddr  = 32
	maxHeaderBytes   = 16 << 10
	maxStreamsOfConn = 16       // requests of one connection at a time (RFC 9113 section 5.1.2); browsers keep further ones back
	maxReceived      = 64 << 10 // bytes of a connection that wait to be read (RFC 9113 section 6.9); http.HTTP2Config takes no less
	maxBodyBytes     = 64 << 10
	readTimeout      = 30 * time.Second
	writeTimeout     = 60 * time.Second
	idleTimeout      = 2 * time.Minute
	stopTimeout      = 3 * time.Second
	redirectTimeout  = 10 * time.Second
)

// Server answers the web port of the device.
type Server struct {
	Deps
	started     time.Time
	actions     []string                     // that the operations write into the audit log
	titles      map[string]map[string]string // of parameters, by language and English title
	device      tls.Certificate              // the device's own
	serving     atomic.Pointer[servedCertificate]
	api         huma.API
	handler     http.Handler
	sessions    *sessions
	backoff     *backoff
	pins        pbx.PINs
	logins      chan struct{} // one element for each PIN being verified or waiting for it
	knownLogins chan struct{} // the same for known addresses
	streams     *streams
	notices     *notices
	unwatch     func()
	stopOnce    sync.Once
	stopping    chan struct{} // closed when event streams must end

	license     *licenseKeeper
	pictures    *picture.Decoder
	intake      *intake       // counts the memory of request bodies
	commits     *quota        // changes of the configuration by each plain user
	acts        *quota        // changes of anything by each plain user
	outgoing    *intake       // counts the memory of large answers
	uploads     uploadPlaces  // of those who work on a file
	decoding    uploadPlaces  // of those who decode a picture, or wait for it
	mailTest    chan struct{} // one element while a test mail is on its way
	directories sync.Mutex    // held while contacts are checked and written
	drafts      sync.Mutex    // held while uncommitted settings are read and written
}

// New prepares the server. At the first start it makes the device certificate
// and keeps it with SetSecret.
func New(ctx context.Context, d Deps) (*Server, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Traces == nil {
		d.Traces = (*ladder.Recorder)(nil)
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	s := &Server{
		Deps:        d,
		started:     d.Now(),
		sessions:    newSessions(),
		backoff:     newBackoff(),
		actions:     phoneActs(),
		logins:      make(chan struct{}, maxLogins),
		knownLogins: make(chan struct{}, maxKnownLogins),
		streams:     newStreams(),
		notices:     newNotices(),
		stopping:    make(chan struct{}),
		pictures:    picture.NewDecoder(),
		intake:      newIntake(),
		commits:     newQuota(revisionsAnHour),
		acts:        newQuota(actsAnHour),
		outgoing:    newIntake(),
		uploads:     newUploadPlaces(maxUploads),
		decoding:    newUploadPlaces(1),
		mailTest:    make(chan struct{}, 1),
	}
	cfg, _ := d.Store.Current()
	cert, err := deviceCertificate(ctx, d.Store, cfg.Network, d.Log)
	if err != nil {
		return nil, fmt.Errorf("device certificate: %w", err)
	}
	s.device = cert
	if s.license, err = newLicenseKeeper(ctx, d); err != nil {
		return nil, err
	}
	s.serveCertificate(cfg)
	s.titles = parameterTitles(webroot.Files())
	page, err := newAssets(webroot.Files())
	if err != nil {
		return nil, fmt.Errorf("admin page: %w", err)
	}
	s.handler = s.routes(page)
	s.unwatch = d.Store.Watch(func(before, now *pbx.Config, r pbx.Revision) {
		s.sessions.follow(now)
		s.noticed(before, now, r.Author)
		s.serveCertificate(now)
	})
	return s, nil
}

// ServeHTTP answers one request, as on the TLS port.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve answers on https with TLS and, when redirect is not nil, sends plain
// HTTP there. It closes both and returns nil when ctx ends, after at most three
// seconds for the requests under way, or an error when a listener fails.
func (s *Server) Serve(ctx context.Context, https, redirect net.Listener) error {
	defer s.unwatch()
	mailing, stopMails := context.WithCancel(context.WithoutCancel(ctx)) // requests under way may still change something
	var mails sync.WaitGroup
	mails.Go(func() { s.writeNotices(mailing) })
	defer mails.Wait()
	defer stopMails()
	quiet := slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug) // handshake failures of strangers
	secure := &http.Server{
		Handler:           s.handler,
		TLSConfig:         s.tlsConfig(),
		ConnContext:       withConn,
		ReadHeaderTimeout: redirectTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreamsOfConn,
			MaxReceiveBufferPerConnection: maxReceived,
			MaxReceiveBufferPerStream:     maxReceived,
		},
		ErrorLog: quiet,
	}
	plain := &http.Server{
		Handler:        redirectTo(https.Addr()),
		ReadTimeout:    redirectTimeout,
		WriteTimeout:   redirectTimeout,
		IdleTimeout:    redirectTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       quiet,
	}
	failed := make(chan error, 2)
	go func() {
		failed <- fmt.Errorf("serve https on %s: %w", https.Addr(), secure.ServeTLS(limitConns(https, maxConns, maxConnsPerAddr), "", ""))
	}()
	servers := 1
	if redirect != nil {
		servers++
		go func() {
			failed <- fmt.Errorf("serve http on %s: %w", redirect.Addr(), plain.Serve(limitConns(redirect, maxConns, maxConnsPerAddr)))
		}()
	}
	var first error
	select {
	case first = <-failed:
		servers--
	case <-ctx.Done():
	}
	s.stopOnce.Do(func() { close(s.stopping) })
	s.stop(secure, plain)
	for range servers {
		if err := <-failed; !errors.Is(err, http.ErrServerClosed) && first == nil {
			first = err
		}
	}
	return first
}

// stop waits for the requests under way, then closes what is left. All servers
// share one time limit.
func (s *Server) stop(servers ...*http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var wg sync.WaitGroup
	for _, srv := range servers {
		wg.Go(func() {
			if err := srv.Shutdown(ctx); err != nil {
				s.Log.Warn("web requests cut off at stop", "err", err)
				srv.Close() // its error tells nothing that Shutdown has not
			}
		})
	}
	wg.Wait()
}
