package main

import (
	"context"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// policyOf asks for the log's own signature and its own origin.
func policyOf(verifier note.Verifier) torchwood.Policy {
	return torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(verifier.Name()), torchwood.SingleVerifierPolicy(verifier))
}

// runTorchwood reads a log as a monitor built on torchwood does: entries are handed out only after their tiles have led to the root.
func runTorchwood(ctx context.Context, t task) (report, error) {
	policy := policyOf(t.verifier)
	raw, err := t.source.torchwood.ReadEndpoint(ctx, "checkpoint")
	if err != nil {
		return report{}, refuse("checkpoint", err)
	}
	checkpoint, _, err := torchwood.VerifyCheckpoint(raw, policy)
	if err != nil {
		return report{}, refuse("checkpoint", err)
	}
	monitor, err := torchwood.NewClient(t.source.torchwood)
	if err != nil {
		return report{}, err
	}
	reader := torchwood.TileHashReaderWithContext(ctx, checkpoint.Tree, t.source.torchwood)
	for _, note := range t.older {
		older, _, err := torchwood.VerifyCheckpoint(note, policy)
		if err != nil {
			return report{}, refuse("older checkpoint", err)
		}
		if err := checkGrowth(older.Tree, checkpoint.Tree, reader); err != nil {
			return report{}, err
		}
	}
	digest, next := newEntryDigest(), int64(0)
	for index, entry := range monitor.AllEntries(ctx, checkpoint.Tree, 0) {
		if index != next {
			return report{}, refusef("entries", "entry %d came where %d was due", index, next)
		}
		next++
		digest.add(entry)
	}
	if err := monitor.Err(); err != nil {
		return report{}, refuse("entries", err)
	}
	if next != checkpoint.N {
		return report{}, refusef("entries", "%d of %d", next, checkpoint.N)
	}
	proofs, err := torchwoodProofs(ctx, monitor, raw, checkpoint.Tree, policy)
	if err != nil {
		return report{}, err
	}
	return report{Size: uint64(checkpoint.N), Root: checkpoint.Hash.String(), Entries: digest.String(), Proofs: proofs}, nil
}

// checkGrowth proves that one tree has grown from another.
func checkGrowth(older, newer tlog.Tree, reader tlog.HashReader) error {
	if older.N > newer.N {
		return refusef("consistency", "rolled back: %d entries are remembered, the log shows %d", older.N, newer.N)
	}
	if older.N == 0 {
		// The empty tree is the start of every tree; there is no proof of that.
		return nil
	}
	path, err := tlog.ProveTree(newer.N, older.N, reader)
	if err != nil {
		return refuse("consistency", err)
	}
	return refuse("consistency", tlog.CheckTree(path, newer.N, newer.Hash, older.N, older.Hash))
}

// torchwoodProofs makes a C2SP tlog-proof of each sampled entry from our tiles and checks it as whoever only has the proof would.
func torchwoodProofs(ctx context.Context, monitor *torchwood.Client, raw []byte, tree tlog.Tree, policy torchwood.Policy) (int, error) {
	proofs := 0
	for index := int64(0); index < tree.N; index++ {
		if !isSampled(uint64(index), uint64(tree.N)) {
			continue
		}
		entry, path, err := monitor.Entry(ctx, tree, index)
		if err != nil {
			return 0, refuse("inclusion", err)
		}
		file := torchwood.FormatProof(index, path, raw)
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(entry), file); err != nil {
			return 0, refuse("proof file", err)
		}
		proofs++
	}
	return proofs, nil
}

// checkProof checks a C2SP tlog-proof file for the entry that it brings as its extra data, under the log's key and, where they are
// named, those of witnesses, all of whom must have cosigned.
func checkProof(path string, verifier note.Verifier, witnesses []string) error {
	file, err := os.ReadFile(path)
	if err != nil {
		misuse(err.Error())
	}
	policies := []torchwood.Policy{policyOf(verifier)}
	for _, vkey := range witnesses {
		witness, err := torchwood.NewCosignatureVerifier(vkey)
		if err != nil {
			misuse("the witness key is none: " + err.Error())
		}
		policies = append(policies, torchwood.SingleVerifierPolicy(witness))
	}
	entry, err := torchwood.ProofExtraData(file)
	if err != nil {
		return refuse("extra", err)
	}
	all := torchwood.ThresholdPolicy(len(policies), policies...)
	return refuse("proof file", torchwood.VerifyProof(all, tlog.RecordHash(entry), file))
}
