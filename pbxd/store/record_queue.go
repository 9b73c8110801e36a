package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"galilei/pbxd/pbx"
)

// Limits of the call records that wait to be written.
const (
	maxRecordsWaiting = 5000 // ten seconds of 500 calls a second
	maxRecordBatch    = 500  // in one transaction, so that others are not kept waiting
	// recordDelay leaves half of the 200 ms, within which a record is on the disk,
	// to the disk.
	recordDelay    = 100 * time.Millisecond
	maxRecordField = 100 // runes
	maxRecordLegs  = 100 // of one call
)

// records holds the call records that are not written yet.
type records struct {
	queue[pbx.CallRecord]
	clock    recordClock
	watchers watchers[func()]
	doomed   doomed
	trim     chan struct{} // has an element when the rules for keeping have changed

	few, most int // maxLookup, maxListed, save in tests
	asked     func(query string, args []any)
}

func (r *records) init(now time.Time) {
	r.filled, r.trim = make(chan struct{}, 1), make(chan struct{}, 1)
	r.few, r.most = maxLookup, maxListed
	r.clock.wall, r.clock.begun = now.Round(0), time.Now()
}

// NoteRecord takes the record of a call that has ended, with its legs. It never
// waits: the record is on the disk within 200 ms, together with others, and when
// 5,000 wait because the disk takes none, further ones are lost, which
// RecordsLost and the log tell. Its ID is given then. Texts are cut at 100
// characters, legs beyond 100 are left out.
func (s *Store) NoteRecord(r pbx.CallRecord) {
	// What came in a message of 64 KiB must not wait as a whole.
	keep := func(texts ...*string) {
		for _, text := range texts {
			*text = strings.Clone(clipped(*text, maxRecordField))
		}
	}
	keep(&r.Call, &r.Dialled, &r.DialledE, &r.GatewayIn, &r.GroupIn, &r.GatewayOut, &r.GroupOut)
	r.Legs = append([]pbx.RecordLeg(nil), r.Legs[:min(len(r.Legs), maxRecordLegs)]...)
	parties := []*pbx.RecordParty{&r.Caller, &r.Target}
	for i := range r.Legs {
		parties = append(parties, &r.Legs[i].Party)
		keep(&r.Legs[i].Gateway, &r.Legs[i].Payer)
	}
	for _, p := range parties {
		keep(&p.Number, &p.E164, &p.Name, &p.User)
	}
	if r.Ended.IsZero() {
		r.Ended = s.opts.Now()
	}
	if r.Began.IsZero() {
		r.Began = r.Ended
	}
	r.Ring, r.Talk = max(r.Ring, 0), max(r.Talk, 0)
	if s.records.add(r, maxRecordsWaiting) {
		s.opts.Log.Error("call records do not keep up: calls are not recorded", "waiting", maxRecordsWaiting)
	}
}

// RecordsLost returns how many call records were lost since the disk takes none;
// 0 as soon as it takes some again.
func (s *Store) RecordsLost() int { return s.records.lostNow() }

// WatchRecords has fn called after call records were written, or deleted by hand.
// fn must not block.
func (s *Store) WatchRecords(fn func()) (stop func()) { return s.records.watchers.add(fn) }

func (r *records) tell() {
	for _, told := range r.watchers.all() {
		told()
	}
}

// keepRecords writes call records until ctx ends.
func (s *Store) keepRecords(ctx context.Context) {
	s.records.keep(ctx, recordDelay, s.writeRecords, func(err error) {
		s.opts.Log.Error("call records not written; trying again every second", "err", err)
	})
}

// writeRecords writes what waits until it is done or the disk refuses.
func (s *Store) writeRecords(ctx context.Context) error {
	s.records.writing.Lock()
	defer s.records.writing.Unlock()
	for {
		batch := s.records.first(maxRecordBatch)
		if len(batch) == 0 {
			return nil
		}
		numbering := s.numbering()
		if err := s.settleRecords(ctx); err != nil {
			return fmt.Errorf("store: set the time of call records: %w", err)
		}
		err := s.db.write(ctx, durable, func(tx writeTx) error { return s.insertRecords(ctx, tx, numbering, batch) })
		if err != nil {
			return fmt.Errorf("store: write %d call records: %w", len(batch), err)
		}
		if lost := s.records.drop(len(batch)); lost > 0 {
			s.opts.Log.Error("call records keep up again; some were lost", "lost", lost)
		}
		s.records.tell()
	}
}

