# Sourced by the scripts of this folder whose results take minutes and are made once: emulator, kernel, image inputs, Debian
# trees, promtool, and the programs of others that tests run. The caller sets OUT, the directory that it makes, and COMPLETE,
# the file in it that comes last; then
#   begin "$@"       prints OUT and exits where it is there; otherwise returns, alone at work, with an empty folder WORK.
#                    With --place it prints OUT wherever it is, or would be; with --path it exits 3 where it is not there
#   made_anew "$@"   true where they are --into DIR: OUT is that folder then, and nothing that was made before is believed
#   finish FOLDER    puts the folder in place as OUT and prints its path
#   need PROGRAM…    ends with exit 1 where one of these programs is missing
#   run WHAT COMMAND…         runs it in silence; where it fails its last lines and WHAT are the reason, and the script ends
#   finish_crate PROGRAM      builds the crate in SOURCE, as its lock file pins it, and puts its program in place as COMPLETE
#   finish_go NAME PACKAGE…   builds programs of the Go module in SOURCE, as its go.sum pins it, and puts them in place:
#                             one by that name, or, for '', each by its own
#   finish_java               copies the packages of the pom.xml in SOURCE, compiles what is beside it, and puts both in place
#   finish_python FILE        puts a virtual environment with the packages that this file pins in place. make_python FILE
#                             and finish_in_place do the same, with room between them for a program that is added
# What no run has used for two weeks is removed from the cache, other versions of the same things among it.

CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/holdfast
UNUSED_DAYS=14
SELF=$0

say() { printf '%s: %s\n' "$(basename "$SELF" .sh)" "$*" >&2; }

# hash_of FILE…: names what is made from these files.
hash_of() { cat "$@" | sha256sum | cut -c1-12; }

print_if_made() {
  if [ -f "$OUT/$COMPLETE" ]; then
    touch -c "$OUT/$COMPLETE" 2> /dev/null || true
    printf '%s\n' "$OUT"
    exit 0
  fi
}

made_anew() {
  [ "${1:-}" = --into ] && [ -n "${2:-}" ] || return 1
  OUT=$(realpath -m "$2")
  rm -rf "$OUT"
}

begin() {
  if [ "${1:-}" = --place ]; then
    printf '%s\n' "$OUT"
    exit 0
  fi
  print_if_made
  case ${1:-} in
    '') ;;
    --path) exit 3 ;;
    *)
      # The comment at the head of the script.
      awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "$SELF" >&2
      [ "$1" = --help ] && exit 0 || exit 2
      ;;
  esac
  mkdir -p "$CACHE"
  local name
  name=$(basename "$OUT") # Without the hash: one lock for each of the things that one script makes.
  exec 9> "$CACHE/${name%-*}.lock"
  flock 9 # Two test runs at once: the second one waits for the first one's result.
  print_if_made
  WORK=$(mktemp -d)
  trap 'rm -rf "$WORK"' EXIT
}

finish() {
  rm -rf "$OUT" "$OUT.part"
  mkdir -p "$(dirname "$OUT")"
  cp -a "$1" "$OUT.part"
  mv "$OUT.part" "$OUT"
  prune_cache
  printf '%s\n' "$OUT"
}

need() {
  local program
  for program in "$@"; do
    command -v "$program" > /dev/null || {
      say "no $program"
      exit 1
    }
  done
}

run() {
  local what=$1
  shift
  "$@" > "$WORK/log" 2>&1 || {
    tail -3 "$WORK/log" >&2
    say "$what"
    exit 1
  }
}

finish_crate() {
  need cargo
  run 'it could not be built' cargo build --quiet --locked --release --manifest-path "$SOURCE/Cargo.toml" \
    --target-dir "$WORK/target"
  mkdir "$WORK/new"
  cp "$WORK/target/release/$1" "$WORK/new/$COMPLETE"
  finish "$WORK/new"
}

