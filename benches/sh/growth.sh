# What scripts/bench-growth asks, and how it fills a database.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the files of this folder share their variables

readonly first_ms=1672531200000 span_ms=94608000000
# The user who asks for one owner's records, and their address.
readonly one_owner=01850000-0000-7000-8007-000000000007 one_email=sales7@bench.example

declare -A times=()
asked=()

# Without wrk and the baselines, which nothing here needs.
prepare_growth() {
  local each
  [[ $(uname) == Linux ]] || die 'starts servers as Linux does'
  need curl curl
  for each in "${databases[@]}"; do
    if [[ $each == postgres ]]; then find_postgres; else need sqlite3 sqlite3; fi
  done
  bin=${CARGO_TARGET_DIR:-target}/$profile
  if [[ $build == yes ]]; then
    command -v cargo >/dev/null || PATH=$PATH:$HOME/.cargo/bin
    note "building ($profile)"
    if [[ $profile == release ]]; then cargo build --release --quiet --locked -p kizuna; else cargo build --quiet --locked -p kizuna; fi
  fi
  [[ -x $bin/kizuna ]] || die "$bin/kizuna is missing: build it, or leave out --no-build"
  trap cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  scratch=$(mktemp -d)
  chmod 755 "$scratch"
}

free_address() {
  local port
  for _ in {1..100}; do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      result=127.0.0.1:$port
      return 0
    fi
  done
  die 'found no free port'
}

# fill_database <url> <customers>: makes the schema and the administrator, fills the tables, and leaves a server on it.
fill_database() {
  local url=$1 size=$2 began=$SECONDS
  start_server "$url"
  log_in "$admin_email"
  api GET /api/admin/consumers "$result"
  end "$server"
  printf '%s' "$result" >"$scratch/consumers.json"
  note "$database: $size customers: fill"
  "fill_$database" "$url" "$size" || die "the database can't be filled: $(tail -n 5 "$scratch/fill.log")"
  note "$database: $size customers: filled in $((SECONDS - began)) s"
  start_server "$url"
}

