package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"filippo.io/torchwood"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type logInput struct {
	// Prefix of the log, http://… with a slash at its end.
	URL    string `json:"url"`
	Origin string `json:"origin"`
	Vkey   string `json:"vkey"`
	// Older tree that the log must still begin with; 0 for none.
	OldSize uint64 `json:"oldSize"`
	OldRoot []byte `json:"oldRoot"`
}

type logReport struct {
	// By library, empty where the whole log was taken.
	Refusals map[string]string `json:"refusals"`
	Size     uint64            `json:"size"`
	// SHA-256 over the hex of the hash of each entry, in order, as each library read them.
	Entries map[string]string `json:"entries"`
}

// readLog reads and verifies a whole log by torchwood's client and by tessera's.
func readLog(input logInput) logReport {
	report := logReport{Refusals: map[string]string{}, Entries: map[string]string{}}
	report.Refusals["torchwood"] = refusal(readByTorchwood(input, &report))
	report.Refusals["tessera"] = refusal(readByTessera(input, &report))
	return report
}

func readByTorchwood(input logInput, report *logReport) error {
	response, err := http.Get(input.URL + "checkpoint")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	signed, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(input.Vkey)
	if err != nil {
		return err
	}
	checkpoint, _, err := torchwood.VerifyCheckpoint(signed, torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(input.Origin), torchwood.SingleVerifierPolicy(verifier)))
	if err != nil {
		return err
	}
	report.Size = uint64(checkpoint.N)
	fetcher, err := torchwood.NewTileFetcher(strings.TrimSuffix(input.URL, "/"))
	if err != nil {
		return err
	}
	reader, err := torchwood.NewClient(fetcher, torchwood.WithTimeout(20*time.Second))
	if err != nil {
		return err
	}
	digest := sha256.New()
	next := int64(0)
	for index, entry := range reader.AllEntries(context.Background(), checkpoint.Tree, 0) {
		if index != next {
			return fmt.Errorf("entry %d follows %d", index, next-1)
		}
		next++
		leaf := tlog.RecordHash(entry)
		fmt.Fprintln(digest, hex.EncodeToString(leaf[:]))
	}
	if err := reader.Err(); err != nil {
		return err
	}
	if next != checkpoint.N {
		return fmt.Errorf("%d of %d entries", next, checkpoint.N)
	}
	report.Entries["torchwood"] = hex.EncodeToString(digest.Sum(nil))
	return nil
}

func readByTessera(input logInput, report *logReport) error {
	ctx := context.Background()
	root, err := url.Parse(input.URL)
	if err != nil {
		return err
	}
	fetcher, err := client.NewHTTPFetcher(root, nil)
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(input.Vkey)
	if err != nil {
		return err
	}
	checkpoint, _, _, err := client.FetchCheckpoint(ctx, fetcher.ReadCheckpoint, verifier, input.Origin)
	if err != nil {
		return err
	}
	builder, err := client.NewProofBuilder(ctx, checkpoint.Size, fetcher.ReadTile)
	if err != nil {
		return err
	}
	if input.OldSize > 0 {
		consistency, err := builder.ConsistencyProof(ctx, input.OldSize, checkpoint.Size)
		if err != nil {
			return err
		}
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, input.OldSize, checkpoint.Size, consistency, input.OldRoot, checkpoint.Hash); err != nil {
			return err
		}
	}
	digest := sha256.New()
	for start := uint64(0); start < checkpoint.Size; start += 256 {
		bundle, err := client.GetEntryBundle(ctx, fetcher.ReadEntryBundle, start/256, checkpoint.Size)
		if err != nil {
			return err
		}
		leaves, err := client.FetchLeafHashes(ctx, fetcher.ReadTile, start, min(256, checkpoint.Size-start), checkpoint.Size)
		if err != nil {
			return err
		}
		if err := compareBundle(bundle, leaves); err != nil {
			return err
		}
		for _, leaf := range leaves {
			fmt.Fprintln(digest, hex.EncodeToString(leaf))
		}
		// One entry of each bundle, proven to be in the tree.
		index := start + uint64(len(leaves))/2
		inclusion, err := builder.InclusionProof(ctx, index)
		if err != nil {
			return err
		}
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, checkpoint.Size, leaves[index-start], inclusion, checkpoint.Hash); err != nil {
			return err
		}
	}
	report.Entries["tessera"] = hex.EncodeToString(digest.Sum(nil))
	return nil
}

func compareBundle(bundle api.EntryBundle, leaves [][]byte) error {
	if len(bundle.Entries) < len(leaves) {
		return fmt.Errorf("%d entries for %d leaves", len(bundle.Entries), len(leaves))
	}
	for index, leaf := range leaves {
		if !bytes.Equal(rfc6962.DefaultHasher.HashLeaf(bundle.Entries[index]), leaf) {
			return fmt.Errorf("entry %d of the bundle is not the leaf", index)
		}
	}
	return nil
}
