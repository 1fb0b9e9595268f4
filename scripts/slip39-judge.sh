#!/bin/bash
# Makes the reference implementation of SLIP-39 (PyPI's shamir-mnemonic, pinned in test/admin/recovery/slip39-judge), which
# the tests of custodians' shares are judged by.
#
# Usage: slip39-judge.sh           make it where it is absent, print its directory
#        slip39-judge.sh --path    print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/slip39-judge-<hash of this script and of the requirements>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
JUDGE=$HERE/../test/admin/recovery/slip39-judge
OUT=$CACHE/slip39-judge-$(hash_of "$HERE/slip39-judge.sh" "$JUDGE"/*)
COMPLETE=complete
begin "$@"
finish_python "$JUDGE/requirements.txt"
