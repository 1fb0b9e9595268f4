#!/bin/bash
# Takes Debian's newest kernel for clouds, which emulated machines run on that are no enclaves, and prints the directory:
#   vmlinuz    the kernel
#   modules/   the modules of it that bring vsock
#   VERSION    the package that it is from
# It is in no image and decides no PCR, so it is not pinned.
#
# Usage: guest-kernel.sh          fetch it where it is absent (30 MB of downloads), print its directory
#        guest-kernel.sh --path   print its directory; exit 3 where it was not fetched
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/guest-<hash of this script>
# Exit 1 where it cannot be had, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
OUT=$CACHE/guest-$(hash_of "$HERE/guest-kernel.sh")
COMPLETE=VERSION
begin "$@"
. "$HERE/debian-packages.sh"

command -v apt-get > /dev/null || die "the kernel comes from Debian's packages, by apt-get"
ARCHITECTURE=amd64
MIRROR=$(debian_mirror)
say "packages from $MIRROR"
suite binary trixie deb
cd "$WORK"
# The package of that name is empty and depends on the newest.
PACKAGE=$(apt_in binary apt-cache --no-all-versions show linux-image-cloud-amd64 | grep -oE '^Depends: linux-image-[^ ,]+' | cut -d' ' -f2)
download binary "$PACKAGE"
dpkg-deb -x ./*.deb package
mkdir -p new/modules
cp package/boot/vmlinuz-* new/vmlinuz
for module in drivers/virtio/virtio_mmio net/vmw_vsock/vsock net/vmw_vsock/vmw_vsock_virtio_transport_common \
  net/vmw_vsock/vmw_vsock_virtio_transport net/vmw_vsock/vsock_loopback; do
  xz -dc package/usr/lib/modules/*/kernel/$module.ko.xz > "new/modules/${module##*/}.ko"
done
sha256sum ./*.deb > new/VERSION
finish new
