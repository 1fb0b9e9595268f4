#!/bin/bash
# Makes a program that reads Solana messages as our decoder does, pinned in test/policy/transactions/solana/peers: with the
# types of Agave, the chain's own validator, or with solders.
#
# Usage: solana-reader.sh agave|solders          make it where it is absent, print its directory
#        solana-reader.sh agave|solders --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/solana-reader-<name>-<hash of this script and of the program>; the program is
#        "reader" in its directory.
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
NAME=${1:-}
READER=$HERE/../test/policy/transactions/solana/peers/$NAME
[[ $NAME =~ ^(agave|solders)$ ]] || OUT= COMPLETE=none begin "${NAME:-none}"
shift
OUT=$CACHE/solana-reader-$NAME-$(find "$HERE/solana-reader.sh" "$READER" -type f | sort | xargs cat | sha256sum | cut -c1-12)
COMPLETE=reader
begin "$@"

# run WHAT COMMAND…: the last lines of its output are the reason where it fails.
run() {
  local what=$1
  shift
  "$@" > "$WORK/log" 2>&1 || {
    tail -3 "$WORK/log" >&2
    say "$NAME: $what"
    exit 1
  }
}

case $NAME in
  agave)
    command -v cargo > /dev/null || {
      say 'agave: no cargo'
      exit 1
    }
    mkdir "$WORK/new"
    run 'the program could not be built' cargo build --quiet --locked --release \
      --manifest-path "$READER/Cargo.toml" --target-dir "$WORK/target"
    cp "$WORK/target/release/solana-reader" "$WORK/new/reader"
    finish "$WORK/new"
    ;;
  solders)
    command -v python3 > /dev/null || {
      say 'solders: no python3'
      exit 1
    }
    # Made where it stays, because its programs name their interpreter by its path.
    rm -rf "$OUT"
    run 'no virtual environment (on Debian: python3-venv)' python3 -m venv "$OUT"
    run 'the packages could not be installed' "$OUT/bin/pip" install --disable-pip-version-check --no-deps \
      --requirement "$READER/requirements.txt"
    { printf '#!%s/bin/python\n' "$OUT" && cat "$READER/reader.py"; } > "$OUT/reader.part"
    chmod +x "$OUT/reader.part"
    mv "$OUT/reader.part" "$OUT/reader"
    prune_cache
    printf '%s\n' "$OUT"
    ;;
esac
