#!/bin/bash
# Makes the Debian machine without anything of ours on which test/systemd installs the parent: the smallest system that
# systemd boots and Node runs on, once, as debian.tar.
#
# Usage: debian-tree.sh          make it where it is absent (2 minutes, 60 MB of downloads), print its directory
#        debian-tree.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/debian-<hash of this script>
# Exit 1 where it cannot be made, with the reason on standard error. It takes root: debootstrap runs packages' own scripts.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
OUT=$CACHE/debian-$(hash_of "$HERE/debian-tree.sh")
COMPLETE=debian.tar
begin "$@"
. "$HERE/debian-packages.sh"

[ "$(id -u)" = 0 ] || die "debootstrap takes root"
command -v apt-get > /dev/null || die "this script takes Debian's packages and needs apt-get"
MIRROR=$(debian_mirror)
say "packages from $MIRROR"
suite binary trixie deb
cd "$WORK"
# As a script with its own folder, not installed on this machine.
download binary debootstrap
dpkg-deb -x debootstrap_*.deb tool
DEBOOTSTRAP_DIR=$WORK/tool/usr/share/debootstrap "$WORK/tool/usr/sbin/debootstrap" --variant=minbase \
  --include=systemd,systemd-sysv,libatomic1 --keyring="$KEYRING" trixie "$WORK/tree" "${MIRROR##* }" > debootstrap.log 2>&1 || {
  tail -20 debootstrap.log >&2
  die "debootstrap failed"
}
rm -rf tree/var/cache/apt tree/var/lib/apt/lists tree/usr/share/{doc,man,locale,info} tree/var/log/*.log
mkdir new
tar -C tree --numeric-owner -cf new/debian.tar .
finish new
