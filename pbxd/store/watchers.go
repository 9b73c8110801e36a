package store

import (
	"maps"
	"slices"
	"sync"
)

// watchers are functions that want to be called.
type watchers[F any] struct {
	mu     sync.Mutex
	byID   map[int]F
	nextID int
}

// add enters fn. stop takes it out; a second stop does nothing.
func (w *watchers[F]) add(fn F) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := w.nextID
	w.nextID++
	if w.byID == nil {
		w.byID = map[int]F{}
	}
	w.byID[id] = fn
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.byID, id)
	}
}

// all returns the functions in the order in which they came.
func (w *watchers[F]) all() []F {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]F, 0, len(w.byID))
	for _, id := range slices.Sorted(maps.Keys(w.byID)) {
		list = append(list, w.byID[id])
	}
	return list
}

// clear takes all of them out.
func (w *watchers[F]) clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.byID)
}
