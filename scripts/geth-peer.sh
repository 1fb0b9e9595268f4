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
SOURCE=$HERE/../test/policy/transactions/ethereum/peers/geth
OUT=$CACHE/geth-peer-$(hash_of "$HERE/geth-peer.sh" "$SOURCE"/*)
COMPLETE=complete
begin "$@"
finish_go peer .
