#!/bin/bash
# Makes what the tests on an emulated Nitro host need: the emulator, what the enclave image is made from, and its kernel.
# Where one cannot be made it says so, why, and what is skipped for it, and succeeds: the tests that need it count as
# skipped, and repeat the reason from the file that is left in build/.
#
# Usage: emulated-host.sh            about 8 minutes on a fresh machine, a moment afterwards
#        emulated-host.sh --needed   fails where something cannot be made
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-or-skipped.sh"
REASON=$HERE/../build/no-emulated-host
UNTESTED='no enclave image is built, booted and tested on this machine.'
NEEDED=${1:-}
[ $# -eq 0 ] || [ "$NEEDED" = --needed ] || {
  awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "$0" >&2
  exit 2
}

for script in emulator.sh image-inputs.sh kernel.sh; do
  if [ "$NEEDED" = --needed ]; then
    "$HERE/$script" > /dev/null
  else
    made_or_skipped "$HERE/$script" || exit 0
  fi
done
rm -f "$REASON"
