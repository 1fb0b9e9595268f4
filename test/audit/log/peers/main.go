// Shows a transparency log to libraries that share nothing with it: golang.org/x/mod, filippo.io/torchwood and
// github.com/transparency-dev. Each verb but "witness" reads its input as JSON and prints what it found as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	verbs := map[string]func(){
		"check":   func() { run(checkAll) },
		"trees":   func() { run(describeTrees) },
		"log":     func() { run(readLog) },
		"tessera": func() { run(writeTesseraLog) },
		"witness": serveWitness,
	}
	if len(os.Args) < 2 || verbs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: log-peer check|trees|log|tessera|witness")
		os.Exit(2)
	}
	verbs[os.Args[1]]()
}

func run[In, Out any](work func(In) Out) {
	var input In
	must0(json.NewDecoder(os.Stdin).Decode(&input))
	must0(json.NewEncoder(os.Stdout).Encode(work(input)))
}

func must0(err error) {
	if err != nil {
		panic(err)
	}
}

func must[T any](value T, err error) T {
	must0(err)
	return value
}

// refusal is empty where something was accepted.
func refusal(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
