// Program interop-witness has the public Go tools read our cosignatures, and a Tessera log ask our witness for them.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"time"

	"filippo.io/torchwood"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type opened struct {
	Opened bool  `json:"opened"`
	Time   int64 `json:"time"`
}

// verify opens notes with the key of a witness: one JSON document in, one out.
func verify() {
	var in struct {
		Notes []struct {
			Vkey string `json:"vkey"`
			Note string `json:"note"`
		} `json:"notes"`
	}
	check(json.NewDecoder(os.Stdin).Decode(&in))
	out := []opened{}
	for _, each := range in.Notes {
		answer := opened{}
		v, err := torchwood.NewCosignatureVerifier(each.Vkey)
		if err == nil {
			var n *note.Note
			if n, err = note.Open([]byte(each.Note), note.VerifierList(v)); err == nil {
				answer.Time, err = torchwood.CosignatureTimestamp(n.Sigs[0])
			}
		}
		answer.Opened = err == nil
		out = append(out, answer)
	}
	check(json.NewEncoder(os.Stdout).Encode(out))
}

// keys says which texts are keys of witnesses: one JSON document in, one out.
func keys() {
	var in struct {
		Vkeys []string `json:"vkeys"`
	}
	check(json.NewDecoder(os.Stdin).Decode(&in))
	out := []bool{}
	for _, vkey := range in.Vkeys {
		_, err := torchwood.NewCosignatureVerifier(vkey)
		out = append(out, err == nil)
	}
	check(json.NewEncoder(os.Stdout).Encode(out))
}

// log runs a Tessera log whose checkpoints need a cosignature, adds entries, and prints a checkpoint for each.
func log(skey, witnessKey, witnessURL string, entries int) {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "countersign-tessera-")
	check(err)
	defer os.RemoveAll(folder)
	driver, err := posix.New(ctx, posix.Config{Path: folder})
	check(err)
	signer, err := note.NewSigner(skey)
	check(err)
	u, err := url.Parse(witnessURL)
	check(err)
	witness, err := tessera.NewWitness(witnessKey, u)
	check(err)
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithCheckpointInterval(100*time.Millisecond).
		WithBatching(1, 10*time.Millisecond).
		WithWitnesses(tessera.NewWitnessGroup(1, witness), &tessera.WitnessOptions{FailOpen: false, Timeout: 10 * time.Second})
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	check(err)
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 10*time.Millisecond)
	checkpoints := []string{}
	for i := 0; i < entries; i++ {
		_, checkpoint, err := awaiter.Await(ctx, appender.Add(ctx, tessera.NewEntry(fmt.Appendf(nil, "entry %d", i))))
		check(err)
		checkpoints = append(checkpoints, string(checkpoint))
	}
	check(shutdown(ctx))
	check(json.NewEncoder(os.Stdout).Encode(checkpoints))
}

func main() {
	switch os.Args[1] {
	case "verify":
		verify()
	case "keys":
		keys()
	case "log":
		log(os.Args[2], os.Args[3], os.Args[4], 5)
	}
}
