#!/bin/sh
# Compares the vendored source of libsecp256k1 with the distribution on PyPI that it was taken from.
#
# Usage: verify-vendored.sh     exits with 0 when all files are the same, 1 when one differs, 3 when there is nothing to
#                               compare with (no pip, or PyPI out of reach)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
vendored=$root/shared/native/vendor/secp256k1
distribution='electrum-ecc==0.0.8'
digest=94869a77de28ee79b7f7e974af5c20b392b949905880a8b26504e28202644106
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
tar -xzf "$work"/electrum_ecc-*.tar.gz -C "$work"
cd "$work"/electrum_ecc-*/libsecp256k1
sha256sum --check --quiet --strict "$vendored/SHA256SUMS" || exit 1
