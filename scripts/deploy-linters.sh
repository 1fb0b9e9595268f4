#!/bin/bash
# Makes the linters that judge the templates of deploy/stacks: cfn-lint and checkov from PyPI, pinned in
# test/deploy/linters, in a virtual environment of the cache.
#
# Usage: deploy-linters.sh          make them where they are absent, print their directory
#        deploy-linters.sh --path   print their directory; exit 3 where they were not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/deploy-linters-<hash of this script and of the pins>
# Exit 1 where they cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
PINS=$HERE/../test/deploy/linters/requirements.txt
OUT=$CACHE/deploy-linters-$(hash_of "$HERE/deploy-linters.sh" "$PINS")
COMPLETE=complete
begin "$@"
finish_python "$PINS"
