package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
)

// Workers of fsck. Each one that meets damage ends, and a check whose workers have all ended never returns; see watch.
const fsckWorkers = 8

// How often the watch looks, and after how many looks without anything read a check that has met damage counts as stuck.
const (
	watchPause = 100 * time.Millisecond
	stuckLooks = 10
)

// watched is a log at one checkpoint, whatever it grows to meanwhile. It tells when fsck has begun to read: only then its status may be
// asked for.
type watched struct {
	fsck.Fetcher
	checkpoint []byte
	once       sync.Once
	begun      chan struct{}
}

func (w *watched) ReadCheckpoint(context.Context) ([]byte, error) { return w.checkpoint, nil }

func (w *watched) ReadEntryBundle(ctx context.Context, index uint64, width uint8) ([]byte, error) {
	w.once.Do(func() { close(w.begun) })
	return w.Fetcher.ReadEntryBundle(ctx, index, width)
}

// leafHashes is how fsck learns what an entry bundle hashes to.
func leafHashes(raw []byte) ([][]byte, error) {
	var bundle api.EntryBundle
	if err := bundle.UnmarshalText(raw); err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(bundle.Entries))
	for _, entry := range bundle.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// runFsck lets Tessera rebuild the whole tree from the entry bundles and compare every tile of the newest checkpoint.
func runFsck(ctx context.Context, t task) (report, error) {
	origin := t.verifier.Name()
	checkpoint, raw, _, err := client.FetchCheckpoint(ctx, t.source.tessera.ReadCheckpoint, t.verifier, origin)
	if err != nil {
		return report{}, refuse("checkpoint", err)
	}
	fetcher := &watched{Fetcher: t.source.tessera, checkpoint: raw, begun: make(chan struct{})}
	checker := fsck.New(origin, t.verifier, fetcher, leafHashes, fsck.Opts{N: fsckWorkers})
	done := make(chan error, 1)
	go func() {
		// A bundle with too few entries makes fsck read beyond a slice.
		defer func() {
			if reason := recover(); reason != nil {
				done <- fmt.Errorf("gave up: %v", reason)
			}
		}()
		done <- checker.Check(ctx)
	}()
	if err := watch(checker, fetcher.begun, done); err != nil {
		return report{}, refuse("check", err)
	}
	return report{Size: checkpoint.Size, Root: base64.StdEncoding.EncodeToString(checkpoint.Hash)}, nil
}

// watch waits for the check, or for damage that the check has met but, its workers gone, cannot report.
func watch(checker *fsck.Fsck, begun <-chan struct{}, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-begun:
	}
	idle := 0
	for {
		select {
		case err := <-done:
			return err
		case <-time.After(watchPause):
		}
		status := checker.Status()
		damage := damageIn(status)
		if damage == "" || status.ResourcesFetched > 0 {
			idle = 0
			continue
		}
		idle++
		if idle == stuckLooks {
			return fmt.Errorf("stuck at %s", damage)
		}
	}
}

// damageIn names the first resources that fsck found wrong.
func damageIn(status fsck.Status) string {
	for level, ranges := range status.TileRanges {
		for _, found := range ranges {
			if found.State == fsck.Invalid || found.State == fsck.FetchError {
				return fmt.Sprintf("tile/%d: %s", level, found.String())
			}
		}
	}
	for _, found := range status.EntryRanges {
		if found.State == fsck.Invalid || found.State == fsck.FetchError {
			return fmt.Sprintf("tile/entries: %s", found.String())
		}
	}
	return ""
}
