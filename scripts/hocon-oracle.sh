#!/bin/bash
# Makes the program that reads HOCON by com.typesafe:config, the parser and the version that Canton has, so that ours is
# judged by it: pinned in test/admin/canton/hocon/oracle.
#
# Usage: hocon-oracle.sh          make it where it is absent, print its directory
#        hocon-oracle.sh --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/hocon-oracle-<hash of this script and of the program>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
SOURCE=$HERE/../test/admin/canton/hocon/oracle
OUT=$CACHE/hocon-oracle-$(hash_of "$HERE/hocon-oracle.sh" "$SOURCE"/*)
COMPLETE=complete
begin "$@"
need java
finish_java
