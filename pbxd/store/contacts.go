package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"galilei/pbxd/pbx"
)

// contactColumns are the columns of a contact as scanContact reads them.
const contactColumns = `id, first_name, last_name, email, company, office, office_quickdial,
	mobile, mobile_quickdial, home, home_quickdial, image`

func scanContact(row interface{ Scan(...any) error }) (c pbx.Contact, err error) {
	err = row.Scan(&c.ID, &c.FirstName, &c.LastName, &c.Email, &c.Company, &c.Office, &c.OfficeQuickdial,
		&c.Mobile, &c.MobileQuickdial, &c.Home, &c.HomeQuickdial, &c.Image)
	return c, err
}

// contactValues returns what is stored of c, in the order of contactColumns
// and then of its keys.
func contactValues(c *pbx.Contact) []any {
	return []any{c.ID, c.FirstName, c.LastName, c.Email, c.Company, c.Office, c.OfficeQuickdial,
		c.Mobile, c.MobileQuickdial, c.Home, c.HomeQuickdial, c.Image,
		sortKey(c.FirstName), sortKey(c.LastName), sortKey(c.Company), sortKey(c.Email),
		digits(c.Office), digits(c.Mobile), digits(c.Home)}
}

// Contact returns one contact of the directory of owner, the ID of a user, or
// "" for the global directory. The error is fs.ErrNotExist when there is none.
func (s *Store) Contact(ctx context.Context, owner, id string) (pbx.Contact, error) {
	c, err := scanContact(s.db.readers.QueryRowContext(ctx, "SELECT "+contactColumns+" FROM contact WHERE owner = ? AND id = ?", owner, id))
	if errors.Is(err, sql.ErrNoRows) {
		return c, noContact(id)
	}
	if err != nil {
		return c, fmt.Errorf("store: read contact %q: %w", id, s.db.reading(err))
	}
	return c, nil
}

func noContact(id string) error { return fmt.Errorf("store: contact %q: %w", id, fs.ErrNotExist) }

// AddContacts adds all of list to a directory, durably and in that order, or
// nothing of it. The caller has given each an ID that no other contact of the
// directory has. The error is pbx.ErrTooMany when the directory would hold more than
// 20,000 contacts, or 1,000 when it is private.
func (s *Store) AddContacts(ctx context.Context, owner string, list []pbx.Contact) error {
	if len(list) == 0 {
		return nil
	}
	limit := pbx.MaxPrivateContacts
	if owner == "" {
		limit = pbx.MaxGlobalContacts
	}
	return s.db.writeOrRefuse(ctx, fmt.Sprintf("add %d contacts", len(list)), func(tx writeTx) error {
		var held int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM contact WHERE owner = ?", owner).Scan(&held); err != nil {
			return err
		}
		if held+len(list) > limit {
			return refusal{fmt.Errorf("store: add %d contacts to %d; at most %d are kept: %w", len(list), held, limit, pbx.ErrTooMany)}
		}
		return insertContacts(ctx, tx, owner, list)
	})
}

func insertContacts(ctx context.Context, tx writeTx, owner string, list []pbx.Contact) error {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO contact (owner, `+contactColumns+`,
		first_key, last_key, company_key, email_key, office_key, mobile_key, home_key)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for i := range list {
		if list[i].ID == "" {
			return refusal{fmt.Errorf("store: add contacts: contact %d has no ID", i)}
		}
		if _, err := insert.ExecContext(ctx, append([]any{owner}, contactValues(&list[i])...)...); err != nil {
			return fmt.Errorf("contact %d: %w", i, err)
		}
	}
	return nil
}

// ChangeContact stores durably what change makes of a contact and returns it.
// The ID stays whatever change does to it. The error is that of change, as it
// is, or fs.ErrNotExist; nothing has changed then. change must not call the
// store.
func (s *Store) ChangeContact(ctx context.Context, owner, id string, change func(*pbx.Contact) error) (pbx.Contact, error) {
	var c pbx.Contact
	err := s.db.writeOrRefuse(ctx, fmt.Sprintf("change contact %q", id), func(tx writeTx) (err error) {
		if c, err = contactToWrite(ctx, tx, owner, id, change); err != nil {
			return err
		}
		c.ID = id
		_, err = tx.ExecContext(ctx, `UPDATE contact SET (`+contactColumns+`,
			first_key, last_key, company_key, email_key, office_key, mobile_key, home_key)
			= (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE owner = ? AND id = ?`,
			append(contactValues(&c), owner, id)...)
		return err
	})
	return c, err
}

// DeleteContact deletes a contact durably when check allows it; nil allows
// all. The error is that of check, as it is, or fs.ErrNotExist. check must not
// call the store.
func (s *Store) DeleteContact(ctx context.Context, owner, id string, check func(pbx.Contact) error) error {
	return s.db.writeOrRefuse(ctx, fmt.Sprintf("delete contact %q", id), func(tx writeTx) error {
		_, err := contactToWrite(ctx, tx, owner, id, func(c *pbx.Contact) error {
			if check == nil {
				return nil
			}
			return check(*c)
		})
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM contact WHERE owner = ? AND id = ?", owner, id)
		return err
	})
}

// contactToWrite reads a contact within a write and lets allow look at it.
func contactToWrite(ctx context.Context, tx writeTx, owner, id string, allow func(*pbx.Contact) error) (pbx.Contact, error) {
	c, err := scanContact(tx.QueryRowContext(ctx, "SELECT "+contactColumns+" FROM contact WHERE owner = ? AND id = ?", owner, id))
	if errors.Is(err, sql.ErrNoRows) {
		return c, refusal{noContact(id)}
	}
	if err != nil {
		return c, fmt.Errorf("read it: %w", err)
	}
	if err := allow(&c); err != nil {
		return c, refusal{err}
	}
	return c, nil
}

// DeleteContacts deletes all contacts of a directory durably and returns how
// many there were.
func (s *Store) DeleteContacts(ctx context.Context, owner string) (int, error) {
	var n int64
	err := s.db.write(ctx, durable, func(tx writeTx) error {
		done, err := tx.ExecContext(ctx, "DELETE FROM contact WHERE owner = ?", owner)
		if err != nil {
			return err
		}
		n, err = done.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store: delete contacts: %w", err)
	}
	return int(n), nil
}
