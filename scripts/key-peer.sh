#!/bin/bash
# Makes a program that signs, verifies, encrypts and agrees by Go's crypto, so that the keys of an enclave are held against
# it.
#
# Usage: key-peer.sh          make it where it is absent, print its directory
#        key-peer.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/key-peer-<hash of this script and of the program>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
SOURCE=$HERE/../test/enclave/keys/go
OUT=$CACHE/key-peer-$(hash_of "$HERE/key-peer.sh" "$SOURCE"/*)
COMPLETE=key-peer
begin "$@"

command -v go > /dev/null || {
  say 'no go'
  exit 1
}
new=$WORK/new
mkdir "$new"
cd "$SOURCE"
if ! go build -mod=readonly -o "$new/$COMPLETE" . > "$WORK/log" 2>&1; then
  tail -3 "$WORK/log" >&2
  say 'the program could not be built'
  exit 1
fi
finish "$new"
