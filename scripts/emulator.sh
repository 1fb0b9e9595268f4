#!/bin/bash
# Makes what boots an Enclave Image File without AWS, once, and prints the directory that holds it:
#   qemu-system-x86_64   QEMU with its nitro-enclave machine and emulated NSM (Debian builds QEMU without libcbor)
#   vhost-device-vsock   the vsock switch between the guests, in user space
#   fw/                  the firmware of the two machines
#   busybox              the shell of the guest that plays the parent
#   VERSIONS             what it was made from
# The kernel is not part of it: it is measured, so it is pinned with the image's other inputs (image-inputs.sh).
#
# Usage: emulator.sh           make it where it is absent (about 4 minutes on 2 cores), print its path
#        emulator.sh --path    print its path; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/emulator-<hash of this script>, or HOLDFAST_EMULATOR as it is.
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
OUT=${HOLDFAST_EMULATOR:-$CACHE/emulator-$(hash_of "$HERE/emulator.sh")}
COMPLETE=VERSIONS
begin "$@"
. "$HERE/debian-packages.sh"

[ "$(uname -m)" = x86_64 ] || die "QEMU has its nitro-enclave machine for x86_64 alone; this machine is $(uname -m)"
command -v apt-get > /dev/null || die "this script builds from Debian's packages and needs apt-get"

TOOLS=(gcc libc6-dev make ninja-build pkg-config python3 python3-venv patch dpkg-dev flex bison xz-utils
  libglib2.0-dev libgnutls28-dev libcbor-dev libfdt-dev zlib1g-dev)
[ "$(python3 -c 'import sys; print(sys.version_info >= (3, 12))' 2> /dev/null)" = True ] || TOOLS+=(python3-distlib)
MISSING=()
for tool in "${TOOLS[@]}"; do
  dpkg-query -W -f '${Status}' "$tool" 2> /dev/null | grep -q 'install ok installed' || MISSING+=("$tool")
done
if [ ${#MISSING[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || die "missing packages; run: sudo apt-get install --no-install-recommends ${MISSING[*]}"
  say "installing ${MISSING[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update > "$WORK/apt.log" 2>&1 || true
  apt-get -q install -y --no-install-recommends "${MISSING[@]}" >> "$WORK/apt.log" 2>&1 || {
    tail -20 "$WORK/apt.log" >&2
    die "the packages above could not be installed"
  }
fi

MIRROR=$(debian_mirror)
say "packages from $MIRROR"
suite binary trixie deb
suite source trixie deb-src
suite newest sid deb # vhost-device-vsock entered Debian after trixie
cd "$WORK"
fetched() { "$@" > fetch.log 2>&1 || {
  cat fetch.log >&2
  die "not to be had: $*"
}; }
fetched apt_in source apt-get source --download-only qemu
fetched apt_in binary apt-get download meson qemu-system-data seabios busybox-static
fetched apt_in newest apt-get download vhost-device-vsock

mkdir qemu meson parts
tar xf qemu_*.orig.tar.xz -C qemu --strip-components=1 --exclude=roms
tar xf qemu_*.debian.tar.xz -C qemu
dpkg -x meson_*.deb meson
for part in vhost-device-vsock qemu-system-data seabios busybox-static; do dpkg -x "${part}"_*.deb parts; done

say "building QEMU"
cd qemu
# Debian's tarball lacks what these two make optional; the others are not about this build.
for name in disable-pycotap skip-unpack-edk2-blobs; do
  [ ! -f "debian/patches/$name.patch" ] || patch -sp1 < "debian/patches/$name.patch" || true
done
printf 'CONFIG_NITRO_ENCLAVE=y\nCONFIG_MICROVM=y\n' > configs/devices/x86_64-softmmu/nitro.mak
mkdir build && cd build
export PATH=$WORK/meson/usr/bin:$PATH PYTHONPATH=$WORK/meson/usr/lib/python3/dist-packages
../configure --target-list=x86_64-softmmu --without-default-features --without-default-devices \
  --with-devices-x86_64=nitro --enable-system --enable-tcg --enable-vhost-user --enable-gnutls --enable-libcbor \
  --enable-fdt=system --disable-debug-info --disable-docs --disable-tools --disable-install-blobs --disable-download --disable-werror \
  > configure.log 2>&1 || {
  tail -30 configure.log >&2
  die "QEMU's configure failed"
}
nice ninja qemu-system-x86_64 > ninja.log 2>&1 || {
  tail -30 ninja.log >&2
  die "QEMU did not compile"
}

NEW=$WORK/new
mkdir -p "$NEW/fw"
strip -o "$NEW/qemu-system-x86_64" qemu-system-x86_64
cd "$WORK"
cp parts/usr/bin/vhost-device-vsock parts/usr/bin/busybox "$NEW/"
cp parts/usr/share/qemu/{qboot.rom,linuxboot_dma.bin,pvh.bin} parts/usr/share/seabios/bios-microvm.bin "$NEW/fw/"
"$NEW/qemu-system-x86_64" -M help | grep -q '^nitro-enclave ' || die "the built QEMU has no nitro-enclave machine"
"$NEW/vhost-device-vsock" --version > /dev/null || die "vhost-device-vsock does not run here"
(for file in qemu_*.dsc meson_*.deb qemu-system-data_*.deb seabios_*.deb busybox-static_*.deb vhost-device-vsock_*.deb; do
  sha256sum "$file"
done) > "$NEW/VERSIONS"
say "made: $(du -sh "$NEW" | cut -f1)"
finish "$NEW"
