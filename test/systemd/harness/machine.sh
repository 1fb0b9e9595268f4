#!/bin/bash
# Boots a Debian tree as a container by systemd-nspawn and waits until it has powered itself off. It shares the kernel with
# this machine and nothing else: a network, a /run and thus a systemd of its own. The tree is in memory and gone with it;
# nothing stays behind, however it ends.
#
# Usage: machine.sh --check       exit 1 with the reason where this machine cannot do so
#        machine.sh DEBIAN_TAR    prints the path of a folder to fill, boots when it gets a line on standard input, and prints
#                                 what has been written to the folder's file `reports`
# The folder is /root/test in the container, and its folder etc is added to /etc. When standard input ends, whoever started
# it is gone, and all of it ends at once.
set -euo pipefail

die() {
  printf 'machine.sh: %s\n' "$*" >&2
  exit 1
}

# The control groups that this process is in and systemd works with, as folders: one, or two on a machine with the old
# hierarchies too.
own_groups() {
  local root place type options path
  while read -r root place type options; do
    case $type,$options in
      cgroup2,*) path=$(sed -n 's/^0:://p' /proc/self/cgroup) ;;
      cgroup,*name=systemd*) path=$(sed -n 's/^[0-9]*:name=systemd://p' /proc/self/cgroup) ;;
      *) continue ;;
    esac
    [ "$root" = / ] || path=${path#"$root"}
    printf '%s\n' "$place${path%/}"
  done < <(sed -E 's/^\S+ \S+ \S+ (\S+) (\S+) .* - (\S+) \S+ (\S+)$/\1 \2 \3 \4/' /proc/self/mountinfo)
}

# The groups of this run, and none of it where it has ended: a kernel needs a moment to end what was killed.
GROUPS_MADE=()
make_groups() {
  local group name
  while read -r group; do
    # What a run that was killed itself has left; a group that is in use stays.
    for name in "$group"/holdfast-test-*; do
      [ ! -d "$name" ] || kill -0 "${name##*-}" 2> /dev/null || remove_group "$name" || true
    done
    mkdir "$group/holdfast-test-$$" || die "no control group can be made in $group"
    GROUPS_MADE+=("$group/holdfast-test-$$")
  done < <(own_groups)
}
remove_group() { find "$1" -depth -type d -exec rmdir {} + 2> /dev/null; }
remove_groups() {
  local group
  for group in ${GROUPS_MADE[@]+"${GROUPS_MADE[@]}"}; do
    for _ in {1..100}; do
      [ ! -d "$group" ] || remove_group "$group" || { sleep 0.1 && continue; }
      break
    done
  done
}

check() {
  local tool
  [ "$(id -u)" = 0 ] || die 'it takes root'
  grep -Eq '^ +0 +0 +4294967295$' /proc/self/uid_map || die 'it takes root outside of a user namespace'
  for tool in systemd-nspawn unshare setpriv tar; do
    command -v "$tool" > /dev/null || die "there is no $tool"
  done
  grep -q ' - cgroup2 ' /proc/self/mountinfo || die 'no cgroup2 is mounted'
  grep -q '^Seccomp:' /proc/self/status || die 'the kernel has no seccomp'
  unshare --mount --propagation slave --cgroup --pid --fork --uts --ipc --net mount -t tmpfs run /run 2> /dev/null ||
    die 'no namespaces or no mounts here: a container without privileges?'
  trap remove_groups EXIT
  make_groups
}

# In namespaces of its own.
boot() {
  local archive=$1 folder=$2
  mount -t tmpfs -o mode=755,size=2G run /run
  mkdir /run/tree
  tar -C /run/tree -xf "$archive"
  cp -R --no-preserve=ownership "$folder/etc" /run/tree/
  export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
  exec systemd-nspawn --quiet --settings=no --register=no --keep-unit --machine=holdfast-test --private-network \
    --resolv-conf=off --timezone=off --link-journal=no --console=pipe --bind="$folder:/root/test" --directory=/run/tree \
    --boot < /dev/null
}

case ${1:-},$# in
  --check,1) check ;;
  --boot,*)
    for group in "${@:4}"; do echo $$ > "$group/cgroup.procs"; done
    # systemd-nspawn is the first process of a namespace: what ends it ends all that it has started.
    exec unshare --mount --propagation slave --pid --fork --kill-child --mount-proc bash "$0" --in-namespace "$2" "$3"
    ;;
  --in-namespace,3) boot "$2" "$3" ;;
  [!-]*,1)
    folder=''
    machine=''
    watch=''
    finish() {
      [ -z "$machine" ] || kill -KILL "$machine" 2> /dev/null || true
      [ -z "$watch" ] || kill "$watch" 2> /dev/null || true
      remove_groups
      # Twice: what filled it may have been at it still.
      [ -z "$folder" ] || rm -rf "$folder" 2> /dev/null || { sleep 1 && rm -rf "$folder"; }
    }
    trap finish EXIT
    trap 'exit 143' HUP INT TERM
    trap : PIPE # Nobody may listen any more when this has to clean up.
    folder=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-systemd-XXXXXX")
    printf '%s\n' "$folder"
    read -r _ || die 'standard input has ended'
    make_groups
    exec 3<&0
    setpriv --pdeathsig KILL -- bash "$0" --boot "$1" "$(realpath "$folder")" "${GROUPS_MADE[@]}" 3<&- < /dev/null >&2 &
    machine=$!
    cat <&3 > /dev/null &
    watch=$!
    ended=0
    wait -n "$machine" "$watch" || ended=$?
    [ ! -f "$folder/reports" ] || cat "$folder/reports" || true
    kill -0 "$machine" 2> /dev/null && die 'standard input has ended, and so has the container'
    machine=''
    exit $ended
    ;;
  *)
    awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "$0" >&2
    exit 2
    ;;
esac
