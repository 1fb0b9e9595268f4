#!/bin/bash
# Makes what the tests on an emulated Nitro host need: the emulator, what the enclave image is made from, and its kernel.
# Where the pinned inputs of the image (docker/inputs.lock) cannot be had, it says so and makes those that the mirror has
# today; the tests then build their images from these, and skip what compares with a published measurement.
# Where one cannot be made it says so, why, and what is skipped for it, and succeeds: the tests that need it count as
# skipped, and repeat the reason from the file that is left in build/.
#
# Usage: emulated-host.sh            about 8 minutes on a fresh machine, a moment afterwards
#        emulated-host.sh --needed   fails where something cannot be made
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-or-skipped.sh"
REASON=$HERE/../build/no-emulated-host
UNPINNED=$HERE/../build/unpinned-inputs.lock
UNTESTED='no enclave image is built, booted and tested on this machine.'
NEEDED=${1:-}
[ $# -eq 0 ] || [ "$NEEDED" = --needed ] || {
  awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "$0" >&2
  exit 2
}

make_part() {
  if [ "$NEEDED" = --needed ]; then
    "$@" > /dev/null
  else
    made_or_skipped "$@" || exit 0
  fi
}

make_part "$HERE/emulator.sh"
make_part "$HERE/guest-kernel.sh"
rm -f "$UNPINNED"
if ! "$HERE/image-inputs.sh" > /dev/null; then
  box 'UNPINNED: the pinned inputs of the enclave image cannot be had, see above.' \
    'The tests use what the mirror has today: every image is built and booted, but its PCRs are nobody else’s,' \
    'and what compares them with published ones counts as skipped. scripts/update-inputs moves the pins.'
  mkdir -p "${UNPINNED%/*}"
  make_part "$HERE/update-inputs" --to "$UNPINNED"
  export HOLDFAST_INPUTS_LOCK=$UNPINNED
  make_part "$HERE/image-inputs.sh"
fi
make_part "$HERE/kernel.sh"
rm -f "$REASON"
