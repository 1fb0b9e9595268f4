#!/bin/bash
# Makes a participant of FROST by the Zcash Foundation's crates, so that shared/frost generates, signs, refreshes and
# repairs together with it.
#
# Usage: frost-peer.sh          make it where it is absent, print its directory
#        frost-peer.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/frost-peer-<hash of this script and of the program>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
SOURCE=$HERE/../test/shared/frost/rust
OUT=$CACHE/frost-peer-$(hash_of "$HERE/frost-peer.sh" "$SOURCE"/Cargo.* "$SOURCE"/src/*)
COMPLETE=frost-peer
begin "$@"
finish_crate frost-peer
