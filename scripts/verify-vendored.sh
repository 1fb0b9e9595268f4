#!/bin/sh
# Compares a vendored source (a folder of shared/native/vendor) with the distribution on PyPI that it was taken from.
#
# Usage: verify-vendored.sh secp256k1|libsodium
#                               exits with 0 when all files are the same, 1 when one differs, 2 for another name, 3 when
#                               there is nothing to compare with (no pip, or PyPI out of reach)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
case ${1:-} in
  secp256k1)
    distribution='electrum-ecc==0.0.8'
    digest=94869a77de28ee79b7f7e974af5c20b392b949905880a8b26504e28202644106
    folders=libsecp256k1
    ;;
  libsodium)
    distribution='PyNaCl==1.6.2'
    digest=018494d6d696ae03c7e656e5e74cdfd8ea1326962cc401bcf018f1ed8436811c
    folders='src/libsodium/src/libsodium src/libsodium'
    ;;
  *)
    echo 'usage: verify-vendored.sh secp256k1|libsodium' >&2
    exit 2
    ;;
esac
vendored=$root/shared/native/vendor/$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "$distribution --hash=sha256:$digest" > "$work/requirements"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --require-hashes \
  -r "$work/requirements" -d "$work" > "$work/log" 2>&1 || {
  if grep -q 'DO NOT MATCH' "$work/log"; then
    echo "verify-vendored: $distribution is not the file that is pinned here (sha256 $digest)" >&2
    exit 1
  fi
  echo "verify-vendored: nothing to compare with, $distribution is not to be had" >&2
  exit 3
}
mkdir "$work/distribution" "$work/source"
tar -xzf "$work"/*.tar.gz -C "$work/distribution" --strip-components 1
# A file is looked for in the last folder that has it: a licence lies above the sources.
for folder in $folders; do
  for file in $(sed 's/^[0-9a-f]*  //' "$vendored/SHA256SUMS"); do
    [ ! -f "$work/distribution/$folder/$file" ] || {
      mkdir -p "$work/source/$(dirname "$file")"
      cp "$work/distribution/$folder/$file" "$work/source/$file"
    }
  done
done
cd "$work/source"
sha256sum --check --quiet --strict "$vendored/SHA256SUMS" || exit 1
