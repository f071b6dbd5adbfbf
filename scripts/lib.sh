# Helpers that the scripts of this directory share. Sourced, never run; expects `set -euo pipefail`.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export ROOT

# headline TEXT: says what comes next.
headline() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

# warn TEXT, die TEXT: on stderr; die also ends the script.
warn() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { warn "$@"; exit 1; }

have() { command -v "$1" >/dev/null 2>&1; }

# --- what the machine has -------------------------------------------------------------------------

# ensure_debian_package PACKAGE...: installs what is missing, or says what to install and fails.
ensure_debian_package() {
    local missing=() package
    for package in "$@"; do
        have dpkg-query && dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed \
            || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo -n)
    if ! have apt-get || ! "${sudo[@]}" true 2>/dev/null; then
        warn "please install: ${missing[*]} (the names of the Debian packages)"
        return 1
    fi
    headline "installing ${missing[*]}"
    "${sudo[@]}" apt-get update -qq || warn "apt-get update failed; trying with the lists at hand"
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

# ensure_command COMMAND PACKAGE: the package only if the command is not there already.
ensure_command() { have "$1" || ensure_debian_package "$2"; }

# find_pg_bin: prints the directory with initdb, postgres and their like: the PATH's, else Debian's newest.
find_pg_bin() {
    local dir
    while read -r dir; do
        if [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then
            dirname "$(readlink -f "$dir/initdb")"
            return 0
        fi
    done < <(tr ':' '\n' <<<"$PATH"; printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV)
    return 1
}

ensure_postgres() { find_pg_bin >/dev/null || ensure_debian_package postgresql; }

# without_services COMMAND...: runs it while packages must not start what they bring, as Debian's policy allows to say.
# Somebody's own policy is left alone.
without_services() {
    local policy=/usr/sbin/policy-rc.d status=0
    if [ "$(id -u)" -ne 0 ] || [ -e "$policy" ]; then "$@"; return; fi
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    "$@" || status=$?
    rm -f "$policy"
    return "$status"
}

# Only its program is used: tests start their own.
ensure_redis() { have redis-server || without_services ensure_debian_package redis-server; }

# HAProxy is where only root's PATH leads.
ensure_haproxy() {
    have haproxy || [ -x /usr/sbin/haproxy ] || without_services ensure_debian_package haproxy
}

# ensure_cargo: puts rustup's directory on the PATH if cargo is only there.
ensure_cargo() {
    have cargo || PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
    have cargo || die "cargo is missing: install Rust, see https://rustup.rs"
    export PATH
}

# ensure_cargo_tool TOOL VERSION: compiles a subcommand of cargo into CARGO_HOME if it is not there in any version. That
# takes a minute or two and is done once per machine; it is not optimised, for it works for seconds.
ensure_cargo_tool() {
    local tool=$1 version=$2
    if cargo "${tool#cargo-}" --version >/dev/null 2>&1; then return 0; fi
    headline "installing $tool $version"
    CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --profile dev --version "$version" "$tool"
}

# use_mold: links with mold when it is there; linking is a good part of a debug build.
use_mold() {
    if have mold; then
        export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C link-arg=-fuse-ld=mold"
    fi
}

# use_memory: keeps the tests' databases in memory where there is plenty of it, or most of their time is the disk's. What
# they prove, they prove by killing processes, which the files of a memory file system outlive.
use_memory() {
    local needed=$((10 * 1024 * 1024)) room available
    [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && [ -r /proc/meminfo ] || return 0
    room=$(df -kP /dev/shm | awk 'NR == 2 { print $4 }')
    available=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
    if [ "${room:-0}" -gt "$needed" ] && [ "${available:-0}" -gt "$needed" ]; then export TMPDIR=/dev/shm; fi
}

# build_client: the TypeScript client in clients/typescript/dist, its types from the document of BIN.
build_client() {
    local at=$ROOT/clients/typescript
    have node || ensure_debian_package nodejs || die "no Node.js"
    have npm || ensure_debian_package npm || die "no npm"
    # What the lock file names, and only when it has changed since.
    if ! cmp -s "$at/package-lock.json" "$at/node_modules/.kizuna-lock"; then
        npm ci --prefix "$at" --no-audit --no-fund --silent
        cp "$at/package-lock.json" "$at/node_modules/.kizuna-lock"
    fi
    "$BIN" openapi >"$at/openapi.json"
    npm run --prefix "$at" --silent schema >/dev/null
    npm run --prefix "$at" --silent build
}

# --- processes ------------------------------------------------------------------------------------

# find_binary: sets BIN to the server to test: that of KIZUNA_BIN, or a debug build.
find_binary() {
    BIN=${KIZUNA_BIN:-}
    if [ -z "$BIN" ]; then
        ensure_cargo
        use_mold
        cargo build --locked --bin kizuna
        BIN=${CARGO_TARGET_DIR:-$ROOT/target}/debug/kizuna
    fi
    [ -x "$BIN" ] || die "$BIN is not a program"
}

# free_port: prints a port of 127.0.0.1 that nobody listens on, below the range of outgoing connections.
free_port() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return 0
        fi
    done
    die "found no free port"
}

# listening_url LOG PID [SECONDS]: waits until a kizuna, whose stdout goes to LOG, serves; prints its base URL.
listening_url() {
    local log=$1 pid=$2 deadline=$((SECONDS + ${3:-20})) url
    while [ "$SECONDS" -lt "$deadline" ]; do
        url=$(grep -aoE -m1 'listening on http://[0-9.]+:[0-9]+' "$log" 2>/dev/null || true)
        if [ -n "$url" ]; then
            echo "${url#listening on }"
            return 0
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    warn "the server did not come up; its last output:"
    tail -n 40 "$log" >&2
    return 1
}

# stop_pid PID: SIGTERM, and SIGKILL if that was not enough within 15 s. For a child of this shell.
stop_pid() {
    local pid=$1
    kill -TERM "$pid" 2>/dev/null || return 0
    for _ in {1..150}; do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}
