# Sourced by the scripts that take Debian packages, not installed on this machine, by way of private apt lists, so that the machine's own
# sources, lists and installed packages stay as they are. apt checks every download against the archive's signing key.
# The caller has WORK, a directory of its own, and may set ARCHITECTURE, where it is not this machine's.
#
# HOLDFAST_DEBIAN_MIRROR     the mirror instead of the one that this machine's apt uses; options for apt may stand before
#                            it: "[trusted=yes] file:///srv/debian"
# HOLDFAST_DEBIAN_SNAPSHOT   the same for the archive of all that mirrors ever had, below which there is a folder a time

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# debian_mirror: the mirror that this machine is already set up to use.
debian_mirror() {
  if [ -n "${HOLDFAST_DEBIAN_MIRROR:-}" ]; then
    printf '%s\n' "$HOLDFAST_DEBIAN_MIRROR"
    return
  fi
  local site
  site=$(apt-get indextargets --format '$(SITE) $(ORIGIN) $(LABEL)' 2> /dev/null | awk '$2 == "Debian" && $3 == "Debian" {print $1; exit}')
  [ -n "$site" ] || die "this machine's apt knows no Debian mirror; run apt-get update, or set HOLDFAST_DEBIAN_MIRROR"
  printf '%s\n' "$site"
}

# debian_snapshot TIME: the archive as it was then (20261121T000000Z): signed, and possibly expired by its own dates.
debian_snapshot() {
  with_option check-valid-until=no "${HOLDFAST_DEBIAN_SNAPSHOT:-http://snapshot.debian.org/archive/debian}/$1"
}

# with_option OPTION MIRROR: apt takes one pair of brackets in a line, and no second.
with_option() {
  case $2 in
    '['*']'*) printf '[%s %s\n' "$1" "${2#[}" ;;
    *) printf '[%s] %s\n' "$1" "$2" ;;
  esac
}

# source_line MIRROR SUITE TYPE: a line for sources.list.
source_line() { printf '%s %s %s main\n' "$3" "$(with_option "signed-by=$KEYRING" "$1")" "$2"; }

# try_suite NAME MIRROR SUITE TYPE: a private list of one suite; TYPE is deb or deb-src. False where it cannot be had,
# with apt's words in $WORK/NAME/update.log.
try_suite() {
  mkdir -p "$WORK/$1/lists/partial" "$WORK/$1/cache/archives/partial"
  source_line "$2" "$3" "$4" > "$WORK/$1/sources.list"
  apt_in "$1" apt-get -o APT::Update::Error-Mode=any update > "$WORK/$1/update.log" 2>&1
}

# suite NAME SUITE TYPE: a private list of one suite from $MIRROR, as try_suite makes it; ends the script where it
# cannot be had.
suite() {
  try_suite "$1" "$MIRROR" "$2" "$3" || {
    cat "$WORK/$1/update.log" >&2
    die "no package list of Debian $2 from $MIRROR"
  }
}

# apt_in NAME COMMAND…: an apt command over one such list, and over nothing that is installed.
apt_in() {
  local dir="$WORK/$1" tool=$2
  shift 2
  "$tool" -q ${ARCHITECTURE:+-o APT::Architecture=$ARCHITECTURE} -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Languages=none -o Acquire::http::Timeout=30 -o Acquire::Retries=1 \
    -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/nonexistent -o Dir::Etc::preferences=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::status=/dev/null \
    -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" "$@"
}

# list_versions NAME PACKAGE…: what that list has of them, a line each: SHA256 PACKAGE VERSION.
list_versions() {
  local list=$1
  shift
  { apt_in "$list" apt-cache show "$@" 2> /dev/null || true; } | awk '
    function flush() { if (name != "") print sha256, name, version; name = version = sha256 = "" }
    /^Package: / { name = $2 } /^Version: / { version = $2 } /^SHA256: / { sha256 = $2 } /^$/ { flush() }
    END { flush() }'
}

# download NAME PACKAGE…: packages of a private list, into the working directory; ends the script where one cannot be
# had.
download() {
  local list=$1
  shift
  apt_in "$list" apt-get download "$@" > "$WORK/download.log" 2>&1 || {
    cat "$WORK/download.log" >&2
    die "not to be had: $*"
  }
}

# finish_debian SUITE PACKAGE PATH WORD: puts one program of a package in place, alone; it must run here, with that word.
# For scripts of made-once.sh.
finish_debian() {
  local suite=$1 package=$2 program=$3 word=$4
  command -v apt-get > /dev/null || die "$COMPLETE comes from Debian's packages, by apt-get"
  MIRROR=$(debian_mirror)
  say "packages from $MIRROR"
  suite binary "$suite" deb
  cd "$WORK"
  download binary "$package"
  dpkg-deb -x "$package"_*.deb package
  "package/$program" "$word" > /dev/null 2>&1 || die "$COMPLETE does not run here"
  mkdir new
  cp "package/$program" "new/$COMPLETE"
  finish new
}
