package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"galilei/pbxd/pbx"
)

// migrations returns the steps from an empty file to the schema of today, in
// order. A step that has been released is never changed: add another. Times
// are in milliseconds since 1970, UTC.
func migrations() []string {
	return []string{
		// 1: revisions, registrations, audit log, secrets.
		`
		CREATE TABLE revision (
			number  INTEGER PRIMARY KEY,
			time    INTEGER NOT NULL,
			author  TEXT NOT NULL,
			comment TEXT NOT NULL,
			size    INTEGER NOT NULL, -- of config and changes, in bytes; before them, so that reading it is cheap
			changes BLOB NOT NULL,    -- []pbx.Change against the revision before, JSON, gzip
			config  BLOB NOT NULL     -- pbx.Config, JSON, gzip (whose checksum finds damage)
		);
		CREATE TABLE registration (
			extension TEXT NOT NULL,
			position  INTEGER NOT NULL, -- order among the extension's phones
			expires   INTEGER NOT NULL,
			binding   TEXT NOT NULL,    -- pbx.Registration, JSON
			PRIMARY KEY (extension, position)
		) WITHOUT ROWID;
		CREATE TABLE audit (
			id     INTEGER PRIMARY KEY AUTOINCREMENT,
			time   INTEGER NOT NULL,
			actor  TEXT NOT NULL,
			action TEXT NOT NULL,
			object TEXT NOT NULL,
			client TEXT NOT NULL
		);
		CREATE TABLE secret (
			name   TEXT PRIMARY KEY,
			sealed TEXT NOT NULL -- pbx.Sealed
		) WITHOUT ROWID;
		CREATE TABLE heartbeat (
			id   INTEGER PRIMARY KEY CHECK (id = 1),
			time INTEGER NOT NULL
		);
		`,
		// 2: contacts, pictures, drafts, mail queue, pending change; the audit log knows in whose name.
		`
		CREATE TABLE contact (
			seq              INTEGER PRIMARY KEY AUTOINCREMENT, -- order of entry
			owner            TEXT NOT NULL, -- ID of a user; '' for the global directory
			id               TEXT NOT NULL,
			first_name       TEXT NOT NULL,
			last_name        TEXT NOT NULL,
			email            TEXT NOT NULL,
			company          TEXT NOT NULL,
			office           TEXT NOT NULL,
			office_quickdial TEXT NOT NULL,
			mobile           TEXT NOT NULL,
			mobile_quickdial TEXT NOT NULL,
			home             TEXT NOT NULL,
			home_quickdial   TEXT NOT NULL,
			image            TEXT NOT NULL,
			first_key        TEXT NOT NULL, -- keys as sortKey and digits make them
			last_key         TEXT NOT NULL,
			company_key      TEXT NOT NULL,
			email_key        TEXT NOT NULL,
			office_key       TEXT NOT NULL,
			mobile_key       TEXT NOT NULL,
			home_key         TEXT NOT NULL,
			UNIQUE (owner, id)
		);
		CREATE INDEX contact_last ON contact (owner, last_key, first_key);
		CREATE INDEX contact_first ON contact (owner, first_key, last_key);
		CREATE INDEX contact_company ON contact (owner, company_key, last_key, first_key);
		CREATE INDEX contact_email ON contact (owner, email_key);
		CREATE INDEX contact_office ON contact (owner, office_key);
		CREATE INDEX contact_mobile ON contact (owner, mobile_key);
		CREATE INDEX contact_home ON contact (owner, home_key);
		CREATE INDEX contact_image ON contact (image) WHERE image <> '';
		CREATE TABLE orphan (
			owner TEXT PRIMARY KEY, -- of private contacts, but no user any more
			since INTEGER NOT NULL
		) WITHOUT ROWID;
		CREATE TABLE picture (
			seq  INTEGER PRIMARY KEY AUTOINCREMENT, -- order of the last upload
			hash TEXT NOT NULL UNIQUE,
			size INTEGER NOT NULL, -- of jpeg, in bytes
			jpeg BLOB NOT NULL
		);
		CREATE TABLE draft (
			path   TEXT PRIMARY KEY,
			value  TEXT NOT NULL, -- JSON
			author TEXT NOT NULL,
			time   INTEGER NOT NULL
		) WITHOUT ROWID;
		CREATE TABLE mail (
			id          INTEGER PRIMARY KEY AUTOINCREMENT,
			created     INTEGER NOT NULL,
			next        INTEGER NOT NULL, -- 0 when it was given up
			attempts    INTEGER NOT NULL,
			kind        TEXT NOT NULL,
			recipient   TEXT NOT NULL,
			subject     TEXT NOT NULL,
			state       TEXT NOT NULL CHECK (state IN ('waiting', 'failed')),
			reason      TEXT NOT NULL,
			size        INTEGER NOT NULL, -- of text and attachments, in bytes
			text        TEXT NOT NULL,
			attachments BLOB NOT NULL -- []pbx.MailAttachment, JSON
		);
		CREATE INDEX mail_due ON mail (state, next);
		CREATE TABLE pending (
			one      INTEGER PRIMARY KEY CHECK (one = 1), -- one change waits at a time
			id       TEXT NOT NULL,
			section  TEXT NOT NULL,
			revision INTEGER NOT NULL,
			author   TEXT NOT NULL,
			comment  TEXT NOT NULL,
			begun    INTEGER NOT NULL,
			deadline INTEGER NOT NULL,
			altered  TEXT NOT NULL -- []altered, JSON
		);
		ALTER TABLE audit ADD COLUMN as_user TEXT NOT NULL DEFAULT '';
		CREATE INDEX audit_actor ON audit (actor, id);
		CREATE INDEX audit_as ON audit (as_user, id) WHERE as_user <> '';
		CREATE INDEX audit_action ON audit (action, id);
		CREATE INDEX audit_time ON audit (time);
		`,
		// 3: comments as messages, which are shown in the reader's language.
		`
		ALTER TABLE revision ADD COLUMN message TEXT NOT NULL DEFAULT ''; -- pbx.Message, JSON; '' when the comment is all there is
		ALTER TABLE pending ADD COLUMN message TEXT NOT NULL DEFAULT '';
		`,
		// 4: the newest time that was believed.
		`
		CREATE TABLE clock (
			one    INTEGER PRIMARY KEY CHECK (one = 1),
			newest INTEGER NOT NULL
		);
		`,
		// 5: who is logged in at which phone, text messages, reminders that have rung, quick dials.
		`
		CREATE TABLE desk (
			phone TEXT PRIMARY KEY,     -- ID of the user whose phone it is
			user  TEXT NOT NULL UNIQUE, -- ID of the user who is logged in there
			since INTEGER NOT NULL
		) WITHOUT ROWID;
		CREATE TABLE text (
			id        INTEGER PRIMARY KEY AUTOINCREMENT,
			user      TEXT NOT NULL, -- ID of the receiver
			number    TEXT NOT NULL, -- of the sender
			name      TEXT NOT NULL,
			time      INTEGER NOT NULL,
			delivered INTEGER NOT NULL, -- whether a phone has taken it
			body      TEXT NOT NULL
		);
		CREATE INDEX text_user ON text (user, id);
		CREATE TABLE reminder (
			user TEXT PRIMARY KEY, -- ID
			due  INTEGER NOT NULL  -- of the last one that is done
		) WITHOUT ROWID;
		CREATE INDEX contact_office_quickdial ON contact (owner, office_quickdial) WHERE office_quickdial <> '';
		CREATE INDEX contact_mobile_quickdial ON contact (owner, mobile_quickdial) WHERE mobile_quickdial <> '';
		CREATE INDEX contact_home_quickdial ON contact (owner, home_quickdial) WHERE home_quickdial <> '';
		`,
		// 6: journals. Call data of lines get a table of their own, with the same
		// call: a user may delete an entry of the journal.
		`
		CREATE TABLE journal (
			id         INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order in which calls ended
			user       TEXT NOT NULL, -- ID
			call       TEXT NOT NULL, -- ID; several users and entries may have the same
			direction  TEXT NOT NULL, -- pbx.CallDirection
			result     TEXT NOT NULL, -- pbx.CallResult
			number     TEXT NOT NULL, -- of the other side
			name       TEXT NOT NULL,
			hunt_group TEXT NOT NULL, -- title; '' for none
			time       INTEGER NOT NULL, -- when it began
			duration   INTEGER NOT NULL, -- of speech, in seconds
			unseen     INTEGER NOT NULL, -- 1 for a missed call that the user has not looked at
			name_key   TEXT NOT NULL, -- as nameKey and digits make them
			number_key TEXT NOT NULL
		);
		CREATE INDEX journal_user ON journal (user, id);
		CREATE INDEX journal_unseen ON journal (user, id) WHERE unseen = 1;
		`,
		// 7: call records, their legs, and their sums of a day (UTC), which triggers
		// keep right whatever happens to a record.
		`
		CREATE TABLE cdr (
			id              INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order in which calls ended
			call            TEXT NOT NULL, -- ID, that of the journals
			direction       TEXT NOT NULL, -- pbx.RecordDirection
			result          TEXT NOT NULL, -- pbx.RecordResult
			cause           INTEGER NOT NULL,
			toll            TEXT NOT NULL, -- pbx.TollClass
			hidden          INTEGER NOT NULL,
			estimated       INTEGER NOT NULL, -- 1 when the clock was not set
			began           INTEGER NOT NULL,
			answered        INTEGER NOT NULL, -- 0 when nobody did
			ended           INTEGER NOT NULL,
			ring            INTEGER NOT NULL, -- seconds
			talk            INTEGER NOT NULL, -- seconds
			caller_number   TEXT NOT NULL,
			caller_e164     TEXT NOT NULL,
			caller_name     TEXT NOT NULL,
			caller_user     TEXT NOT NULL, -- ID
			dialled         TEXT NOT NULL,
			dialled_e164    TEXT NOT NULL,
			target_number   TEXT NOT NULL,
			target_e164     TEXT NOT NULL,
			target_name     TEXT NOT NULL,
			target_user     TEXT NOT NULL, -- ID
			gateway_in      TEXT NOT NULL, -- IDs
			group_in        TEXT NOT NULL,
			gateway_out     TEXT NOT NULL,
			group_out       TEXT NOT NULL,
			caller_key      TEXT NOT NULL, -- E.164, or what is dialled where there is none
			target_key      TEXT NOT NULL,
			caller_name_key TEXT NOT NULL, -- as nameKey makes them
			target_name_key TEXT NOT NULL
		);
		-- The list, and all that filters look at, so that a search reads nothing else.
		CREATE INDEX cdr_list ON cdr (began, id, direction, result, ring, talk, gateway_in, gateway_out,
			caller_key, target_key, caller_user, target_user, caller_name_key, target_name_key);
		CREATE INDEX cdr_caller ON cdr (caller_key);
		CREATE INDEX cdr_target ON cdr (target_key);
		CREATE INDEX cdr_caller_user ON cdr (caller_user) WHERE caller_user <> '';
		CREATE INDEX cdr_target_user ON cdr (target_user) WHERE target_user <> '';
		CREATE INDEX cdr_call ON cdr (call);
		CREATE INDEX cdr_estimated ON cdr (id) WHERE estimated = 1;
		CREATE TABLE cdr_leg (
			cdr      INTEGER NOT NULL REFERENCES cdr (id) ON DELETE CASCADE,
			position INTEGER NOT NULL,
			number   TEXT NOT NULL,
			e164     TEXT NOT NULL,
			name     TEXT NOT NULL,
			user     TEXT NOT NULL,
			gateway  TEXT NOT NULL,
			began    INTEGER NOT NULL,
			answered INTEGER NOT NULL,
			ended    INTEGER NOT NULL,
			act      TEXT NOT NULL, -- pbx.RecordAct
			payer    TEXT NOT NULL, -- ID of the user on whose behalf it left
			toll     TEXT NOT NULL, -- pbx.TollClass, '' of who did not leave
			cause    INTEGER NOT NULL,
			PRIMARY KEY (cdr, position)
		) WITHOUT ROWID;
		CREATE INDEX cdr_leg_toll ON cdr_leg (ended) WHERE toll IN ('foreign', 'premium'); -- what limits are for
		CREATE TABLE cdr_day (
			day         INTEGER NOT NULL, -- since 1970
			direction   TEXT NOT NULL,
			result      TEXT NOT NULL,
			gateway_in  TEXT NOT NULL,
			gateway_out TEXT NOT NULL,
			calls       INTEGER NOT NULL,
			ring        INTEGER NOT NULL,
			talk        INTEGER NOT NULL,
			PRIMARY KEY (day, direction, result, gateway_in, gateway_out)
		) WITHOUT ROWID;
		CREATE TRIGGER cdr_added AFTER INSERT ON cdr BEGIN
			INSERT INTO cdr_day VALUES (new.began / 86400000, new.direction, new.result, new.gateway_in, new.gateway_out, 1, new.ring, new.talk)
				ON CONFLICT DO UPDATE SET calls = calls + 1, ring = ring + excluded.ring, talk = talk + excluded.talk;
		END;
		CREATE TRIGGER cdr_deleted AFTER DELETE ON cdr BEGIN
			UPDATE cdr_day SET calls = calls - 1, ring = ring - old.ring, talk = talk - old.talk
				WHERE day = old.began / 86400000 AND direction = old.direction AND result = old.result AND gateway_in = old.gateway_in AND gateway_out = old.gateway_out;
			DELETE FROM cdr_day WHERE day = old.began / 86400000 AND direction = old.direction AND result = old.result
				AND gateway_in = old.gateway_in AND gateway_out = old.gateway_out AND calls <= 0;
		END;
		CREATE TRIGGER cdr_moved AFTER UPDATE OF began ON cdr BEGIN
			UPDATE cdr_day SET calls = calls - 1, ring = ring - old.ring, talk = talk - old.talk
				WHERE day = old.began / 86400000 AND direction = old.direction AND result = old.result AND gateway_in = old.gateway_in AND gateway_out = old.gateway_out;
			DELETE FROM cdr_day WHERE day = old.began / 86400000 AND direction = old.direction AND result = old.result
				AND gateway_in = old.gateway_in AND gateway_out = old.gateway_out AND calls <= 0;
			INSERT INTO cdr_day VALUES (new.began / 86400000, new.direction, new.result, new.gateway_in, new.gateway_out, 1, new.ring, new.talk)
				ON CONFLICT DO UPDATE SET calls = calls + 1, ring = ring + excluded.ring, talk = talk + excluded.talk;
		END;
		`,
	}
}

