package pbx

import "errors"

// Errors of what keeps contacts, pictures, drafts, mails and pending changes.
// A caller tells them apart with errors.Is.
var (
	// ErrTooMany says that there is no room for another: the limit of the list
	// is reached. Nothing was added.
	ErrTooMany = errors.New("there are too many; delete some first")
	// ErrDamaged says that what was kept cannot be read any more.
	ErrDamaged = errors.New("damaged")
	// ErrPending says that a change waits to be confirmed already. It must be
	// confirmed or reverted before the next.
	ErrPending = errors.New("another change waits to be confirmed")
)
