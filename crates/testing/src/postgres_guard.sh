# Keeps one PostgreSQL for one test process. Arguments: the directory of its binaries.
#
# Reads ports from stdin, tries to start the server on each and answers a line: `ready`, or what went wrong. Words instead
# of a port: `stop` ends the server as a crash would, `kill` as loss of power would; it may be started again then. `pause`
# makes it hang, until `resume`.
# The end of stdin is the end of the test process, however it came about: the server is stopped at once and
# everything it wrote is deleted.
set -u
bin=$1
umask 077
dir=$(mktemp -d "${TMPDIR:-/tmp}/kizuna-pg.XXXXXX" 2>/dev/null || mktemp -d /tmp/kizuna-pg.XXXXXX) || exit 1
trap 'exit 1' HUP INT TERM
trap 'signal CONT; "$bin/pg_ctl" stop -D "$dir/data" -m immediate -t 30 >/dev/null 2>&1; rm -rf "$dir"' EXIT
exec 2>>"$dir/log"
cd "$dir" || exit 1

# Sends a signal to every process of the server, the first of all first: it makes no new ones then.
signal() {
    first=$(head -n 1 "$dir/data/postmaster.pid" 2>/dev/null) || return 1
    kill -s "$1" "$first" || return 1
    # One that has ended meanwhile needs no signal.
    pgrep -P "$first" | while read -r process; do kill -s "$1" "$process" || :; done
}

# Waits until no process of the server is left that a new one would be in the way of.
killed() {
    first=$(head -n 1 "$dir/data/postmaster.pid") || return 1
    others=$(pgrep -P "$first")
    signal KILL || return 1
    for process in $first $others; do
        while kill -s 0 "$process" 2>/dev/null; do sleep 0.01; done
    done
}

failed() {
    echo "$1: $(tail -n 5 "$dir/log" | tr '\n' ' ')"
}

# --no-sync is about these first files alone: the server itself keeps fsync and synchronous_commit on.
"$bin/initdb" -D "$dir/data" -U kizuna -A trust -E UTF8 --locale=C.UTF-8 --no-sync >>"$dir/log" || {
    failed initdb
    exit 1
}
# Each test has a database of its own, which lives for seconds: vacuuming hundreds of them costs more than it brings.
cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 32MB
autovacuum = off
CONF

while read -r port; do
    if [ "$port" = stop ]; then
        "$bin/pg_ctl" stop -D "$dir/data" -m immediate -t 30 >/dev/null && echo stopped || failed stop
    elif [ "$port" = kill ]; then
        killed && echo killed || failed kill
    elif [ "$port" = pause ]; then
        signal STOP && echo paused || failed pause
    elif [ "$port" = resume ]; then
        signal CONT && echo resumed || failed resume
    elif "$bin/pg_ctl" start -D "$dir/data" -l "$dir/log" -o "-p $port" -w -t 60 >/dev/null; then
        echo ready
    else
        failed "port $port"
    fi
done