// migrate takes the database through the steps that it has not seen, each in
// its own transaction together with its number (PRAGMA user_version).
func migrate(ctx context.Context, conn *sql.Conn, steps []string) error {
	var version int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if version > len(steps) {
		return fmt.Errorf("schema version is %d; this version knows %d: %w", version, len(steps), ErrNewer)
	}
	for i := version; i < len(steps); i++ {
		if err := migrateStep(ctx, conn, i+1, steps[i]); err != nil {
			return fmt.Errorf("migrate the schema from version %d to %d: %w", i, i+1, err)
		}
	}
	return nil
}

func migrateStep(ctx context.Context, conn *sql.Conn, number int, step string) error {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, step)
	if err == nil {
		_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", number))
	}
	if err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, rbErr := conn.ExecContext(ctx, "ROLLBACK")
		return errors.Join(err, rbErr)
	}
	return nil
}

// keyCheckName is the row of table secret that proves which key belongs to
// the database. No name that SetSecret accepts is empty.
const keyCheckName = ""

func putKeyCheck(ctx context.Context, tx writeTx, key pbx.DeviceKey) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO secret (name, sealed) VALUES (?, ?)",
		keyCheckName, string(key.Seal(secretPurpose(keyCheckName), "galilei")))
	return err
}

func checkKey(ctx context.Context, db *database, key pbx.DeviceKey) error {
	var sealed string
	err := db.readers.QueryRowContext(ctx, "SELECT sealed FROM secret WHERE name = ?", keyCheckName).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("the mark of the device key is missing: %w", ErrDamaged)
	}
	if err != nil {
		return fmt.Errorf("read the mark of the device key: %w", db.reading(err))
	}
	if _, err := key.Open(secretPurpose(keyCheckName), pbx.Sealed(sealed)); err != nil {
		return fmt.Errorf("%s does not belong to %s: %w", keyName, dbName, err)
	}
	return nil
}
