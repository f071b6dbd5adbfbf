# The load generator, the machine's baselines, and how the two alternate.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the files of this folder share their variables

readonly connections=32
# One setting of wrk for all rows: on two cores two threads get more out of the bare server than one.
readonly wrk_threads=2
# How many requests are under way at the same time: all connections, or one.
at_once=$connections
readonly warm_up=2
readonly rounds=3
round_seconds=

bare_server=
bare_address=

# by_turns <baseline's function> <load's function>: alternates the two, so that the machine's changes of speed affect both. Each function leaves
# `<per second> <p50> <p99> …`; the medians by rate are left in $baseline and $measured.
by_turns() {
  local round of_machine=() of_server=()
  for ((round = 0; round < rounds; round++)); do
    "$1"
    of_machine+=("$result")
    "$2"
    of_server+=("$result")
  done
  median "${of_machine[@]}"
  baseline=$result
  median "${of_server[@]}"
  measured=$result
}

# median <lines…>: the middle one by its first number.
median() { result=$(printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"); }

# load <address> <seconds> <script> <arguments…>: the result is `<per second> <p50> <p99> <requests>`.
# Any answer but a success ends the bench.
load() {
  local address=$1 length=$2 script=$3 report rate p50 p99 requests failures
  shift 3
  report=$(wrk --threads "$((at_once < wrk_threads ? at_once : wrk_threads))" --connections "$at_once" --duration "${length}s" --timeout 10s --latency \
    --script "benches/load/$script.lua" "http://$address" -- "$@") || die "wrk fails: $report"
  report=$(sed -n 's/^report //p' <<<"$report")
  read -r rate p50 p99 requests failures <<<"$report"
  ((requests > 0)) || die "load $script: no answer at all"
  ((failures == 0)) || die "load $script: $failures of $requests requests failed; $(tail -n 5 "$scratch/server.log")"
  result="$rate $p50 $p99 $requests"
}

# Bare actix-web, under the same load as the server. It stays for all rows that are set beside it.
start_bare_server() {
  spawn "$scratch/bare.log" "$baselines" http
  bare_server=$result
  until grep -q '^listening on ' "$scratch/bare.log"; do
    kill -0 "$bare_server" 2>/dev/null || die "the bare server does not start: $(<"$scratch/bare.log")"
    sleep 0.05
  done
  bare_address=$(sed -n 's/^listening on //p' "$scratch/bare.log")
  bare_token=$("$baselines" token)
  echo / >"$scratch/root_path"
  load "$bare_address" "$warm_up" get "$bare_token" "$scratch/root_path"
}

http_baseline() { load "$bare_address" "$round_seconds" get "$bare_token" "$scratch/root_path"; }

# SQLite, one write a commit.
sqlite_baseline() {
  mkdir "$scratch/machine_baseline"
  result=$("$baselines" sqlite "$scratch/machine_baseline" --seconds "$round_seconds")
  rm -r "$scratch/machine_baseline"
}

argon2_baseline() { result=$("$baselines" argon2 --seconds "$round_seconds"); }
