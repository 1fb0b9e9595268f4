#!/bin/bash
# Makes uv, pinned here, by which made-once.sh installs the Python packages that tests use. pip looks through the whole index
# of a package for each pin, and computes ten times as long.
#
# Usage: uv.sh          make it where it is absent, print its directory
#        uv.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/uv-<hash of this script>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
OUT=$CACHE/uv-$(hash_of "$HERE/uv.sh")
COMPLETE=complete
begin "$@"
# By its wheels for Linux on x86-64 and on 64-bit ARM: a program of one file that tests trust.
cat > "$WORK/requirements.txt" << 'END'
uv==0.13.9 \
  --hash=sha256:d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19 \
  --hash=sha256:5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe \
  --hash=sha256:ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375
END
make_python_by_pip "$WORK/requirements.txt"
run 'it does not run here' "$OUT/bin/uv" --version
finish_in_place
