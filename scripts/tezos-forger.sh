#!/bin/bash
# Makes a Python with pytezos, pinned in test/policy/transactions/tezos/python, so that the decoder of
# policy/transactions/tezos is held against a second implementation.
#
# Usage: tezos-forger.sh          make it where it is absent, print its directory
#        tezos-forger.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/tezos-forger-<hash of this script and of the requirements>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
REQUIREMENTS=$HERE/../test/policy/transactions/tezos/python/requirements.txt
OUT=$CACHE/tezos-forger-$(hash_of "$HERE/tezos-forger.sh" "$REQUIREMENTS")
COMPLETE=complete
begin "$@"
finish_python "$REQUIREMENTS"
