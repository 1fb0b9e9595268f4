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
finish_go key-peer .