# Programs share packages, which the build cache of Go keeps. Two builds at once would compile each of them twice: they wait
# for one another, and what they download they have before. They run for moments: to optimise them, to describe them to a
# debugger, or to compile their variants in C takes a third of the time, and gives nobody anything. All have the same flags,
# without which the standard library would be compiled for each.
finish_go() {
  local name=$1
  shift
  need go
  mkdir "$WORK/new"
  cd "$SOURCE"
  export CGO_ENABLED=0
  run 'its packages could not be fetched' go list -mod=readonly -deps "$@"
  exec 7> "$CACHE/go.lock"
  flock 7
  run 'it could not be built' go build -mod=readonly -gcflags='all=-N -l -dwarf=false' -ldflags='-s -w' \
    -o "$WORK/new/$name" "$@"
  exec 7>&-
  touch "$WORK/new/$COMPLETE"
  finish "$WORK/new"
}

# Each of these runs for seconds, most of which a compiler that optimises would take.
finish_java() {
  need javac mvn
  mkdir "$WORK/new"
  export MAVEN_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC ${MAVEN_OPTS:-}"
  run 'the packages could not be fetched' mvn -q -B -f "$SOURCE/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$WORK/new/lib"
  run 'it could not be compiled' javac -J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC -cp "$WORK/new/lib/*" -d "$WORK/new" \
    "$SOURCE"/*.java
  touch "$WORK/new/$COMPLETE"
  finish "$WORK/new"
}

# Made where it stays, because its programs name their interpreter by its path. Most of its modules are never imported:
# Python compiles the others then. uv installs the packages, from the index that pip is set up to use, and pip itself where
# uv cannot.
make_python() {
  need python3
  local uv
  uv=$("$HERE/uv.sh" 2> /dev/null) && make_python_by_uv "$uv/bin" "$1" || make_python_by_pip "$1"
}

make_python_by_uv() {
  local index
  index=${PIP_INDEX_URL:-$("$1/pip" config get global.index-url 2> /dev/null || true)}
  rm -rf "$OUT"
  # In the environment: an address may hold a password.
  [ -z "$index" ] || local -x UV_DEFAULT_INDEX=$index
  python3 -m venv --without-pip "$OUT" > "$WORK/log" 2>&1 &&
    "$1/uv" pip install --quiet --no-cache --no-deps --python "$OUT/bin/python" --requirement "$2" > "$WORK/log" 2>&1
}

make_python_by_pip() {
  need python3
  rm -rf "$OUT"
  run 'no virtual environment (on Debian: python3-venv)' python3 -m venv "$OUT"
  run 'the packages could not be installed' "$OUT/bin/pip" install --disable-pip-version-check --no-deps --no-compile \
    --requirement "$1"
}

finish_in_place() {
  touch "$OUT/$COMPLETE"
  prune_cache
  printf '%s\n' "$OUT"
}

finish_python() {
  make_python "$1"
  finish_in_place
}

prune_cache() {
  local marker folder
  for marker in "$CACHE"/emulator-*/VERSIONS "$CACHE"/inputs-*/complete "$CACHE"/debian-*/debian.tar \
    "$CACHE"/kernel-*/complete "$CACHE"/promtool-*/promtool "$CACHE"/cosign-*/cosign "$CACHE"/guest-*/VERSION \
    "$CACHE"/kms-client-*/complete "$CACHE"/geth-peer-*/complete "$CACHE"/psbt-reader-*/psbt-reader \
    "$CACHE"/noise-peer-*/noise-peer "$CACHE"/log-peers-*/complete "$CACHE"/solana-reader-*/reader \
    "$CACHE"/tezos-forger-*/complete "$CACHE"/frost-peer-*/frost-peer "$CACHE"/zf-frost-*/zf-frost \
    "$CACHE"/nats-server-*/nats-server "$CACHE"/hocon-oracle-*/complete "$CACHE"/deploy-linters-*/complete \
    "$CACHE"/slip39-judge-*/complete "$CACHE"/release-tool-*/complete "$CACHE"/moto-*/complete \
    "$CACHE"/key-peer-*/key-peer "$CACHE"/uv-*/complete; do
    [ ! -f "$marker" ] || [ -z "$(find "$marker" -mtime +$UNUSED_DAYS)" ] || rm -rf "$(dirname "$marker")"
  done
  for folder in "$CACHE/ramdisks" "$CACHE/packages"; do
    [ ! -d "$folder" ] || find "$folder" -type f -atime +$UNUSED_DAYS -mtime +$UNUSED_DAYS -delete
  done
}
