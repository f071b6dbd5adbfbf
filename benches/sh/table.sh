# The table: rows are gathered as they are measured and printed at the end.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the files of this folder share their variables

rows=()
declare -A title=([sqlite]=SQLite [postgres]=PostgreSQL)

# rate_row <name> <measured> <baseline's name> <baseline> <least ratio or nothing>; both measurements `<per second> <p50> <p99>`.
rate_row() {
  local rate baseline_rate ratio aim='' mark=''
  rate=$(first_word "$2")
  baseline_rate=$(first_word "$4")
  awk -v baseline="$baseline_rate" 'BEGIN { exit !(baseline > 0) }' || die "$3: no figure but '$4'"
  ratio=$(awk -v a="$rate" -v b="$baseline_rate" 'BEGIN { printf "%.2f", a / b }')
  if [[ -n $5 ]]; then
    aim="≥ $5 ×"
    mark=$(verdict "$ratio >= $5")
  fi
  add_row "$1" "$(grouped "$rate")/s" "$(latencies "$2")" "$3" "$(grouped "$baseline_rate")/s" "$(latencies "$4")" "$ratio ×" "$aim" "$mark"
}

# value_row <name> <value> <unit> <what to stay below, or nothing> [remark]
value_row() {
  local aim='' mark=''
  if [[ -n $4 ]]; then
    aim="< $4 $3"
    mark=$(verdict "$2 < $4")
  fi
  add_row "$1" "$2 $3" '' "${5-}" '' '' '' "$aim" "$mark"
}

# add_row <name> <cells…>
add_row() {
  local name=$1
  shift
  rows+=("| ${title[$database]}: $name |$(printf ' %s |' "$@")")
  note "$name: $1 ${*: -1}"
}

first_word() { echo "${1%% *}"; }

verdict() { awk "BEGIN { print ($1) ? \"ok\" : \"below\" }"; }

# latencies <measured>: p50 / p99 in milliseconds.
latencies() { awk '{ printf "%s / %s", short($2), short($3) } function short(ms) { return sprintf(ms < 10 ? "%.2f" : "%.0f", ms) }' <<<"$1"; }

# grouped <number>: 12,345
grouped() { printf '%.0f' "$1" | sed ':again; s/^\([0-9]*[0-9]\)\([0-9]\{3\}\)/\1,\2/; t again'; }

print_table() {
  echo "| | Kizuna | p50 / p99 ms | the machine's baseline | baseline | p50 / p99 ms | ratio | aim | |"
  echo '|---|--:|--:|---|--:|--:|--:|--:|---|'
  printf '%s\n' "${rows[@]}"
}
