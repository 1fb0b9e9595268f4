#!/bin/bash
# Makes what the tests on an emulated Nitro host need: the emulator, and what the enclave image is made from. Where one
# cannot be made it says so, why, and what is skipped for it, and succeeds: the tests that need it count as skipped, and
# repeat the reason from the file that is left in build/.
#
# Usage: emulated-host.sh            about 5 minutes on a fresh machine, a moment afterwards
#        emulated-host.sh --needed   fails where something cannot be made
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REASON=$HERE/../build/no-emulated-host
NEEDED=${1:-}
[ $# -eq 0 ] || [ "$NEEDED" = --needed ] || {
  awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "$0" >&2
  exit 2
}

mkdir -p "$(dirname "$REASON")"
rm -f "$REASON"
LOG=$(mktemp)
trap 'rm -f "$LOG"' EXIT
for script in emulator.sh image-inputs.sh; do
  "$HERE/$script" 2>&1 > /dev/null | tee "$LOG" >&2 && continue
  tail -1 "$LOG" > "$REASON"
  [ "$NEEDED" != --needed ] || exit 1
  LINE=$(printf '%.0s#' {1..100})
  printf '\n%s\n#  SKIPPED: no enclave image is built, booted and tested on this machine.\n#  Why: %s\n%s\n\n' \
    "$LINE" "$(cat "$REASON")" "$LINE" >&2
  exit 0
done
