package main

import (
	"context"
	"encoding/binary"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Entries in a full bundle.
const bundleWidth = 256

// tiles is a tlog.TileReader over tlog-tiles paths, which leave out the height.
type tiles struct{ get func(string) ([]byte, error) }

func (tiles) Height() int { return 8 }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, err := t.get(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// openTree opens a checkpoint with nothing but x/mod. It knows no origins: the first line is compared here.
func openTree(raw []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(raw, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	origin, _, _ := strings.Cut(opened.Text, "\n")
	if origin != verifier.Name() {
		return tlog.Tree{}, refusef("origin", "%q, want %q", origin, verifier.Name())
	}
	// Apart from the origin in place of its own first line the text is that of the Go checksum database.
	return tlog.ParseTree([]byte("go.sum database tree\n" + strings.TrimPrefix(opened.Text, origin+"\n")))
}

// runSumdb reads a log with golang.org/x/mod/sumdb: every leaf hash comes from tiles that have led to the root.
func runSumdb(_ context.Context, t task) (report, error) {
	raw, err := t.source.get("checkpoint")
	if err != nil {
		return report{}, refuse("checkpoint", err)
	}
	tree, err := openTree(raw, t.verifier)
	if err != nil {
		return report{}, refuse("checkpoint", err)
	}
	reader := tlog.TileHashReader(tree, tiles{t.source.get})
	for _, note := range t.older {
		older, err := openTree(note, t.verifier)
		if err != nil {
			return report{}, refuse("older checkpoint", err)
		}
		if err := checkGrowth(older, tree, reader); err != nil {
			return report{}, err
		}
	}
	digest, proofs := newEntryDigest(), 0
	for first := int64(0); first < tree.N; first += bundleWidth {
		made, err := readBundle(t, tree, first, digest)
		if err != nil {
			return report{}, err
		}
		proofs += made
	}
	return report{Size: uint64(tree.N), Root: tree.Hash.String(), Entries: digest.String(), Proofs: proofs}, nil
}

// readBundle checks the entries of the bundle that begins at first and gives the number of proofs it made.
func readBundle(t task, tree tlog.Tree, first int64, digest entryDigest) (int, error) {
	width := min(tree.N-first, bundleWidth)
	tile := tlog.Tile{H: 8, L: -1, N: first / bundleWidth, W: int(width)}
	data, err := t.source.get("tile/entries/" + strings.TrimPrefix(tile.Path(), "tile/8/data/"))
	if err != nil {
		return 0, refuse("entry bundle", err)
	}
	reader := tlog.TileHashReader(tree, tiles{t.source.get})
	places := make([]int64, width)
	for i := range places {
		places[i] = tlog.StoredHashIndex(0, first+int64(i))
	}
	hashes, err := reader.ReadHashes(places)
	if err != nil {
		return 0, refuse("tiles", err)
	}
	proofs := 0
	for i := range hashes {
		index := first + int64(i)
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return 0, refusef("entry bundle", "entry %d is cut off", index)
		}
		entry := data[2 : 2+int(binary.BigEndian.Uint16(data))]
		data = data[2+len(entry):]
		if tlog.RecordHash(entry) != hashes[i] {
			return 0, refusef("tiles", "entry %d does not hash to its leaf", index)
		}
		digest.add(entry)
		if !isSampled(uint64(index), uint64(tree.N)) {
			continue
		}
		path, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return 0, refuse("inclusion", err)
		}
		if err := tlog.CheckRecord(path, tree.N, tree.Hash, index, hashes[i]); err != nil {
			return 0, refusef("inclusion", "entry %d: %w", index, err)
		}
		proofs++
	}
	if len(data) != 0 {
		return 0, refusef("entry bundle", "%d bytes are left behind entry %d", len(data), first+width-1)
	}
	return proofs, nil
}
