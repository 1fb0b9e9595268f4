#!/bin/bash
# Makes a program that is the other side of a Noise handshake, by the crate snow, so that shared/noise is held against it.
#
# Usage: noise-peer.sh          make it where it is absent, print its directory
#        noise-peer.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/noise-peer-<hash of this script and of the program>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
SOURCE=$HERE/../test/shared/noise/rust
OUT=$CACHE/noise-peer-$(hash_of "$HERE/noise-peer.sh" "$SOURCE"/Cargo.* "$SOURCE"/src/*)
COMPLETE=noise-peer
begin "$@"
finish_crate noise-peer
