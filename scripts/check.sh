#!/usr/bin/env bash
# Every gate that needs neither Chromium nor PostgreSQL; with `--all`, those two as well (make test).
# All gates run, so that one run shows all that is wrong; only what builds on a failed gate is left out.
. "$(dirname "$0")/env.sh"

# Our own crate is compiled without optimisation here: the tests are larger than what they test, and compiling them
# optimised takes longer than running them. `make run` and `make bench` are optimised.
export CARGO_PROFILE_DEV_OPT_LEVEL=${CARGO_PROFILE_DEV_OPT_LEVEL:-0}

ALL=false
if [ "${1:-}" = --all ]; then ALL=true; fi

scripts/tools.sh build gates
if $ALL; then scripts/tools.sh journeys; fi

LOGS=$CACHE/logs/$(date +%Y%m%d-%H%M%S)-$$
mkdir -p "$LOGS"
TABLE=$LOGS/summary
FAILED=false
: >"$TABLE"

# gate NAME COMMAND...: runs it, shows it, keeps its output in a log.
gate() {
    local name=$1 started=$SECONDS result=ok
    shift
    printf '\n── %s\n' "$name"
    "$@" 2>&1 </dev/null | tee "$LOGS/$name.log" || result=FAILED
    record "$name" "$result" $((SECONDS - started))
    [ "$result" = ok ]
}

record() {
    if [ "$2" != ok ]; then FAILED=true; fi
    printf '%-24s %-8s %5s s\n' "$1" "$2" "$3" | tee -a "$TABLE"
}

gate rustfmt cargo fmt --check || true
gate clippy-server cargo clippy --features ssr --all-targets -- -D warnings || true
gate clippy-browser cargo clippy --lib --features hydrate --target wasm32-unknown-unknown -- -D warnings || true
gate rustdoc env RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --features ssr --document-private-items || true
gate cargo-deny cargo deny check bans licenses sources || true

# After a failed build, build/keywright is an older one: measuring that would say nothing.
built=true
gate build scripts/build.sh || built=false

# Not the example: it serves pictures and has no tests of its own.
tests=(cargo test --features ssr --lib --bins --tests --no-fail-fast)
if $ALL; then
    gate tests env KEYWRIGHT_TEST_DATABASES=sqlite,postgres scripts/postgres.sh "${tests[@]}" || true
else
    gate tests env KEYWRIGHT_TEST_DATABASES=sqlite "${tests[@]}" || true
fi

if $built; then
    gate budget node scripts/budget.mjs || true
    if $ALL; then gate journeys scripts/journeys.sh || true; fi
else
    record budget "not run" 0
    if $ALL; then record journeys "not run" 0; fi
fi

printf '\n── summary (logs: %s)\n' "$LOGS"
cat "$TABLE"
node scripts/count.mjs "$LOGS"
if $FAILED; then exit 1; fi
