// Command note opens and signs notes with the reference implementation, so that ours can be compared with it.
// Standard input is one JSON request; standard output is one JSON answer.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
)

type request struct {
	// Verifier key and note to open.
	VKey  string   `json:"vkey"`
	Notes []string `json:"notes"`
	// Signer key and text to sign.
	SKey string `json:"skey"`
	Text string `json:"text"`
}

type answer struct {
	Opened []bool   `json:"opened"`
	Texts  []string `json:"texts"`
	Signed string   `json:"signed"`
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	var in request
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		fatal(err)
	}
	verifier, err := note.NewVerifier(in.VKey)
	if err != nil {
		fatal(err)
	}
	signer, err := note.NewSigner(in.SKey)
	if err != nil {
		fatal(err)
	}
	var out answer
	for _, text := range in.Notes {
		opened, err := note.Open([]byte(text), note.VerifierList(verifier))
		out.Opened = append(out.Opened, err == nil)
		if err == nil {
			out.Texts = append(out.Texts, opened.Text)
		} else {
			out.Texts = append(out.Texts, "")
		}
	}
	signed, err := note.Sign(&note.Note{Text: in.Text}, signer)
	if err != nil {
		fatal(err)
	}
	out.Signed = string(signed)
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		fatal(err)
	}
}
