#!/usr/bin/env bash
# Runs a command beside a PostgreSQL of its own: `postgres.sh COMMAND...` sets KEYWRIGHT_TEST_POSTGRES_URL.
# The server lives in a temporary folder and ends with the command, whatever the command's fate, so any number
# of these may run at once. `--install` only makes sure that the programs are there.
. "$(dirname "$0")/env.sh"
. scripts/apt.sh

# Where initdb, pg_ctl and postgres are; Debian keeps them off the PATH.
programs() {
    local folder
    for folder in $(have pg_ctl && dirname "$(readlink -f "$(command -v pg_ctl)")") \
        $(have pg_config && pg_config --bindir) \
        $(compgen -G '/usr/lib/postgresql/*/bin' | sort -rV); do
        if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then
            printf '%s\n' "$folder"
            return
        fi
    done
    return 1
}

# Debian's package creates and starts a cluster of its own unless told otherwise; we need only the programs.
install_programs() {
    local setting=/etc/postgresql-common/createcluster.d/keywright-tests.conf
    have apt-get || die "PostgreSQL's server programs (initdb, pg_ctl) are missing. Install PostgreSQL 15 or newer and try again."
    as_root mkdir -p "${setting%/*}"
    printf 'create_main_cluster = false\n' | as_root tee "$setting" >/dev/null
    # Removed again: whoever installs another version later expects Debian's ways.
    trap 'as_root rm -f '"$setting" EXIT
    apt_install "PostgreSQL" postgresql
    as_root rm -f "$setting"
    trap - EXIT
}

BIN=$(programs) || { install_programs && BIN=$(programs); }
[ "${1:-}" != --install ] || exit 0

# PostgreSQL refuses to run as root.
ACCOUNT=
if [ "$(id -u)" = 0 ]; then
    if id postgres >/dev/null 2>&1; then ACCOUNT=postgres; else ACCOUNT=nobody; fi
fi
as_account() {
    if [ -z "$ACCOUNT" ]; then
        "$@"
    else
        setpriv --reuid "$ACCOUNT" --regid "$(id -g "$ACCOUNT")" --clear-groups -- "$@"
    fi
}

# Not $TMPDIR: another account must be able to enter it, and a socket's path has about a hundred characters.
FOLDER=$(mktemp -d /tmp/keywright-postgres.XXXXXX)
stop() {
    (cd "$FOLDER" && as_account "$BIN/pg_ctl" stop --silent --mode immediate --pgdata data) >/dev/null 2>&1 || true
    rm -rf "$FOLDER"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if [ -n "$ACCOUNT" ]; then chown "$ACCOUNT" "$FOLDER"; fi

free_port() {
    node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

# A language's sort order, not bytes: a query that forgot COLLATE "C" shall fail here and not with a user.
create() {
    cd "$FOLDER" || exit
    as_account "$BIN/initdb" --pgdata data --username keywright --auth trust --no-sync --encoding UTF8 --locale C \
        --locale-provider icu --icu-locale en-US
}

# Durability is for data that anyone wants to keep.
start() {
    cd "$FOLDER" || exit
    as_account "$BIN/pg_ctl" start --silent --wait --pgdata data --log log --options "-p $1 -k $FOLDER \
        -c listen_addresses=127.0.0.1 -c max_connections=200 \
        -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
}

(create) >"$FOLDER/initdb.log" 2>&1 || { cat "$FOLDER/initdb.log" >&2; die "initdb failed"; }

# Between asking for a free port and taking it, someone else may take it.
for attempt in 1 2 3 4 5; do
    port=$(free_port)
    if (start "$port") >"$FOLDER/start.log" 2>&1; then break; fi
    if [ "$attempt" = 5 ]; then
        cat "$FOLDER/start.log" "$FOLDER/log" >&2
        die "PostgreSQL did not start"
    fi
done

export KEYWRIGHT_TEST_POSTGRES_URL=postgres://keywright@127.0.0.1:$port/postgres
"$@"