# kept_statements <yes|empty: whether the schema has tallies>: what a migration fills from the records, in $scratch/kept.sql.
kept_statements() {
  local folder=migrations/$database
  : >"$scratch/kept.sql"
  if [[ -z $1 ]]; then return 0; fi
  awk '/^INSERT INTO (tallies|[a-z]+_grams|[a-z]+_texts) / { is_in = 1 } is_in; /;$/ { is_in = 0 }' \
    "$folder"/*_create_tallies.sql "$folder"/*_index_search*.sql >"$scratch/kept.sql"
  if [[ $database == sqlite ]]; then
    echo 'UPDATE customer_grams_end SET number = (SELECT max(number) FROM customers);' >>"$scratch/kept.sql"
  fi
}

fill_sqlite() {
  local file=${1#sqlite://} hash
  hash=$(sqlite3 "$file" 'SELECT password_hash FROM users LIMIT 1')
  kept_statements "$(sqlite3 "$file" "SELECT 1 FROM sqlite_master WHERE name = 'tallies'")"
  # shellcheck disable=SC2016  # a dollar sign of the hash
  sed -e "s|{n}|$2|g; s|{consumers}|$scratch/consumers.json|g; s|{drops}|$scratch/triggers.sql|g; s|{kept}|$scratch/kept.sql|g" -e "s|{hash}|${hash//|/}|g" \
    benches/growth/sqlite.sql >"$scratch/fill.sql"
  sqlite3 -bail "$file" <"$scratch/fill.sql" >"$scratch/fill.log" 2>&1
}

fill_postgres() {
  local hash
  hash=$("$pg_bin/psql" "$1" -qXAt -c 'SELECT password_hash FROM users LIMIT 1')
  kept_statements "$("$pg_bin/psql" "$1" -qXAt -c "SELECT to_regclass('tallies')")"
  "$pg_bin/psql" "$1" -qX -v n="$2" -v hash="$hash" -v consumers="$(<"$scratch/consumers.json")" -v kept="$scratch/kept.sql" -f benches/growth/postgres.sql \
    >"$scratch/fill.log" 2>&1
}

drop_database() {
  if [[ $database == sqlite ]]; then rm -rf "${scratch:?}/$1"; else sql postgres "DROP DATABASE $1"; fi
}

# moment <number of a customer> <customers>: when it was created.
moment() { result=$(date -u -d "@$(((first_ms + $1 * span_ms / $2) / 1000))" +%Y-%m-%dT%H:%M:%SZ); }

# ask_all <customers>: every request, as the administrator (all records) and as a user of SALES (their own).
ask_all() {
  local size=$1 all own of day next from to middle sort q
  log_in "$admin_email"
  all=$result
  log_in "$one_email"
  own=$result
  api GET '/api/customers?limit=1' "$all"
  text_field id
  of=$result
  for sort in -created_at created_at name -name updated_at -updated_at; do
    ask "customers by $sort" "$all" "/api/customers?sort=$sort"
    ask "customers by $sort, own" "$own" "/api/customers?sort=$sort"
    ask "customers by $sort, DORMANT" "$all" "/api/customers?sort=$sort&status=DORMANT"
    ask "customers by $sort, one owner's ACTIVE" "$all" "/api/customers?sort=$sort&status=ACTIVE&owner_id=$one_owner"
  done
  middle=$((size / 2))
  moment "$middle" "$size"
  from=$result
  moment $((middle + 100)) "$size"
  to=$result
  ask 'customers created in a time (100)' "$all" "/api/customers?created_from=$from&created_to=$to"
  ask 'customers created in a time (100), by name' "$all" "/api/customers?sort=name&created_from=$from&created_to=$to"
  page_after "$all" '/api/customers?sort=name&limit=200'
  ask 'customers by name, second page of 200' "$all" "$result"
  # Of all customers: half, 1 in 40, 1 in 97, five, none; then two letters and one.
  for q in 株式会社 佐藤 @example42. 稀少品 user999 ズズズ zzzz 稀少 稀 ズ z; do
    ask "search $q" "$all" "/api/customers?$(query "$q")"
    ask "search $q by name, own" "$own" "/api/customers?sort=name&$(query "$q")"
  done
  ask 'count of customers' "$all" '/api/customers?limit=1&count=true'
  ask 'count of customers, own' "$own" '/api/customers?limit=1&count=true'
  ask 'count of customers, DORMANT' "$all" '/api/customers?limit=1&count=true&status=DORMANT'
  ask 'count of a rare search' "$all" "/api/customers?limit=1&count=true&$(query 稀少品)"
  for each in meetings tasks approvals; do
    ask "$each" "$all" "/api/$each"
    ask "$each, own, counted" "$own" "/api/$each?count=true"
    ask "$each of a customer, counted" "$all" "/api/$each?count=true&customer_id=$of"
  done
  # Records of customers with the name, of four in ten thousand customers, and none.
  for each in meetings tasks approvals; do
    for q in 佐藤 稀少 稀 zzzz; do
      ask "$each, search $q" "$all" "/api/$each?$(query "$q")"
      ask "$each, search $q, own, counted" "$own" "/api/$each?count=true&$(query "$q")"
    done
  done
  for q in 佐藤 佐 '佐藤 株式' user999 稀少 zzzz; do
    ask "search of all records, $q" "$all" "/api/search?$(query "$q")"
    ask "search of all records, $q, own" "$own" "/api/search?$(query "$q")"
  done
  ask 'meetings until a time' "$all" "/api/meetings?to=$from"
  ask 'tasks, OPEN, counted' "$all" '/api/tasks?status=OPEN&count=true'
  ask 'tasks, OPEN, own, due before' "$own" "/api/tasks?status=OPEN&due_before=$from"
  ask 'approvals, PENDING, counted' "$all" '/api/approvals?status=PENDING&count=true'
  ask "approvals, one requester's REJECTED" "$all" "/api/approvals?status=REJECTED&requester_id=$one_owner"
  day=from=2025-06-01\&to=2025-06-30
  for each in customers meetings tasks approvals; do
    ask "statistics of $each, a month" "$all" "/api/$each/stats?$day"
    ask "statistics of $each, a month, own" "$own" "/api/$each/stats?$day"
  done
  ask 'sales summary, a month' "$all" "/api/reports/sales-summary?$day"
  ask 'sales summary, a month, own' "$own" "/api/reports/sales-summary?$day"
  ask 'daily figures, a month' "$all" "/api/reports/metrics?$day"
  ask 'daily figures, a month, own' "$own" "/api/reports/metrics?$day"
  ask 'deletion preview of a customer' "$all" "/api/customers/$of/deletion-preview"
  ask 'deletion preview of a user' "$all" "/api/auth/users/$one_owner/deletion-preview"
  moment $((middle + 1000)) "$size"
  ask 'export of 1,000 customers' "$all" "/api/customers?created_from=$from&created_to=$result" text/csv
  ask 'activity of a customer, counted' "$all" "/api/customers/$of/activity?count=true"
  ask 'audit log' "$all" '/api/audit/events'
  ask 'audit log, counted' "$all" '/api/audit/events?count=true'
  ask 'audit log of a type' "$all" '/api/audit/events?type=meeting.created'
  ask 'audit log of a user' "$all" "/api/audit/events?actor_id=$one_owner"
  ask 'notifications, counted' "$own" '/api/notifications?count=true'
  ask 'unread notifications' "$own" '/api/notifications/unread'
  ask '/api/admin/integrity' "$all" /api/admin/integrity
  ask '/api/admin/consumers' "$all" /api/admin/consumers
}

# query <text>: the parameter q for a path.
query() { printf 'q=%s' "$(printf '%s' "$1" | od -An -tx1 -v | tr -d ' \n' | sed 's/../%&/g')"; }

# page_after <token> <path>: the path of the next page.
page_after() {
  api GET "$2" "$1"
  header Link
  result=$(sed -n 's|^<\(http://[^/]*\)\{0,1\}\([^>]*\)>; *rel="next".*|\2|p' <<<"$result")
  [[ -n $result ]] || die "$2 has one page"
}

# ask <row> <token> <path> [media type]: one connection, one request after the other; the median time in ms of this size, or
# the status that is no success. The first two requests warm up, whatever they answer: they may count what the next ones know.
ask() {
  local name=$1 config="$scratch/requests" n
  for ((n = 0; n < samples + 2; n++)); do printf 'url = "http://%s%s"\noutput = "/dev/null"\n' "$address" "$3"; done >"$config"
  curl -sS --globoff -K "$config" -H "Authorization: Bearer $2" -H "Accept: ${4-application/json}" --max-time 300 \
    -w '%{http_code} %{time_total}\n' >"$scratch/times" || die "$3: no answer"
  result=$(tail -n +3 "$scratch/times" | sort -k 2 -n \
    | awk '!/^2/ { failed = $1 } { t[NR] = $2 } END { if (failed) print "(" failed ")"; else printf "%.2f", t[int((NR + 1) / 2)] * 1000 }')
  if [[ -z ${times[$database $name]-} ]]; then asked+=("$name"); fi
  times[$database $name]+=" $result"
}

growth_table() {
  local name
  echo
  echo "| $database, ms |$(printf ' %s |' "${sizes[@]}") ratio |"
  echo "|---|$(printf -- '--:|%.0s' "${sizes[@]}")--:|"
  for name in "${asked[@]}"; do
    awk -v name="$name" '{ printf "| %s |", name; for (n = 1; n <= NF; n++) printf " %s |", $n; printf ($1 > 0 && $NF > 0) ? " %.2f |\n" : " |\n", $NF / $1 }' \
      <<<"${times[$database $name]}"
  done
  asked=()
}
