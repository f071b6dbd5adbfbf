# Keeps one PostgreSQL for one test process. Arguments: the directory of its binaries.
#
# Reads ports from stdin, tries to start the server on each and answers a line: `ready`, or what went wrong. The word
# `stop` instead of a port ends the server as a crash would; it may be started again then.
# The end of stdin is the end of the test process, however it came about: the server is stopped at once and
# everything it wrote is deleted.
set -u
bin=$1
umask 077
dir=$(mktemp -d "${TMPDIR:-/tmp}/kizuna-pg.XXXXXX" 2>/dev/null || mktemp -d /tmp/kizuna-pg.XXXXXX) || exit 1
trap 'exit 1' HUP INT TERM
trap '"$bin/pg_ctl" stop -D "$dir/data" -m immediate -t 30 >/dev/null 2>&1; rm -rf "$dir"' EXIT
exec 2>>"$dir/log"
cd "$dir" || exit 1

failed() {
    echo "$1: $(tail -n 5 "$dir/log" | tr '\n' ' ')"
}

# --no-sync is about these first files alone: the server itself keeps fsync and synchronous_commit on.
"$bin/initdb" -D "$dir/data" -U kizuna -A trust -E UTF8 --locale=C.UTF-8 --no-sync >>"$dir/log" || {
    failed initdb
    exit 1
}
cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 32MB
CONF

while read -r port; do
    if [ "$port" = stop ]; then
        "$bin/pg_ctl" stop -D "$dir/data" -m immediate -t 30 >/dev/null && echo stopped || failed stop
    elif "$bin/pg_ctl" start -D "$dir/data" -l "$dir/log" -o "-p $port" -w -t 60 >/dev/null; then
        echo ready
    else
        failed "port $port"
    fi
done
