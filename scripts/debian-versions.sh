#!/bin/bash
# Prints the versions of packages that Debian 13 has today, from the package lists: nothing else is downloaded.
#
# Usage: debian-versions.sh NAME…                   on the mirror
#        debian-versions.sh --snapshot TIME NAME…   in Debian's archive of snapshots, as of then
# Output: "release DATE MIRROR", with the date of the archive's own signed list, then a line a version, the newest first:
#         SHA256 NAME VERSION
# Exit 1 where the lists cannot be had, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/debian-packages.sh"
command -v apt-get > /dev/null || die "Debian's lists are read by apt-get"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
ARCHITECTURE=amd64
if [ "${1:-}" = --snapshot ]; then
  MIRROR=$(debian_snapshot "$2")
  shift 2
else
  MIRROR=$(debian_mirror)
fi
suite mirror trixie deb
printf 'release %s %s\n' "$(sed -n 's/^Date: //p' "$WORK"/mirror/lists/*Release | head -1 | date -u -f - +%Y%m%dT%H%M%SZ)" "${MIRROR##* }"
list_versions mirror "$@"
