# The rows of one database, in the order in which they are measured. Aims: issue 2, item 9.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the files of this folder share their variables

readonly startups=5
readonly pages=5
declare -A create_aim=([sqlite]=1.3 [postgres]=0.7)
# Milliseconds: what PocketBase (SQLite, without fsync) and Parse (PostgreSQL) need on such a machine.
declare -A lone_create_aim=([sqlite]=0.33 [postgres]=1.2)
declare -A read_aim=([sqlite]=0.4 [postgres]='')
declare -A list_aim=([sqlite]=0.12 [postgres]='')
declare -A write_baseline=([sqlite]='SQLite, each commit writes two rows' [postgres]='pgbench, each commit writes the same two rows')
readonly login_aim=0.9

startup_row() {
  local each time times=()
  for ((each = 1; each <= startups; each++)); do
    new_database "startup_$each"
    serve_command "$result"
    time=$("$baselines" startup --addr "$address" -- "${serve[@]}" 2>"$scratch/server.log") \
      || die "the server does not start: $(tail -n 20 "$scratch/server.log")"
    times+=("$time")
  done
  median "${times[@]}"
  value_row "start-up, median of $startups" "$result" ms 200
}

idle_memory_row() {
  sleep 3
  resident
  value_row 'resident memory, idle' "$result" MiB 40
}

loaded_memory_row() {
  resident
  value_row 'resident memory after the load' "$result" MiB ''
}

# Creates of all rounds, for unique names; how many were answered; the slowest `<seconds> <consumer> <lag>` of their effects.
create_runs=0
answered=0
slowest_drain=

create_rows() {
  local units commits
  create_load "$warm_up"
  slowest_drain='0 none 0'
  metric kizuna_journal_units_total
  units=$result
  metric kizuna_journal_commits_total
  commits=$result

  by_turns "${database}_baseline" create_round
  rate_row 'create a customer' "$measured" "${write_baseline[$database]}" "$baseline" "${create_aim[$database]}"
  drain_row
  group_size_row "$units" "$commits"
}

# Creates one after the other, each from its request to its answer.
lone_create_row() {
  local p50 aim
  create_runs=0 answered=0
  at_once=1
  create_load "$warm_up"
  by_turns "${database}_baseline" create_round
  at_once=$connections
  read -r _ p50 _ <<<"$measured"
  aim=${lone_create_aim[$database]}
  add_row 'create a customer, one at a time' "$(grouped "$(first_word "$measured")")/s" "$(latencies "$measured")" \
    "${write_baseline[$database]}" "$(grouped "$(first_word "$baseline")")/s" "$(latencies "$baseline")" '' "p50 ≤ $aim ms" "$(verdict "$p50 <= $aim")"
}

create_round() { create_load "$round_seconds"; }

# create_load <seconds>: and wait for all effects of it.
create_load() {
  local loaded drained
  create_runs=$((create_runs + 1))
  load "$address" "$1" create "$sales_token" "run-$create_runs"
  loaded=$result
  drained=$("$baselines" drain --addr "$address") || die 'the consumers do not catch up'
  answered=$((answered + ${loaded##* }))
  slowest_drain=$(printf '%s\n' "$slowest_drain" "$drained" | sort -n | tail -n 1)
  result=$loaded
}

drain_row() {
  local time slowest lag
  read -r time slowest lag <<<"$slowest_drain"
  value_row 'last effect after the load' "$time" s 1 "slowest consumer: $slowest, $(grouped "$lag") events behind at the stop"
}

# group_size_row <units before> <commits before>: the units of the effects are among them.
group_size_row() {
  local units commits
  metric kizuna_journal_units_total
  units=$((result - $1))
  metric kizuna_journal_commits_total
  commits=$((result - $2))
  value_row 'mean group of the journal during create' \
    "$(awk -v units="$units" -v commits="$commits" 'BEGIN { printf "%.1f", commits ? units / commits : 0 }')" 'units per commit' ''
}

# Every customer that was answered for is stored, and analytics has counted each exactly once.
check_effects() {
  local stored counted
  api GET '/api/customers?limit=1&count=true' "$manager_token"
  header X-Total-Count
  stored=$result
  ((stored >= answered)) || die "$answered creates were answered, but only $stored customers are stored"
  api GET /api/reports/metrics "$manager_token"
  counted=$(grep -o '"customers_created":[0-9]*' <<<"$result" | awk -F : '{ sum += $2 } END { print sum + 0 }')
  ((stored == counted)) || die "$stored customers are stored, but analytics counts $counted"
}

read_rows() {
  start_bare_server
  customer_paths
  get_row 'read one' "$scratch/customers" "${read_aim[$database]}"
  echo '/api/customers?limit=20' >"$scratch/list"
  get_row 'list 20' "$scratch/list" "${list_aim[$database]}"
  end "$bare_server"
}

# get_row <name> <file of paths> <aim>
get_row() {
  paths=$2
  load "$address" "$warm_up" get "$sales_token" "$paths"
  by_turns http_baseline get_round
  rate_row "$1" "$measured" 'bare actix-web, one token verified' "$baseline" "$3"
}

get_round() { load "$address" "$round_seconds" get "$sales_token" "$paths"; }

# The paths of the newest customers, some pages of 200.
customer_paths() {
  local page next='/api/customers?limit=200'
  : >"$scratch/customers"
  for ((page = 0; page < pages && ${#next} > 0; page++)); do
    api GET "$next" "$sales_token"
    grep -o '"id":"[^"]*"' <<<"$result" | sed 's|"id":"\(.*\)"|/api/customers/\1|' >>"$scratch/customers"
    header Link
    next=$(sed -n 's|^<\(http://[^/]*\)\{0,1\}\([^>]*\)>; *rel="next".*|\2|p' <<<"$result")
  done
}

# Of many people: sign-ins to one account from one address take turns, so that guesses are counted.
login_row() {
  local admin_token n
  log_in "$admin_email"
  admin_token=$result
  for n in {1..16}; do make_user "sales$n@example.com" SALES null; done
  load "$address" "$warm_up" login "$password" sales{1..16}@example.com
  by_turns argon2_baseline login_round
  rate_row 'login, sixteen people' "$measured" 'argon2id, one thread a core' "$baseline" "$login_aim"
}

login_round() { load "$address" "$round_seconds" login "$password" sales{1..16}@example.com; }
