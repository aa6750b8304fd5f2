package main

import (
	"bytes"
	"context"
	"encoding/base64"

	tlogformats "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"
)

// Bundles that the client reads ahead.
const readAhead = 8

// runClient reads a log as a monitor built on Tessera's client does: checkpoint, every entry against its leaf hash, inclusion proofs
// of a sample, and the step from each older checkpoint.
func runClient(ctx context.Context, t task) (report, error) {
	checkpoint, raw, signed, err := client.FetchCheckpoint(ctx, t.source.tessera.ReadCheckpoint, t.verifier, t.verifier.Name())
	if err != nil {
		return report{}, refuse("checkpoint", err)
	}
	// The log may grow meanwhile: all steps are about this one checkpoint.
	newest := func(context.Context, note.Verifier, string) (*tlogformats.Checkpoint, []byte, *note.Note, error) {
		return checkpoint, raw, signed, nil
	}
	if err := checkEdge(ctx, t, checkpoint); err != nil {
		return report{}, err
	}
	for _, older := range t.older {
		if err := follow(ctx, t, older, newest); err != nil {
			return report{}, err
		}
	}
	digest, proofs, err := readEntries(ctx, t, checkpoint)
	if err != nil {
		return report{}, err
	}
	return report{
		Size:    checkpoint.Size,
		Root:    base64.StdEncoding.EncodeToString(checkpoint.Hash),
		Entries: digest.String(),
		Proofs:  proofs,
	}, nil
}

// checkEdge folds the right edge of the tree, read from the tiles, to the root of the checkpoint.
func checkEdge(ctx context.Context, t task, checkpoint *tlogformats.Checkpoint) error {
	if checkpoint.Size == 0 {
		if !bytes.Equal(checkpoint.Hash, rfc6962.DefaultHasher.EmptyRoot()) {
			return refusef("edge", "the root of an empty tree is %x", checkpoint.Hash)
		}
		return nil
	}
	nodes, err := client.FetchRangeNodes(ctx, checkpoint.Size, t.source.tessera.ReadTile)
	if err != nil {
		return refuse("edge", err)
	}
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	edge, err := factory.NewRange(0, checkpoint.Size, nodes)
	if err != nil {
		return refuse("edge", err)
	}
	root, err := edge.GetRootHash(nil)
	if err != nil {
		return refuse("edge", err)
	}
	if !bytes.Equal(root, checkpoint.Hash) {
		return refusef("edge", "the tiles lead to root %x, the checkpoint says %x", root, checkpoint.Hash)
	}
	return nil
}

// follow takes the step from a remembered checkpoint to the present one. Tessera's tracker proves growth; it keeps what it has, without
// a word, where the log shows less than that or another root of the same size, so this is asked here.
func follow(ctx context.Context, t task, older []byte, newest client.ConsensusCheckpointFunc) error {
	tracker, err := client.NewLogStateTracker(ctx, t.source.tessera.ReadTile, older, t.verifier, t.verifier.Name(), newest)
	if err != nil {
		return refuse("older checkpoint", err)
	}
	remembered := tracker.Latest()
	if _, _, _, err := tracker.Update(ctx); err != nil {
		return refuse("consistency", err)
	}
	shown, _, _, err := newest(ctx, t.verifier, t.verifier.Name())
	if err != nil {
		return refuse("checkpoint", err)
	}
	latest := tracker.Latest()
	if latest.Size > shown.Size {
		return refusef("consistency", "rolled back: %d entries are remembered, the log shows %d", remembered.Size, shown.Size)
	}
	if !bytes.Equal(latest.Hash, shown.Hash) {
		return refusef("consistency", "forked: two roots of size %d", shown.Size)
	}
	return nil
}

func readEntries(ctx context.Context, t task, checkpoint *tlogformats.Checkpoint) (entryDigest, int, error) {
	digest, proofs := newEntryDigest(), 0
	if checkpoint.Size == 0 {
		return digest, 0, nil
	}
	builder, err := client.NewProofBuilder(ctx, checkpoint.Size, t.source.tessera.ReadTile)
	if err != nil {
		return digest, 0, refuse("proof", err)
	}
	sizeOf := func(context.Context) (uint64, error) { return checkpoint.Size, nil }
	for bundle, err := range client.EntryBundles(ctx, readAhead, sizeOf, t.source.tessera.ReadEntryBundle, 0, checkpoint.Size) {
		if err != nil {
			return digest, 0, refuse("entry bundle", err)
		}
		first := bundle.RangeInfo.Index * 256
		hashes, err := bundleLeaves(ctx, t, bundle, checkpoint.Size, digest)
		if err != nil {
			return digest, 0, err
		}
		for i, leaf := range hashes {
			index := first + uint64(i)
			if !isSampled(index, checkpoint.Size) {
				continue
			}
			path, err := builder.InclusionProof(ctx, index)
			if err != nil {
				return digest, 0, refuse("inclusion", err)
			}
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, checkpoint.Size, leaf, path, checkpoint.Hash); err != nil {
				return digest, 0, refusef("inclusion", "entry %d: %w", index, err)
			}
			proofs++
		}
	}
	return digest, proofs, nil
}

// bundleLeaves adds the entries of a bundle to the digest and gives their leaf hashes, each compared with the one in the tile.
func bundleLeaves(ctx context.Context, t task, bundle client.Bundle, size uint64, digest entryDigest) ([][]byte, error) {
	info := bundle.RangeInfo
	var parsed api.EntryBundle
	if err := parsed.UnmarshalText(bundle.Data); err != nil {
		return nil, refusef("entry bundle", "%d: %w", info.Index, err)
	}
	if uint(len(parsed.Entries)) < info.N {
		return nil, refusef("entry bundle", "%d: %d entries, want %d", info.Index, len(parsed.Entries), info.N)
	}
	hashes, err := client.FetchLeafHashes(ctx, t.source.tessera.ReadTile, info.Index*256, uint64(info.N), size)
	if err != nil {
		return nil, refuse("leaf hashes", err)
	}
	for i, entry := range parsed.Entries[:info.N] {
		if !bytes.Equal(rfc6962.DefaultHasher.HashLeaf(entry), hashes[i]) {
			return nil, refusef("leaf hashes", "entry %d does not hash to its leaf", info.Index*256+uint64(i))
		}
		digest.add(entry)
	}
	return hashes, nil
}
