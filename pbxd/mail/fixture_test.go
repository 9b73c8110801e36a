package mail

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// memoryQueue is a Queue that keeps nothing over its end.
type memoryQueue struct {
	mu     sync.Mutex
	last   int64
	jobs   map[int64]pbx.MailJob
	broken error // of MailDone and MailFailed
}

func newQueue() *memoryQueue { return &memoryQueue{jobs: map[int64]pbx.MailJob{}} }

func (q *memoryQueue) EnqueueMail(_ context.Context, j pbx.MailJob) (int64, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last++
	j.ID = q.last
	q.jobs[j.ID] = j
	return j.ID, nil
}

func (q *memoryQueue) DueMail(_ context.Context, now time.Time, limit int) (due []pbx.MailJob, _ error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range q.jobs {
		if j.State == "waiting" && !j.Next.After(now) {
			due = append(due, j)
		}
	}
	slices.SortFunc(due, func(a, b pbx.MailJob) int { return cmp.Or(a.Next.Compare(b.Next), cmp.Compare(a.ID, b.ID)) })
	return due[:min(limit, len(due))], nil
}

func (q *memoryQueue) MailDone(ctx context.Context, id int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken != nil {
		return q.broken
	}
	if _, ok := q.jobs[id]; !ok {
		return fmt.Errorf("mail %d is not queued", id)
	}
	delete(q.jobs, id)
	return nil
}

func (q *memoryQueue) MailFailed(_ context.Context, id int64, attempt int, next time.Time, reason string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken != nil {
		return q.broken
	}
	j, ok := q.jobs[id]
	if !ok {
		return fmt.Errorf("mail %d is not queued", id)
	}
	j.Attempts, j.Next, j.Reason, j.State = attempt, next, reason, "waiting"
	if next.IsZero() {
		j.State = "failed"
	}
	q.jobs[id] = j
	return nil
}

func (q *memoryQueue) MailJobs(context.Context) (all []pbx.MailJob, _ error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range q.jobs {
		j.Attachments, j.Text = nil, ""
		all = append(all, j)
	}
	return all, nil
}

func (q *memoryQueue) DeleteMail(_ context.Context, id int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.jobs, id)
	return nil
}

func (q *memoryQueue) breakWith(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.broken = err
}

// age makes all jobs older.
func (q *memoryQueue) age(d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for id, j := range q.jobs {
		j.Created = j.Created.Add(-d)
		q.jobs[id] = j
	}
}

// get returns a job and whether it is still there.
func (q *memoryQueue) get(id int64) (pbx.MailJob, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	j, ok := q.jobs[id]
	return j, ok
}

// logged is a log that tests can read.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// device is an Outbox with everything that it needs.
type device struct {
	*Outbox
	queue *memoryQueue
	log   *logged
	key   pbx.DeviceKey

	mu     sync.Mutex
	config pbx.Config
	saved  []string // refresh tokens
}

// newDevice makes a device that trusts roots and sends with the given settings.
func newDevice(t *testing.T, roots *x509.CertPool, m pbx.MailSettings, password string) *device {
	t.Helper()
	d := &device{queue: newQueue(), log: &logged{}, key: pbx.NewDeviceKey()}
	d.set(m, password)
	d.Outbox = New(Deps{
		Config: func() *pbx.Config {
			d.mu.Lock()
			defer d.mu.Unlock()
			c := d.config
			return &c
		},
		Queue: d.queue, Open: d.key.Open, Hostname: func() string { return "galilei" }, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})), TLS: roots,
		SaveRefreshToken: func(_ context.Context, _, s pbx.Secret) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.saved = append(d.saved, s.Reveal())
			d.config.Mail.Password = d.key.Seal(pbx.MailPasswordPurpose, s)
			return nil
		},
	})
	short := 5 * time.Second // a loopback server answers at once
	d.limit(limits{dial: short, step: short, block: short, final: short, quit: time.Second, test: 20 * time.Second, token: short})
	return d
}

func (d *device) limit(l limits) {
	d.reach.limits = l
	d.tokens.reach.limits = l
}

// set changes the mail settings, as an administrator does.
func (d *device) set(m pbx.MailSettings, password string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.config.Mail = pbx.Mail{MailSettings: m}
	if password != "" {
		d.config.Mail.Password = d.key.Seal(pbx.MailPasswordPurpose, pbx.Secret(password))
	}
}

// settingsFor returns settings for the server at addr.
func settingsFor(t *testing.T, addr net.Addr, change func(*pbx.MailSettings)) pbx.MailSettings {
	t.Helper()
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	m := pbx.MailSettings{
		Enabled: true, SenderAddress: "pbx@example.com", SenderName: "Galilei PBX", Server: host, Port: n, Security: "none", Method: "plain",
	}
	if change != nil {
		change(&m)
	}
	return m
}

// authority is a certificate authority for one test.
type authority struct {
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
	roots *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t), roots: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.roots.AddCert(a.cert)
	return a
}

// issue makes a certificate for the given name or address, good until end.
func (a *authority) issue(t *testing.T, name string, end time.Time) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: end, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// wantFault fails the test unless err is an *Error of the given step and fault.
func wantFault(t *testing.T, err error, step Step, fault Fault) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want a mail.Error of fault %s", err, fault)
	}
	if e.Step != step || e.Fault != fault {
		t.Fatalf("got step %s, fault %s (%v), want %s, %s", e.Step, e.Fault, err, step, fault)
	}
	return e
}

func testMessage(to string) Message {
	return Message{ID: "galilei.1.1", Date: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), To: to, Subject: "Hello", Text: "Text\n"}
}
