#!/bin/bash
# Fetches what the enclave image is made from besides this repository and its npm packages (docker/inputs.lock), checks
# each file against its SHA-256, unpacks it once, and prints the directory:
#   kernel/linux.tar.xz   the source of the kernel, which kernel.sh builds
#   root/                 the tools for that, C compiler, binutils and libraries: the root directory to compile in
#   guest/                Debian's kernel and modules of it, for emulated machines that are no enclaves
#
# Usage: image-inputs.sh          make it where it is absent (250 MB of downloads), print its path
#        image-inputs.sh --path   print its path; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/inputs-<hash of the lock file and this script>
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
LOCK=$HERE/../docker/inputs.lock
OUT=$CACHE/inputs-$(hash_of "$LOCK" "$HERE/image-inputs.sh")
COMPLETE=complete
begin "$@"
. "$HERE/debian-packages.sh"
for tool in apt-get dpkg-deb xz sha256sum; do
  command -v "$tool" > /dev/null || die "needs $tool: this works on Debian and its relatives"
done

SNAPSHOT=$(awk '$1 == "snapshot" {print $2}' "$LOCK")
grep -Ev '^(#|snapshot |$)' "$LOCK" > "$WORK/wanted"
mkdir "$WORK/debs"
cd "$WORK/debs"

# fetch_from NAME: downloads what is still missing, as far as that list has it.
fetch_from() {
  local missing=() sha256 package version use
  while read -r sha256 package version use; do
    [ -f "$WORK/have/$package" ] || missing+=("$package=$version")
  done < "$WORK/wanted"
  [ ${#missing[@]} -gt 0 ] || return 0
  # All at once first: one by one only where some version is gone.
  apt_in "$1" apt-get -o APT::Architecture=amd64 download "${missing[@]}" > "$WORK/fetch.log" 2>&1 || {
    for package in "${missing[@]}"; do
      apt_in "$1" apt-get -o APT::Architecture=amd64 download "$package" >> "$WORK/fetch.log" 2>&1 || true
    done
  }
  local deb name
  for deb in *.deb; do
    [ -f "$deb" ] || continue
    name=$(dpkg-deb -f "$deb" Package)
    sha256=$(awk -v name="$name" '$2 == name {print $1}' "$WORK/wanted")
    printf '%s  %s\n' "$sha256" "$deb" | sha256sum -c --status || die "$deb is not the file that docker/inputs.lock names"
    mv "$deb" "$WORK/have/$name"
  done
}
mkdir "$WORK/have"
MIRROR=$(debian_mirror)
suite mirror trixie deb
fetch_from mirror
if [ "$(find "$WORK/have" -type f | wc -l)" != "$(wc -l < "$WORK/wanted")" ]; then
  say 'the mirror has moved on; trying snapshot.debian.org'
  MIRROR="[check-valid-until=no] http://snapshot.debian.org/archive/debian/$SNAPSHOT"
  suite snapshot trixie deb
  fetch_from snapshot
fi
while read -r _ package version _; do
  [ -f "$WORK/have/$package" ] || {
    tail -5 "$WORK/fetch.log" >&2
    die "neither the mirror nor snapshot.debian.org has $package $version; see docs/image.md on changing the pins"
  }
done < "$WORK/wanted"

NEW=$WORK/new
mkdir -p "$NEW/kernel" "$NEW/guest/modules" "$NEW/root/usr/bin" "$NEW/root/usr/lib" "$NEW/root/usr/lib64" "$WORK/unpacked"
for name in bin lib lib64; do ln -s "usr/$name" "$NEW/root/$name"; done
while read -r _ package _ use; do
  case $use in
    kernel | guest) dpkg-deb -x "$WORK/have/$package" "$WORK/unpacked" ;;
    *)
      dpkg-deb --fsys-tarfile "$WORK/have/$package" | tar x -C "$NEW/root" --keep-directory-symlink \
        --exclude='./usr/share/doc' --exclude='./usr/share/info' --exclude='./usr/share/locale' --exclude='./usr/share/man'
      ;;
  esac
done < "$WORK/wanted"
for tool in ar as ld; do ln -s "x86_64-linux-gnu-$tool" "$NEW/root/usr/bin/$tool"; done # gcc looks for the short names
ln -s mawk "$NEW/root/usr/bin/awk"
cp "$WORK"/unpacked/usr/src/linux-source-*.tar.xz "$NEW/kernel/linux.tar.xz"
cp "$WORK"/unpacked/boot/vmlinuz-* "$NEW/guest/vmlinuz"
for module in drivers/virtio/virtio_mmio net/vmw_vsock/vsock net/vmw_vsock/vmw_vsock_virtio_transport_common \
  net/vmw_vsock/vmw_vsock_virtio_transport net/vmw_vsock/vsock_loopback; do
  xz -dc "$WORK"/unpacked/usr/lib/modules/*/kernel/$module.ko.xz > "$NEW/guest/modules/${module##*/}.ko"
done
chmod -R u=rwX,go=rX "$NEW"
touch "$NEW/complete"
finish "$NEW"
