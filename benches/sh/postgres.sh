# A PostgreSQL of the bench's own, with its default settings, and its baseline by pgbench.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the files of this folder share their variables

pg_bin=
pg_data=
pg_port=

find_postgres() {
  locate_postgres
  if [[ -z $pg_bin ]]; then
    install_package postgresql
    locate_postgres
  fi
  [[ -n $pg_bin ]] || die 'PostgreSQL (initdb, pg_ctl, psql, pgbench) is missing: install it (Debian: apt-get install postgresql)'
}

# Where a program on the PATH leads, or where Debian puts them: one directory that has all of them.
locate_postgres() {
  local each
  for each in "$(dirname "$(readlink -f "$(command -v initdb || echo none)")")" /usr/lib/postgresql/*/bin; do
    if [[ -x $each/initdb && -x $each/pg_ctl && -x $each/psql && -x $each/pgbench ]]; then pg_bin=$each; fi
  done
}

# PostgreSQL refuses to run as root.
as_postgres() (
  cd /
  if ((EUID != 0)); then
    "$@"
  elif command -v runuser >/dev/null; then
    runuser -u postgres -- "$@"
  else
    # shellcheck disable=SC2016  # for the inner shell
    su postgres -s /bin/sh -c '"$0" "$@"' -- "$@"
  fi
)

start_cluster() {
  local address
  note 'postgres: a new cluster'
  mkdir "$scratch/postgres"
  if ((EUID == 0)); then chown postgres "$scratch/postgres"; fi
  free_address
  address=$result
  pg_port=${address##*:}
  as_postgres "$pg_bin/initdb" -D "$scratch/postgres/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
  pg_data=$scratch/postgres/data
  as_postgres "$pg_bin/pg_ctl" start -w -D "$pg_data" -l "$scratch/postgres/log" \
    -o "-p $pg_port -c listen_addresses=127.0.0.1 -c unix_socket_directories=" >/dev/null \
    || die "PostgreSQL does not start: $(tail -n 5 "$scratch/postgres/log")"
}

# By the pid that the cluster keeps in its data directory.
stop_cluster() {
  if [[ -z $pg_data ]]; then return 0; fi
  as_postgres "$pg_bin/pg_ctl" stop -w -D "$pg_data" -m immediate >/dev/null 2>&1 || true
  rm -rf "$scratch/postgres"
  pg_data=
}

# pg_url <database>
pg_url() { result=postgres://postgres@127.0.0.1:$pg_port/$1; }

# sql <database> <statements>
sql() {
  local url
  pg_url "$1"
  url=$result
  "$pg_bin/psql" "$url" -qX -v ON_ERROR_STOP=1 -c "$2" >/dev/null
}

# The two rows of benches/baselines/src/sqlite.rs from as many clients as the load has requests under way: `<per second> <p50> <p99>`.
postgres_baseline() {
  local baseline
  sql postgres 'CREATE DATABASE machine_baseline'
  sql machine_baseline 'CREATE TABLE customers (id text PRIMARY KEY, body text NOT NULL);
    CREATE TABLE events (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id text NOT NULL, body text NOT NULL)'
  pgbench 1 0
  rm -f "$scratch"/pgbench.*
  pgbench "$round_seconds" 1000000000
  pgbench_percentiles "$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$scratch/pgbench_report")"
  baseline=$result
  sql postgres 'DROP DATABASE machine_baseline'
  sql postgres CHECKPOINT
  result=$baseline
}

# pgbench <seconds> <first number>: ids are numbered from there, for every client.
pgbench() {
  pg_url machine_baseline
  "$pg_bin/pgbench" "$result" -n -M prepared -c "$at_once" -j "$((at_once < $(nproc) ? at_once : $(nproc)))" -T "$1" -f benches/load/two_rows.sql \
    -D "n=$2" -D "customer=$(repeat c 264)" -D "event=$(repeat e 664)" \
    -l --log-prefix "$scratch/pgbench" >"$scratch/pgbench_report" 2>&1 \
    || die "pgbench fails: $(tail -n 5 "$scratch/pgbench_report")"
}

repeat() { printf "%$2s" '' | tr ' ' "$1"; }

# pgbench_percentiles <per second>: from the log of every transaction, whose third column is microseconds.
pgbench_percentiles() {
  result="$1 $(cat "$scratch"/pgbench.* | cut -d ' ' -f 3 | sort -n | awk '
    { sample[NR] = $1 }
    END { printf "%.3f %.3f", sample[int((NR * 50 + 99) / 100)] / 1000, sample[int((NR * 99 + 99) / 100)] / 1000 }')"
}
