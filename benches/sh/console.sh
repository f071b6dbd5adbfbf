# The pages that scripts/bench-console asks for.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the files of this folder share their variables

declare -A served=() loaded=()
console_rows=()

# Each row: a name, who may see it (all: both), and the address; {…} is the id of a record,
# and the row is left out for whom there is no record.
console_pages() {
  cat <<'PAGES'
home|all|/
customers|all|/customers
customers by name|all|/customers?sort=name
customers, a common word|all|/customers?q=%E4%BD%90%E8%97%A4
customers, DORMANT|all|/customers?status=DORMANT
customer|all|/customers/{customer}
customer, edit|all|/customers/{customer}/edit
customer, delete|all|/customers/{customer}/delete
meetings|all|/meetings
meetings, a word|all|/meetings?q=%E6%89%93%E5%90%88%E3%81%9B
meeting|all|/meetings/{meeting}
tasks|all|/tasks
tasks, a word|all|/tasks?q=%E9%9B%BB%E8%A9%B1
task|all|/tasks/{task}
approvals|all|/approvals
approvals, a word|all|/approvals?q=%E5%80%A4%E5%BC%95%E3%81%8D
approval|all|/approvals/{approval}
search|all|/search?q=%E4%BD%90%E8%97%A4
notifications|all|/notifications
reports|all|/reports
progress of deletions|all|/sagas
settings|all|/settings
users|admin|/admin/users
user, delete|admin|/admin/users/{user}/delete
administration|admin|/admin
audit log|admin|/admin/audit
security log|admin|/admin/security
Ctrl-K, two letters|all|/palette?q=%E4%BD%90%E8%97%A4
Ctrl-K, one letter|all|/palette?q=%E4%BD%90
Ctrl-K, two words|all|/palette?q=%E4%BD%90%E8%97%A4%20%E6%A0%AA%E5%BC%8F
Ctrl-K, an address|all|/palette?q=user999
Ctrl-K, nothing found|all|/palette?q=zzzzqq
PAGES
}

# open_pages: fills the tables for the server that runs.
open_pages() {
  local who
  for who in admin sales; do
    sign_in "$who"
    records_of "$who"
    ask_pages "$who"
    if [[ $browser == yes ]]; then load_pages "$who"; fi
  done
}

# sign_in <admin|sales>: the session's cookies are in $scratch/cookies, an access token in $token.
sign_in() {
  local email=$admin_email
  if [[ $1 == sales ]]; then email=$one_email; fi
  log_in "$email"
  token=$result
  rm -f "$scratch/cookies"
  curl -sS -o /dev/null -c "$scratch/cookies" -H 'Sec-Fetch-Site: same-origin' --data-urlencode "email=$email" \
    --data-urlencode "password=$password" "http://$address/login" || die 'no sign-in'
}

# records_of <who>: the first record of each kind that the user may see, as a sed script in $ids.
records_of() {
  local kind
  ids=
  for kind in customer meeting task approval; do
    api GET "/api/${kind}s?limit=1" "$token"
    if [[ $result == "[]" ]]; then continue; fi
    text_field id
    ids+="s|{$kind}|$result|;"
  done
  ids+="s|{user}|$one_owner|"
}

ask_pages() {
  local name for_whom path page n
  : >"$scratch/addresses"
  while IFS='|' read -r name for_whom path; do
    if [[ $for_whom != all && $for_whom != "$1" ]]; then continue; fi
    page=$(sed "$ids" <<<"$path")
    if [[ $page == *{* ]]; then continue; fi
    if [[ -z ${served[$name admin]-}${served[$name sales]-} ]]; then console_rows+=("$name"); fi
    for ((n = 0; n < samples + 2; n++)); do printf 'url = "http://%s%s"\noutput = "/dev/null"\n' "$address" "$page"; done >"$scratch/requests"
    curl -sS --globoff -K "$scratch/requests" -b "$scratch/cookies" -H 'Accept: text/html, application/json;q=0.9' --max-time 60 \
      -w '%{http_code} %{time_total}\n' >"$scratch/times" || die "$page: no answer"
    served[$name $1]=$(tail -n +3 "$scratch/times" | sort -k 2 -n \
      | awk '$1 != 200 { failed = $1 } { t[NR] = $2 } END { if (failed) print "(" failed ")"; else printf "%.1f", t[int((NR + 1) / 2)] * 1000 }')
    if [[ $page != /palette* ]]; then printf '%s|%s\n' "$name" "$page" >>"$scratch/addresses"; fi
  done < <(console_pages)
}

# load_pages <who>: each page in Chromium, with the files of the console in its cache.
load_pages() {
  local name milliseconds
  NODE_PATH=tests/e2e/node_modules node benches/console/load.js "http://$address" "$scratch/cookies" "$scratch/addresses" "$samples" \
    >"$scratch/loads" || die 'the browser measured nothing'
  while IFS='|' read -r name milliseconds; do loaded[$name $1]=$milliseconds; done <"$scratch/loads"
}

console_table() {
  local name who cells
  echo
  echo "| $database, $customers customers; median ms | server, ADMIN | server, SALES | loaded, ADMIN | loaded, SALES |"
  echo '|---|--:|--:|--:|--:|'
  for name in "${console_rows[@]}"; do
    cells=
    for who in admin sales; do cells+=" $(beside_aim "${served[$name $who]-}" "$(aim_of "$name")") |"; done
    for who in admin sales; do cells+=" $(beside_aim "${loaded[$name $who]-}" 300) |"; done
    echo "| $name |$cells"
  done
  served=() loaded=() console_rows=()
}

aim_of() { if [[ $1 == Ctrl-K* ]]; then echo 30; else echo 50; fi; }

# beside_aim <figure> <aim>: the figure, in bold if it is above the aim or none.
beside_aim() {
  awk -v figure="$1" -v aim="$2" 'BEGIN { print figure == "" ? "" : (figure ~ /[^0-9.]/ || figure >= aim + 0) ? "**" figure "**" : figure }'
}
