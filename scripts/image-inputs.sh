#!/bin/bash
# Fetches what the enclave image is made from besides this repository and its npm packages (docker/inputs.lock), checks
# each package against its SHA-256 right before it is unpacked, and prints the directory:
#   kernel/linux.tar.xz   the source of the kernel, which kernel.sh builds
#   root/                 the tools for that, C compiler, binutils and libraries: the root directory to compile in
#
# Usage: image-inputs.sh              make it where it is absent (220 MB of downloads), print its path
#        image-inputs.sh --path       print its path; exit 3 where it was not made
#        image-inputs.sh --into DIR   unpack it anew, as DIR, from packages that are checked again
# Packages are taken from, in this order: the cache, the folder HOLDFAST_INPUTS (of .deb files, by any name), the mirror,
# snapshot.debian.org. Wherever one is from, its SHA-256 decides.
# HOLDFAST_INPUTS_LOCK   another lock file than docker/inputs.lock, which makes another image
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/inputs-<hash of the lock file and this script>, and packages/, for all locks
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
LOCK=${HOLDFAST_INPUTS_LOCK:-$HERE/../docker/inputs.lock}
OUT=$CACHE/inputs-$(hash_of "$LOCK" "$HERE/image-inputs.sh")
COMPLETE=complete
made_anew "$@" && shift 2
begin "$@"
. "$HERE/debian-packages.sh"
for tool in dpkg-deb xz sha256sum; do
  command -v "$tool" > /dev/null || die "needs $tool: this works on Debian and its relatives"
done

KEPT=$CACHE/packages
HAVE=$WORK/have
mkdir -p "$KEPT" "$HAVE" "$WORK/debs"
grep -E '^[0-9a-f]{64} ' "$LOCK" > "$WORK/wanted"

is_wanted() { grep -q "^$1 " "$WORK/wanted"; }
missing() {
  local sha256 package version use
  while read -r sha256 package version use; do
    [ -f "$HAVE/$sha256" ] || printf '%s %s %s\n' "$sha256" "$package" "$version"
  done < "$WORK/wanted"
}

# take_from FOLDER: the packages in it that are wanted, each by the digest of a copy that nobody else writes to.
take_from() {
  local file sha256
  for file in "$1"/*.deb; do
    [ -f "$file" ] || continue
    cp "$file" "$WORK/taken"
    sha256=$(sha256sum < "$WORK/taken" | cut -d' ' -f1)
    if is_wanted "$sha256"; then mv "$WORK/taken" "$HAVE/$sha256"; fi
  done
}

# take_from_archive LIST MIRROR: what is still missing, as far as that archive has it.
take_from_archive() {
  local wanted
  command -v apt-get > /dev/null || return 0
  try_suite "$1" "$2" trixie deb || {
    tail -2 "$WORK/$1/update.log" >&2
    return 0
  }
  missing > "$WORK/missing"
  list_versions "$1" $(cut -d' ' -f2 "$WORK/missing") | sort > "$WORK/listed"
  wanted=$(sort "$WORK/missing" | comm -12 - "$WORK/listed" | awk '{print $2 "=" $3}')
  [ -n "$wanted" ] || return 0
  (cd "$WORK/debs" && apt_in "$1" apt-get download $wanted > "$WORK/download.log" 2>&1) || tail -2 "$WORK/download.log" >&2
  take_from "$WORK/debs"
  rm -f "$WORK"/debs/*
}

ARCHITECTURE=amd64
while read -r sha256 _; do
  [ ! -f "$KEPT/$sha256.deb" ] || cp "$KEPT/$sha256.deb" "$WORK/debs"
done < "$WORK/wanted"
take_from "$WORK/debs"
rm -f "$WORK"/debs/*
[ -z "${HOLDFAST_INPUTS:-}" ] || take_from "$HOLDFAST_INPUTS"
[ -z "$(missing)" ] || take_from_archive mirror "$(debian_mirror)"
if [ -n "$(missing)" ]; then
  say 'the mirror has moved on; trying snapshot.debian.org'
  take_from_archive snapshot "$(debian_snapshot "$(awk '$1 == "snapshot" {print $2}' "$LOCK")")"
fi
for file in "$HAVE"/*; do
  [ -f "$file" ] || continue
  kept=$KEPT/${file##*/}.deb
  if cmp -s "$file" "$kept"; then
    touch "$kept"
  else
    cp "$file" "$kept.$$" && mv "$kept.$$" "$kept"
  fi
done
missing > "$WORK/missing"
if [ -s "$WORK/missing" ]; then
  awk '{print "  " $2 " " $3}' "$WORK/missing" >&2
  die "$(wc -l < "$WORK/missing") of $(wc -l < "$WORK/wanted") pinned packages are neither on the mirror nor at snapshot.debian.org; scripts/update-inputs moves the pins"
fi

NEW=$WORK/new
mkdir -p "$NEW/kernel" "$NEW/root/usr/bin" "$NEW/root/usr/lib" "$NEW/root/usr/lib64" "$WORK/unpacked"
for name in bin lib lib64; do ln -s "usr/$name" "$NEW/root/$name"; done
while read -r sha256 package _ use; do
  case $use in
    kernel) dpkg-deb -x "$HAVE/$sha256" "$WORK/unpacked" ;;
    *)
      dpkg-deb --fsys-tarfile "$HAVE/$sha256" | tar x -C "$NEW/root" --keep-directory-symlink \
        --exclude='./usr/share/doc' --exclude='./usr/share/info' --exclude='./usr/share/locale' --exclude='./usr/share/man'
      ;;
  esac
done < "$WORK/wanted"
for tool in ar as ld; do ln -s "x86_64-linux-gnu-$tool" "$NEW/root/usr/bin/$tool"; done # gcc looks for the short names
ln -s mawk "$NEW/root/usr/bin/awk"
mv "$WORK"/unpacked/usr/src/linux-source-*.tar.xz "$NEW/kernel/linux.tar.xz"
chmod -R u=rwX,go=rX "$NEW"
touch "$NEW/complete"
finish "$NEW"
