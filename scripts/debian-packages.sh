# Sourced by the scripts that take Debian packages, not installed on this machine, by way of private apt lists, so that the machine's own
# sources, lists and installed packages stay as they are. apt checks every download against the archive's signing key.
# Needs WORK, a directory of the caller's.

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# The mirror that this machine is already set up to use.
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

# suite NAME SUITE TYPE: a private list of one suite; TYPE is deb or deb-src.
suite() {
  mkdir -p "$WORK/$1/lists/partial" "$WORK/$1/cache/archives/partial"
  printf '%s [signed-by=%s] %s %s main\n' "$3" "$KEYRING" "$MIRROR" "$2" > "$WORK/$1/sources.list"
  apt_in "$1" apt-get -o APT::Update::Error-Mode=any update > "$WORK/$1/update.log" 2>&1 || {
    cat "$WORK/$1/update.log" >&2
    die "no package list of Debian $2 from $MIRROR"
  }
}

# apt_in NAME COMMAND…: an apt command over one such list.
apt_in() {
  local dir="$WORK/$1" tool=$2
  shift 2
  "$tool" -q -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -o Acquire::http::Timeout=30 \
    -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/nonexistent \
    -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" "$@"
}
