#!/bin/bash
# Makes uv, pinned here, by which made-once.sh installs the Python packages that tests use. pip looks through the whole index
# of a package for each pin, and computes ten times as long.
#
# Usage: uv.sh          make it where it is absent, print its directory
#        uv.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/uv-<hash of this script>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
OUT=$CACHE/uv-$(hash_of "$HERE/uv.sh")
COMPLETE=complete
begin "$@"
echo 'uv==0.13.9' > "$WORK/requirements.txt"
make_python_by_pip "$WORK/requirements.txt"
run 'it does not run here' "$OUT/bin/uv" --version
finish_in_place
