// Reads a log of ours with the public Go tools for C2SP tlog-tiles, each of which shares no line with the code that wrote it.
//
// Usage: go-tiles fsck|client|torchwood|sumdb LOG VERIFIER_KEY [OLDER_CHECKPOINT_FILE...]
//
//	go-tiles proof FILE.tlog-proof VERIFIER_KEY [WITNESS_KEY...]
//
// LOG is a directory or an HTTP address. What a tool accepts is one line of JSON and exit code 0; what it refuses is one line on
// standard error, `refused by TOOL: STEP: REASON`, and exit code 1.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"k8s.io/klog/v2"
)

// Every sampleStep-th entry gets an inclusion proof of its own, beside those that isSampled names.
const sampleStep = 509

// Characters of a reason that are printed: some tools quote whole tiles.
const reasonMax = 300

// task is what a tool is asked to do.
type task struct {
	source   source
	verifier note.Verifier
	// older are checkpoints that the log has shown before: its present one has to be consistent with each.
	older [][]byte
}

// report is what a tool saw of a log that it accepts.
type report struct {
	Tool string `json:"tool"`
	Size uint64 `json:"size"`
	Root string `json:"root"`
	// Entries is SHA-256 over every entry in order, each behind its length in four bytes; empty where the tool shows no entries.
	Entries string `json:"entries,omitempty"`
	Proofs  int    `json:"proofs"`
	Older   int    `json:"older"`
}

// refusal is an error with the step at which the tool refused.
type refusal struct {
	step string
	err  error
}

func (r *refusal) Error() string { return r.step + ": " + r.err.Error() }

func refuse(step string, err error) error {
	if err == nil {
		return nil
	}
	return &refusal{step, err}
}

func refusef(step, format string, values ...any) error {
	return &refusal{step, fmt.Errorf(format, values...)}
}

// entryDigest adds up entries to the digest of a report.
type entryDigest struct{ sum hash.Hash }

func newEntryDigest() entryDigest { return entryDigest{sha256.New()} }

func (d entryDigest) add(entry []byte) {
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], uint32(len(entry)))
	d.sum.Write(length[:])
	d.sum.Write(entry)
}

func (d entryDigest) String() string { return fmt.Sprintf("%x", d.sum.Sum(nil)) }

// isSampled picks the entries that get an inclusion proof of their own: the first of each bundle, whose proof covers all hashes of its
// tile, the last of all, and some in between.
func isSampled(index, size uint64) bool {
	return index%256 == 0 || index%sampleStep == 0 || index == size-1
}

var tools = map[string]func(context.Context, task) (report, error){
	"fsck":      runFsck,
	"client":    runClient,
	"torchwood": runTorchwood,
	"sumdb":     runSumdb,
}

func main() {
	quiet()
	if len(os.Args) < 4 {
		misuse("usage: go-tiles TOOL LOG VERIFIER_KEY [OLDER_CHECKPOINT_FILE...]")
	}
	tool, log, vkey, rest := os.Args[1], os.Args[2], os.Args[3], os.Args[4:]
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		misuse("the verifier key is none: " + err.Error())
	}
	if tool == "proof" {
		finish(tool, report{Tool: tool, Proofs: 1}, checkProof(log, verifier, rest))
		return
	}
	run, known := tools[tool]
	if !known {
		misuse("no such tool: " + tool)
	}
	source, err := openSource(log)
	if err != nil {
		misuse(err.Error())
	}
	t := task{source: source, verifier: verifier}
	for _, path := range rest {
		raw, err := os.ReadFile(path)
		if err != nil {
			misuse(err.Error())
		}
		t.older = append(t.older, raw)
	}
	seen, err := run(context.Background(), t)
	seen.Tool = tool
	seen.Older = len(t.older)
	finish(tool, seen, err)
}

func finish(tool string, seen report, err error) {
	if err != nil {
		reason, _, _ := strings.Cut(err.Error(), "\n")
		if len(reason) > reasonMax {
			reason = reason[:reasonMax]
		}
		fmt.Fprintf(os.Stderr, "refused by %s: %s\n", tool, reason)
		os.Exit(1)
	}
	line, err := json.Marshal(seen)
	if err != nil {
		misuse(err.Error())
	}
	fmt.Println(string(line))
}

// misuse ends the program for a reason that says nothing about the log.
func misuse(reason string) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(2)
}

// quiet keeps Tessera's progress off standard error; what ends the program still gets there.
func quiet() {
	flags := flag.NewFlagSet("klog", flag.PanicOnError)
	klog.InitFlags(flags)
	for name, value := range map[string]string{"logtostderr": "false", "alsologtostderr": "false", "stderrthreshold": "FATAL"} {
		if err := flags.Set(name, value); err != nil {
			misuse(err.Error())
		}
	}
	klog.SetOutput(io.Discard)
}
