// Reads a log directory of ours with golang.org/x/mod/sumdb/note and tlog, and checks every entry of it.
// Usage: go run . DIR VERIFIER_KEY OLDER_CHECKPOINT_FILE...
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error, doing string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", doing, err)
		os.Exit(1)
	}
}

// openCheckpoint checks the signature and returns the tree that the checkpoint names.
func openCheckpoint(path, vkey string) tlog.Tree {
	text, err := os.ReadFile(path)
	must(err, "read checkpoint")
	verifier, err := note.NewVerifier(vkey)
	must(err, "verifier key")
	opened, err := note.Open(text, note.VerifierList(verifier))
	must(err, "open checkpoint")
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		must(fmt.Errorf("%q", opened.Text), "checkpoint lines")
	}
	var size int64
	_, err = fmt.Sscanf(lines[1], "%d", &size)
	must(err, "checkpoint size")
	root, err := tlog.ParseHash(lines[2])
	must(err, "checkpoint root")
	return tlog.Tree{N: size, Hash: root}
}

// directory is a tlog.TileReader over tlog-tiles paths, which leave out the height.
type directory string

func (dir directory) Height() int { return 8 }

func (dir directory) path(tile tlog.Tile) string {
	return filepath.Join(string(dir), strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
}

func (dir directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(dir.path(tile))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (dir directory) SaveTiles([]tlog.Tile, [][]byte) {}

// entries reads entry bundle n of a log of the given size.
func (dir directory) entries(n, size int64) [][]byte {
	width := size - n*256
	if width > 256 {
		width = 256
	}
	path := dir.path(tlog.Tile{H: 8, L: 0, N: n, W: int(width)})
	path = strings.Replace(path, "tile/0/", "tile/entries/", 1)
	data, err := os.ReadFile(path)
	must(err, "read bundle")
	var all [][]byte
	for len(data) > 0 {
		length := int(binary.BigEndian.Uint16(data))
		all = append(all, data[2:2+length])
		data = data[2+length:]
	}
	if int64(len(all)) != width {
		must(fmt.Errorf("%d entries, want %d", len(all), width), "bundle")
	}
	return all
}

func main() {
	dir := directory(os.Args[1])
	tree := openCheckpoint(filepath.Join(os.Args[1], "checkpoint"), os.Args[2])
	reader := tlog.TileHashReader(tree, dir)
	for n := int64(0); n*256 < tree.N; n++ {
		entries := dir.entries(n, tree.N)
		var places []int64
		for i := range entries {
			places = append(places, tlog.StoredHashIndex(0, n*256+int64(i)))
		}
		// Reading authenticates the tiles against the root of the checkpoint.
		hashes, err := reader.ReadHashes(places)
		must(err, "read hashes")
		for i, entry := range entries {
			index := n*256 + int64(i)
			if hashes[i] != tlog.RecordHash(entry) {
				must(fmt.Errorf("entry %d", index), "compare hash")
			}
			if index%509 == 0 || index == tree.N-1 {
				proof, err := tlog.ProveRecord(tree.N, index, reader)
				must(err, "prove record")
				must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)), "check record")
			}
			fmt.Printf("%d %x\n", index, entry)
		}
	}
	for _, path := range os.Args[3:] {
		older := openCheckpoint(path, os.Args[2])
		proof, err := tlog.ProveTree(tree.N, older.N, reader)
		must(err, "prove tree")
		must(tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash), "check tree")
	}
	fmt.Println("ok")
}
