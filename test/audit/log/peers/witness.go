package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/transparency-dev/witness/persistence/inmemory"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
)

// clockSigner signs cosignature/v1 at a time that its owner sets.
type clockSigner struct {
	name string
	key  ed25519.PrivateKey
	time *atomic.Int64
}

func (s clockSigner) Name() string { return s.name }

func (s clockSigner) vkeyBytes() []byte {
	return append([]byte{4}, s.key.Public().(ed25519.PublicKey)...)
}

func (s clockSigner) KeyHash() uint32 {
	digest := sha256.Sum256(append([]byte(s.name+"\n"), s.vkeyBytes()...))
	return binary.BigEndian.Uint32(digest[:])
}

func (s clockSigner) Sign(text []byte) ([]byte, error) {
	at := s.time.Load()
	if at < 0 {
		at = time.Now().Unix()
	}
	message := append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", at), text...)
	return append(binary.BigEndian.AppendUint64(nil, uint64(at)), ed25519.Sign(s.key, message)...), nil
}

// serveWitness serves transparency-dev's witness, which forgets everything when it ends, with a clock that
// POST /clock sets: seconds, or -1 for the real time.
func serveWitness() {
	flags := flag.NewFlagSet("witness", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on")
	name := flags.String("name", "witness.example/clock", "name of the witness")
	seed := flags.String("seed", "clock", "text whose SHA-256 is the private key")
	origin := flags.String("origin", "", "origin of the log")
	vkey := flags.String("log", "", "verifier key of the log")
	must0(flags.Parse(os.Args[2:]))
	digest := sha256.Sum256([]byte(*seed))
	signer := clockSigner{name: *name, key: ed25519.NewKeyFromSeed(digest[:]), time: &atomic.Int64{}}
	signer.time.Store(-1)
	verifier := must(note.NewVerifier(*vkey))
	ctx := context.Background()
	w := must(witness.New(ctx, witness.Opts{
		Persistence: inmemory.New(),
		Signers:     []note.Signer{signer},
		VerifierForLog: func(_ context.Context, asked string) (note.Verifier, bool, error) {
			return verifier, asked == *origin, nil
		},
	}))
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", witness.NewHTTPHandler(w).AddCheckpoint)
	mux.HandleFunc("POST /clock", func(rw http.ResponseWriter, r *http.Request) {
		seconds, err := strconv.ParseInt(r.URL.Query().Get("seconds"), 10, 64)
		if err != nil {
			http.Error(rw, "seconds", http.StatusBadRequest)
			return
		}
		signer.time.Store(seconds)
	})
	listener := must(net.Listen("tcp", *listen))
	must0(http.Serve(listener, mux))
}
