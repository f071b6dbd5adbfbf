# The server that is measured: its start and end, its users, its memory.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the files of this folder share their variables

readonly admin_email=admin@bench.example manager_email=manager@bench.example sales_email=sales@bench.example
readonly password=bench-password-1

# Nothing of the caller's settings takes part.
unset "${!KIZUNA_@}" DATABASE_URL REDIS_URL
export KIZUNA_ADMIN_EMAIL=$admin_email KIZUNA_ADMIN_PASSWORD=$password
export KIZUNA_JWT_SECRET=bench-secret-bench-secret-bench-secret-bench
export KIZUNA_ACCESS_TOKEN_TTL=24h KIZUNA_LOGIN_RATE=100000000/m

server=
address=
manager_token=
sales_token=

# new_database <name>: makes an empty one of $database's kind; its URL is the result.
new_database() {
  if [[ $database == sqlite ]]; then
    mkdir "$scratch/$1"
    result=sqlite://$scratch/$1/k.db
  else
    sql postgres "CREATE DATABASE $1"
    pg_url "$1"
  fi
}

# serve_command <database url>: what to run, in the array $serve; where it will listen, in $address.
serve_command() {
  local url=$1
  free_address
  address=$result
  serve=("$bin/kizuna" serve --listen "$address" --database-url "$url")
}

# start_server <database url>: returns when it is ready.
start_server() {
  local tries
  serve_command "$1"
  spawn "$scratch/server.log" "${serve[@]}"
  server=$result
  for ((tries = 0; tries < 300; tries++)); do
    if curl -fs -o "$scratch/ready" "http://$address/readyz"; then return 0; fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  die "the server does not become ready: $(tail -n 20 "$scratch/server.log")"
}

# api <method> <path> <token> [body]: the answer's body is the result, its head is in $scratch/head; no success ends the bench.
api() {
  local status arguments=(-sS -X "$1" -D "$scratch/head" -o "$scratch/body" -w '%{http_code}')
  if [[ -n $3 ]]; then arguments+=(-H "Authorization: Bearer $3"); fi
  if (($# > 3)); then arguments+=(-H 'Content-Type: application/json' --data-binary "$4"); fi
  status=$(curl "${arguments[@]}" "http://$address$2") || die "$1 $2: no answer"
  result=$(<"$scratch/body")
  [[ $status == 2* ]] || die "$1 $2 answers $status: $result"
}

# header <name>: of the last answer.
header() { result=$(sed -n "s/^$1: \(.*\)\r\$/\1/Ip" "$scratch/head"); }

# text_field <name>: of the last answer's JSON.
text_field() {
  result=$(sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$result")
  [[ -n $result ]] || die "an answer without $1"
}

# log_in <email>: the result is an access token.
log_in() {
  api POST /api/auth/login '' "{\"email\":\"$1\",\"password\":\"$password\"}"
  text_field access_token
}

# Customers are created by somebody with a manager, so that every one has all the effects of flow 2.
make_users() {
  local admin_token manager_id
  log_in "$admin_email"
  admin_token=$result
  make_user "$manager_email" MANAGER null
  manager_id=\"$result\"
  make_user "$sales_email" SALES "$manager_id"
  log_in "$manager_email"
  manager_token=$result
  log_in "$sales_email"
  sales_token=$result
}

# make_user <email> <role> <manager id as JSON>: the result is the user's id. Uses $admin_token of its caller.
make_user() {
  api POST /api/auth/users "$admin_token" \
    "{\"email\":\"$1\",\"name\":\"$2\",\"role\":\"$2\",\"password\":\"$password\",\"manager_id\":$3}"
  text_field id
}

# Resident memory of the server in MiB.
resident() { result=$(awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$server/status"); }

# metric <name>: the sum of its series.
metric() {
  curl -fsS -o "$scratch/metrics" "http://$address/metrics" || die '/metrics does not answer'
  result=$(awk -v name="$1" 'index($0, name) == 1 && substr($0, length(name) + 1, 1) ~ /[{ ]/ { sum += $NF; seen = 1 }
    END { if (seen) printf "%.0f", sum }' "$scratch/metrics")
  [[ -n $result ]] || die "/metrics has no $1"
}
