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
need java javac mvn

mkdir "$WORK/new"
run 'the package could not be fetched' mvn -q -B -f "$SOURCE/pom.xml" dependency:copy-dependencies \
  -DoutputDirectory="$WORK/new/lib"
run 'the program could not be compiled' javac -cp "$WORK/new/lib/*" -d "$WORK/new" "$SOURCE/Oracle.java"
touch "$WORK/new/$COMPLETE"
finish "$WORK/new"
