package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

type tesseraInput struct {
	Folder string `json:"folder"`
	// Private key in the form of x/mod's sumdb/note: PRIVATE+KEY+…
	SigningKey string `json:"signingKey"`
	Entries    int    `json:"entries"`
	Witnesses  []struct {
		Vkey string `json:"vkey"`
		URL  string `json:"url"`
	} `json:"witnesses"`
}

type tesseraReport struct {
	Refusal    string `json:"refusal"`
	Checkpoint string `json:"checkpoint"`
}

// writeTesseraLog writes a log of "entry 0", "entry 1", … whose every checkpoint all the witnesses have to cosign.
func writeTesseraLog(input tesseraInput) tesseraReport {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := func() error {
		signer, err := note.NewSigner(input.SigningKey)
		if err != nil {
			return err
		}
		driver, err := posix.New(ctx, posix.Config{Path: input.Folder})
		if err != nil {
			return err
		}
		options := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithBatching(uint(input.Entries), 50*time.Millisecond).WithCheckpointInterval(100 * time.Millisecond)
		group := tessera.WitnessGroup{}
		children := []tessera.Witness{}
		for _, one := range input.Witnesses {
			children = append(children, must(tessera.NewWitness(one.Vkey, must(url.Parse(one.URL)))))
		}
		switch len(children) {
		case 1:
			group = tessera.NewWitnessGroup(1, children[0])
		case 2:
			group = tessera.NewWitnessGroup(2, children[0], children[1])
		default:
			return fmt.Errorf("one witness or two")
		}
		options.WithWitnesses(group, &tessera.WitnessOptions{Timeout: 10 * time.Second})
		appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
		if err != nil {
			return err
		}
		awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 50*time.Millisecond)
		for index := range input.Entries {
			future := appender.Add(ctx, tessera.NewEntry(fmt.Appendf(nil, "entry %d", index)))
			// Two checkpoints at least, so that the second one needs a consistency proof.
			if index == 0 || index == input.Entries-1 {
				if _, _, err := awaiter.Await(ctx, future); err != nil {
					return err
				}
			}
		}
		return shutdown(ctx)
	}()
	checkpoint, _ := os.ReadFile(filepath.Join(input.Folder, "checkpoint"))
	return tesseraReport{Refusal: refusal(err), Checkpoint: string(checkpoint)}
}
