#!/bin/bash
# Makes a Python with moto's server and boto3, pinned in test/local/s3/moto, so that the stand-in for S3 is held against
# another one by the same client.
#
# Usage: moto.sh          make it where it is absent, print its directory
#        moto.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/moto-<hash of this script and of the requirements>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
REQUIREMENTS=$HERE/../test/local/s3/moto/requirements.txt
OUT=$CACHE/moto-$(hash_of "$HERE/moto.sh" "$REQUIREMENTS")
COMPLETE=complete
begin "$@"

command -v python3 > /dev/null || {
  say 'no python3'
  exit 1
}
# Made where it stays, because its programs name their interpreter by its path.
rm -rf "$OUT"
if ! python3 -m venv "$OUT" > "$WORK/log" 2>&1 ||
  ! "$OUT/bin/pip" install --disable-pip-version-check --no-deps --requirement "$REQUIREMENTS" >> "$WORK/log" 2>&1; then
  tail -3 "$WORK/log" >&2
  say 'the packages could not be installed'
  exit 1
fi
touch "$OUT/$COMPLETE"
prune_cache
printf '%s\n' "$OUT"
