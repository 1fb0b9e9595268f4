#!/bin/bash
# Builds the enclave image as somebody does who believes nothing that this machine has: with --no-cache, from a copy of the
# project in another folder, at another time, in another place, beside a cache whose parts are there by their names and hold
# nothing. A test compares it with the image that is built here. build/anew then has
#   image/    what scripts/build-eif wrote
#   log       its standard error
#   status    its exit code: 3 where npm has no packages here to hold node_modules against
#   sources   digest of what it was built from
# A kernel that has the published digest also goes into the cache, where that has none: a fresh machine builds one kernel.
#
# Usage: build-anew.sh   unless build/anew is from these sources: about ten minutes on two cores
# HOLDFAST_INPUTS_LOCK   another lock file than docker/inputs.lock
# Exit 1 where there is no image, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")
. "$HERE/made-once.sh"
OUT=$ROOT/build/anew
SOURCES=(admin attestation cli docker enclave audit policy scripts shared package.json package-lock.json)
LOCK=${HOLDFAST_INPUTS_LOCK:-}
DIGEST=$(cd "$ROOT" && find "${SOURCES[@]}" ${LOCK:+"$LOCK"} -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
answer() {
  local status
  status=$(cat "$OUT/status")
  [ "$status" = 0 ] || [ "$status" = 3 ] || {
    tail -3 "$OUT/log" >&2
    exit 1
  }
  exit 0
}
mkdir -p "$ROOT/build" "$CACHE/packages"
exec 8> "$ROOT/build/anew.lock"
flock 8
[ "$(cat "$OUT/sources" 2> /dev/null)" != "$DIGEST" ] || answer

rm -rf "$OUT"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
PROJECT="$WORK/a copy of the project"
mkdir -p "$OUT" "$PROJECT" "$WORK/cache/holdfast"
for name in "${SOURCES[@]}"; do cp -R "$ROOT/$name" "$PROJECT/"; done
ln -s "$ROOT/node_modules" "$PROJECT/node_modules"
touch -d @1 "$PROJECT/enclave/main.ts"
for script in image-inputs.sh kernel.sh; do
  planted=$(XDG_CACHE_HOME="$WORK/cache" "$HERE/$script" --place)
  mkdir -p "$planted"
  touch "$planted/complete"
done
ln -s "$CACHE/packages" "$WORK/cache/holdfast/packages"
status=0
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="${HOME:-/root}" TZ=Pacific/Auckland LANG=de_DE.UTF-8 USER=somebody \
  XDG_CACHE_HOME="$WORK/cache" ${LOCK:+HOLDFAST_INPUTS_LOCK="$LOCK"} \
  "$PROJECT/scripts/build-eif" --out "$OUT/image" --no-cache --keep "$WORK/anew" 8>&- > /dev/null 2> "$OUT/log" || status=$?
echo "$status" > "$OUT/status"
echo "$DIGEST" > "$OUT/sources"
[ "$status" != 0 ] || [ -n "$LOCK" ] || "$HERE/kernel.sh" --take "$WORK/anew/kernel" > /dev/null 2>&1 || true
answer
