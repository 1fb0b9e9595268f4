#!/bin/bash
# Makes a program that reads Ethereum payloads with go-ethereum's own types, pinned in
# test/policy/transactions/ethereum/peers/geth, against which our decoder is held.
#
# Usage: geth-peer.sh           make it where it is absent, print its directory
#        geth-peer.sh --path    print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/geth-peer-<hash of this script and of the program>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
PEER=$HERE/../test/policy/transactions/ethereum/peers/geth
OUT=$CACHE/geth-peer-$(hash_of "$HERE/geth-peer.sh" "$PEER"/*)
COMPLETE=complete
begin "$@"

command -v go > /dev/null || {
  say 'no go'
  exit 1
}
mkdir "$WORK/new"
(cd "$PEER" && go build -mod=readonly -o "$WORK/new/peer" .) > "$WORK/log" 2>&1 || {
  tail -3 "$WORK/log" >&2
  say 'the program could not be built'
  exit 1
}
touch "$WORK/new/$COMPLETE"
finish "$WORK/new"
