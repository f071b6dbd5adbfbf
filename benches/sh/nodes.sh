# The nodes of a cluster that are measured, their Redis, and loads that go to all of them at once.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the files of this folder share their variables

nodes=()
node_pids=()
redis=
redis_url=

start_redis() {
  local address
  free_address
  address=$result
  mkdir "$scratch/redis"
  spawn "$scratch/redis.log" redis-server --port "${address##*:}" --bind 127.0.0.1 --save '' --appendonly no \
    --dir "$scratch/redis"
  redis=$result
  redis_url=redis://$address
  until grep -q 'Ready to accept connections' "$scratch/redis.log"; do
    kill -0 "$redis" 2>/dev/null || die "redis-server does not start: $(<"$scratch/redis.log")"
    sleep 0.05
  done
}

# start_nodes <count> <database url>: the first makes the schema and the first user.
start_nodes() {
  local each
  nodes=() node_pids=()
  for ((each = 1; each <= $1; each++)); do
    export REDIS_URL=$redis_url KIZUNA_NODE_ID=node-$each
    start_server "$2"
    nodes+=("$address")
    node_pids+=("$server")
  done
  unset REDIS_URL KIZUNA_NODE_ID
  # What asks "the server" asks the first.
  address=${nodes[0]} server=${node_pids[0]}
}

stop_nodes() {
  local pid
  for pid in "${node_pids[@]}"; do end "$pid"; done
}

# load_nodes <seconds> <script> <argument>… : the same connections as with one node, shared out. In an argument `@`
# becomes the node's number. The result is `<per second> <p50> <p99> <requests>`; the latencies are the worst node's.
load_nodes() {
  local length=$1 script=$2 each pids=() share reports=()
  shift 2
  share=$((connections / ${#nodes[@]}))
  for each in "${!nodes[@]}"; do
    wrk --threads 1 --connections "$share" --duration "${length}s" --timeout 10s --latency \
      --script "benches/load/$script.lua" "http://${nodes[each]}" -- "${@//@/$each}" >"$scratch/wrk.$each" 2>&1 &
    pids+=($!)
  done
  for each in "${!pids[@]}"; do
    wait "${pids[each]}" || die "wrk fails: $(<"$scratch/wrk.$each")"
    reports+=("$(sed -n 's/^report //p' "$scratch/wrk.$each")")
  done
  result=$(printf '%s\n' "${reports[@]}" | awk '
    { rate += $1; requests += $4; failures += $5; if ($2 > p50) p50 = $2; if ($3 > p99) p99 = $3 }
    END { printf "%.1f %.3f %.3f %d %d", rate, p50, p99, requests, failures }')
  ((${result##* } == 0)) || die "load $script: ${result##* } requests failed; $(tail -n 5 "$scratch/server.log")"
  result=${result% *}
}
