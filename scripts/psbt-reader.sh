#!/bin/bash
# Makes a program that reads PSBTs with rust-bitcoin and verifies transactions with Bitcoin Core's script interpreter, so
# that the decoder of policy/transactions/bitcoin is held against both.
#
# Usage: psbt-reader.sh          make it where it is absent, print its directory
#        psbt-reader.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/psbt-reader-<hash of this script and of the program>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
SOURCE=$HERE/../test/policy/transactions/bitcoin/rust
OUT=$CACHE/psbt-reader-$(hash_of "$HERE/psbt-reader.sh" "$SOURCE"/Cargo.* "$SOURCE"/src/*)
COMPLETE=psbt-reader
begin "$@"
need c++
finish_crate psbt-reader
