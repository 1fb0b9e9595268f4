package main

import (
	"encoding/base64"
	"errors"
	"strings"

	"filippo.io/torchwood"
	flog "github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A case names what is shown: a note under vkeys, an inclusion or a consistency proof, or a tlog-proof under a policy.
type checkCase struct {
	Kind string `json:"kind"`

	Note   string   `json:"note"`
	Vkeys  []string `json:"vkeys"`
	Origin string   `json:"origin"`

	Proof   [][]byte `json:"proof"`
	Size    int64    `json:"size"`
	Root    []byte   `json:"root"`
	Index   int64    `json:"index"`
	Leaf    []byte   `json:"leaf"`
	OldSize int64    `json:"oldSize"`
	OldRoot []byte   `json:"oldRoot"`

	TlogProof string `json:"tlogProof"`
	Policy    string `json:"policy"`
	Entry     []byte `json:"entry"`
}

type checkResult struct {
	// Of each library that was asked; empty where it took what it was shown.
	Refusals map[string]string `json:"refusals"`
	// Names of the keys whose signatures verified.
	Signers []string `json:"signers"`
	Size    int64    `json:"size"`
	Root    []byte   `json:"root"`
	// Seconds, of each cosignature that verified.
	Times map[string]int64 `json:"times"`
}

func checkAll(cases []checkCase) []checkResult {
	results := []checkResult{}
	for _, one := range cases {
		results = append(results, check(one))
	}
	return results
}

func check(c checkCase) checkResult {
	result := checkResult{Refusals: map[string]string{}, Times: map[string]int64{}}
	switch c.Kind {
	case "note":
		checkNote(c, &result)
	case "inclusion":
		result.Refusals["x/mod"] = refusal(tlog.CheckRecord(hashes(c.Proof), c.Size, hash(c.Root), c.Index, hash(c.Leaf)))
	case "consistency":
		result.Refusals["x/mod"] = refusal(tlog.CheckTree(tlog.TreeProof(hashes(c.Proof)), c.Size, hash(c.Root), c.OldSize, hash(c.OldRoot)))
	case "tlog-proof":
		policy, err := torchwood.ParsePolicy([]byte(c.Policy))
		if err == nil {
			err = torchwood.VerifyProof(policy, tlog.RecordHash(c.Entry), []byte(c.TlogProof))
		}
		result.Refusals["torchwood"] = refusal(err)
	default:
		panic("unknown kind " + c.Kind)
	}
	return result
}

func checkNote(c checkCase, result *checkResult) {
	verifiers := []note.Verifier{}
	for _, vkey := range c.Vkeys {
		verifier, err := verifierOf(vkey)
		if err != nil {
			result.Refusals["vkey"] = err.Error()
			return
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open([]byte(c.Note), note.VerifierList(verifiers...))
	result.Refusals["x/mod"] = refusal(err)
	if err != nil {
		return
	}
	for _, sig := range opened.Sigs {
		result.Signers = append(result.Signers, sig.Name)
		if at, err := fnote.CoSigV1Timestamp(sig); err == nil {
			result.Times[sig.Name] = at.Unix()
		}
	}
	checkpoint, err := torchwood.ParseCheckpoint(opened.Text)
	result.Refusals["torchwood"] = refusal(err)
	result.Size, result.Root = checkpoint.N, checkpoint.Hash[:]
	logVerifier, err := verifierOf(c.Vkeys[0])
	if err == nil {
		_, _, _, err = flog.ParseCheckpoint([]byte(c.Note), c.Origin, logVerifier)
	}
	result.Refusals["formats"] = refusal(err)
}

func verifierOf(vkey string) (note.Verifier, error) {
	_, rest, _ := strings.Cut(vkey, "+")
	_, encoded, _ := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) == 0 {
		return nil, errors.New("not base64")
	}
	switch key[0] {
	case 1:
		return note.NewVerifier(vkey)
	case 4:
		return torchwood.NewCosignatureVerifier(vkey)
	case 6:
		return fnote.NewMLDSAVerifier(vkey)
	}
	return nil, errors.New("another type of key")
}

func hash(bytes []byte) (h tlog.Hash) {
	if len(bytes) != tlog.HashSize {
		panic("a hash has 32 bytes")
	}
	copy(h[:], bytes)
	return h
}

func hashes(list [][]byte) []tlog.Hash {
	result := []tlog.Hash{}
	for _, one := range list {
		result = append(result, hash(one))
	}
	return result
}
