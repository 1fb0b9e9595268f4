#!/bin/bash
# Makes a Python with moto's server and boto3, pinned in test/local/s3/moto, so that the stand-in for S3 is held against
# another one by the same client.
#
# Usage: moto.sh          make it where it is absent, print its directory
#        moto.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/moto-<hash of this script and of the requirements>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
REQUIREMENTS=$HERE/../test/local/s3/moto/requirements.txt
OUT=$CACHE/moto-$(hash_of "$HERE/moto.sh" "$REQUIREMENTS")
COMPLETE=complete
begin "$@"
finish_python "$REQUIREMENTS"
