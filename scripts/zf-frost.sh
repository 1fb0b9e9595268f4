#!/bin/bash
# Makes a program that times FROST by the Zcash Foundation's crates, pinned in bench/frost/zf, for bench/frost-arithmetic.ts.
#
# Usage: zf-frost.sh          make it where it is absent, print its directory
#        zf-frost.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/zf-frost-<hash of this script and of the program>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
SOURCE=$HERE/../bench/frost/zf
OUT=$CACHE/zf-frost-$(hash_of "$HERE/zf-frost.sh" "$SOURCE"/Cargo.* "$SOURCE"/src/*)
COMPLETE=zf-frost
begin "$@"
finish_crate zf-frost