func (s *Store) insertRecords(ctx context.Context, tx writeTx, numbering pbx.Numbering, batch []pbx.CallRecord) error {
	shift, estimated, err := s.recordShift(ctx, tx)
	if err != nil {
		return fmt.Errorf("look at the clock: %w", err)
	}
	whole, err := tx.PrepareContext(ctx, `INSERT INTO cdr (call, direction, result, cause, toll, hidden, estimated, began, answered, ended, ring, talk,
		caller_number, caller_e164, caller_name, caller_user, dialled, dialled_e164, target_number, target_e164, target_name, target_user,
		gateway_in, group_in, gateway_out, group_out, caller_key, target_key, caller_name_key, target_name_key)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer whole.Close()
	leg, err := tx.PrepareContext(ctx, `INSERT INTO cdr_leg (cdr, position, number, e164, name, user, gateway, began, answered, ended, act, payer, toll, cause)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer leg.Close()
	for i := range batch {
		if err := insertRecord(ctx, whole, leg, numbering, &batch[i], shift, estimated); err != nil {
			return err
		}
	}
	return nil
}

// insertRecord writes one record. Times of a clock that was not set are moved by
// shift, which is an estimate or not.
func insertRecord(ctx context.Context, whole, leg *sql.Stmt, numbering pbx.Numbering, r *pbx.CallRecord, shift time.Duration, estimated bool) error {
	unset := !clockIsSet(r.Began)
	began := moved(r.Began, shift)
	// A clock that is set during a call must not make it end before it begins.
	answered, ended := moved(r.Answered, shift), max(moved(r.Ended, shift), began)
	if answered != 0 {
		answered = min(max(answered, began), ended)
	}
	target := r.Target
	if target.Number == "" {
		target.Number, target.E164 = r.Dialled, r.DialledE
	}
	done, err := whole.ExecContext(ctx, r.Call, string(r.Direction), string(r.Result), int(r.Cause), string(r.Toll), r.Hidden, estimated && unset,
		began, answered, ended, r.Ring, r.Talk, r.Caller.Number, r.Caller.E164, r.Caller.Name, r.Caller.User, r.Dialled, r.DialledE,
		r.Target.Number, r.Target.E164, r.Target.Name, r.Target.User, r.GatewayIn, r.GroupIn, r.GatewayOut, r.GroupOut,
		recordKey(numbering, r.Caller), recordKey(numbering, target), nameKey(r.Caller.Name), nameKey(r.Target.Name))
	if err != nil {
		return err
	}
	id, err := done.LastInsertId()
	if err != nil {
		return err
	}
	for i := range r.Legs {
		l := &r.Legs[i]
		if _, err := leg.ExecContext(ctx, id, i, l.Party.Number, l.Party.E164, l.Party.Name, l.Party.User, l.Gateway,
			moved(l.Began, shift), moved(l.Answered, shift), moved(l.Ended, shift), string(l.Act), l.Payer, string(l.Toll), int(l.Cause)); err != nil {
			return err
		}
	}
	return nil
}

// recordKey is what numbers are compared by.
func recordKey(n pbx.Numbering, p pbx.RecordParty) string {
	if p.E164 != "" {
		return p.E164
	}
	return n.Key(p.Number)
}

// numbering is how numbers are written in the country of the device. Keys do not
// depend on the area code: an extension may look like a number of the own city.
func (s *Store) numbering() pbx.Numbering {
	c, _ := s.Current()
	return numberingOf(c, "")
}

// asked is how numbers are written that people look for: those of the own city
// without its area code, too.
func (s *Store) asked() pbx.Numbering {
	c, _ := s.Current()
	return numberingOf(c, c.Locale.AreaCode)
}

func numberingOf(c *pbx.Config, area string) pbx.Numbering {
	country, _ := pbx.CountryByCode(c.Locale.Country) // of none: only numbers with a plus are E.164
	return country.Numbering(area)
}
