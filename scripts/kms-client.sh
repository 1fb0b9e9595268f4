#!/bin/bash
# Makes a program that uses KMS by one of AWS's SDKs, pinned in test/local/kms/clients, so that the KMS stand-in and the
# gateway are shown to real clients: python (boto3 and the AWS CLI), go, java, or cosign (its package for awskms://).
#
# Usage: kms-client.sh python|go|java|cosign          make it where it is absent, print its directory
#        kms-client.sh python|go|java|cosign --path   print its directory; exit 3 where it was not made
# Cache: ${XDG_CACHE_HOME:-~/.cache}/holdfast/kms-client-<language>-<hash of this script and of the client>
# Exit 1 where it cannot be made, with the reason on standard error.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/made-once.sh"
LANGUAGE=${1:-}
CLIENT=$HERE/../test/local/kms/clients/$LANGUAGE
[[ $LANGUAGE =~ ^(python|go|java|cosign)$ ]] || OUT= COMPLETE=none begin "${LANGUAGE:-none}"
shift
OUT=$CACHE/kms-client-$LANGUAGE-$(hash_of "$HERE/kms-client.sh" "$CLIENT"/*)
COMPLETE=complete
begin "$@"

die() {
  say "$*"
  exit 1
}
# run WHAT COMMAND…: the last lines of its output are the reason where it fails.
run() {
  local what=$1
  shift
  "$@" > "$WORK/log" 2>&1 || {
    tail -3 "$WORK/log" >&2
    die "$LANGUAGE: $what"
  }
}

new=$WORK/new
mkdir "$new"
case $LANGUAGE in
  python)
    command -v python3 > /dev/null || die 'python: no python3'
    # Made where it stays, because its programs name their interpreter by its path.
    rm -rf "$OUT"
    run 'no virtual environment (on Debian: python3-venv)' python3 -m venv "$OUT"
    run 'the packages could not be installed' "$OUT/bin/pip" install --disable-pip-version-check --no-deps \
      --requirement "$CLIENT/requirements.txt"
    touch "$OUT/$COMPLETE"
    prune_cache
    printf '%s\n' "$OUT"
    ;;
  go | cosign)
    command -v go > /dev/null || die "$LANGUAGE: no go"
    (cd "$CLIENT" && run 'the client could not be built' go build -mod=readonly -o "$new/client" .)
    touch "$new/$COMPLETE"
    finish "$new"
    ;;
  java)
    command -v javac > /dev/null && command -v mvn > /dev/null && command -v keytool > /dev/null || die 'java: no JDK and Maven'
    run 'the packages could not be fetched' mvn -q -B -f "$CLIENT/pom.xml" dependency:copy-dependencies \
      -DoutputDirectory="$new/lib"
    run 'the client could not be compiled' javac -cp "$new/lib/*" -d "$new" "$CLIENT"/*.java
    touch "$new/$COMPLETE"
    finish "$new"
    ;;
esac
