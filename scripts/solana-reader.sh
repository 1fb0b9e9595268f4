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
SOURCE=$HERE/../test/policy/transactions/solana/peers/$NAME
[[ $NAME =~ ^(agave|solders)$ ]] || OUT= COMPLETE=none begin "${NAME:-none}"
shift
OUT=$CACHE/solana-reader-$NAME-$(find "$HERE/solana-reader.sh" "$SOURCE" -type f | sort | xargs cat | sha256sum | cut -c1-12)
COMPLETE=reader
begin "$@"
case $NAME in
  agave) finish_crate solana-reader ;;
  solders)
    make_python "$SOURCE/requirements.txt"
    { printf '#!%s/bin/python\n' "$OUT" && cat "$SOURCE/reader.py"; } > "$OUT/reader.part"
    chmod +x "$OUT/reader.part"
    mv "$OUT/reader.part" "$OUT/reader"
    finish_in_place
    ;;
esac
