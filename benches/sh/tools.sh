# Programs, temporary files and processes of scripts/bench. A function that yields a value leaves it in $result,
# so that `die` inside it ends the bench and not only a subshell.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the files of this folder share their variables

bin=${CARGO_TARGET_DIR:-target}/release
baselines=$bin/baselines
scratch=
result=
declare -A started=()

note() { echo "bench: $*" >&2; }

die() {
  note "$*"
  exit 1
}

# need <program> <Debian package>: installs the package if the program is missing and that is possible.
need() {
  command -v "$1" >/dev/null || install_package "$2"
  command -v "$1" >/dev/null || die "$1 is missing: install it (Debian: apt-get install $2)"
}

# install_package <Debian package>: tries; the caller looks whether it helped.
install_package() {
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then return 0; fi
  note "installing $1"
  { apt-get install -y "$1" || { apt-get update && apt-get install -y "$1"; }; } >/dev/null 2>&1 || true
}

# Everything that the measurements need, and a directory that goes away with the bench.
prepare() {
  local each
  [[ $(uname) == Linux ]] || die 'reads /proc: it runs on Linux only'
  need wrk wrk
  need curl curl
  for each in "${databases[@]}"; do
    if [[ $each == postgres ]]; then find_postgres; fi
  done
  if [[ $build == yes ]]; then build_release; fi
  round_seconds=$(((seconds + rounds - 1) / rounds))
  trap cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  scratch=$(mktemp -d)
  chmod 755 "$scratch"
  if [[ $(file_system) == tmpfs ]]; then
    note "warning: $scratch is in memory, where durable writes cost nothing; set TMPDIR to a disk"
  fi
  if awk -v cores="$(nproc)" '{ exit !($1 > cores / 4) }' /proc/loadavg; then
    note "warning: others use this machine (load average $(cut -d ' ' -f 1 /proc/loadavg)); the figures will suffer"
  fi
}

build_release() {
  command -v cargo >/dev/null || PATH=$PATH:$HOME/.cargo/bin
  command -v cargo >/dev/null || die 'cargo is missing: install Rust'
  note 'building the release'
  cargo build --release --quiet -p kizuna -p baselines
}

# spawn <log> <command…>: starts a process in the background; its pid is the result.
spawn() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 &
  result=$!
  started[$result]=yes
}

# end <pid>: asks a process to end, insists after ten seconds.
end() {
  local pid=$1 tries
  kill "$pid" 2>/dev/null || true
  for ((tries = 0; tries < 100; tries++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  unset "started[$pid]"
}

cleanup() {
  local pid
  set +e
  for pid in "${!started[@]}"; do end "$pid"; done
  stop_cluster
  if [[ -n $scratch ]]; then rm -rf "$scratch"; fi
}

free_address() { result=127.0.0.1:$("$baselines" port); }

file_system() { df --output=fstype "$scratch" | tail -n 1; }

machine_line() {
  local model memory
  model=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
  memory=$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)
  echo
  echo "$(nproc) cores, ${model:-$(uname -m)}, Linux $(uname -r), $memory, $(file_system)," \
    "client, server and database on the same machine, $connections connections," \
    "medians of $rounds rounds of $round_seconds s, $(date -u +%Y-%m-%d)"
}
