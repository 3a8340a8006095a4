#!/usr/bin/env bash
# Pictures of the pages: serves the staged data of examples/stage and lets end2end/screenshots.mjs photograph it.
. "$(dirname "$0")/env.sh"
scripts/build.sh
scripts/tools.sh journeys

CHROMIUM=$(scripts/chromium.sh)
export CHROMIUM
export STAGE_ORIGIN=http://127.0.0.1:3917
EMPTY_ORIGIN=http://127.0.0.1:3918

cargo build --features ssr --example stage
"$CARGO_TARGET_DIR/debug/examples/stage" --listen "${STAGE_ORIGIN#http://}" &
stage=$!
# A second one that is not set up, for the pages of the first run; it prints its one-time link.
said=$(mktemp)
"$CARGO_TARGET_DIR/debug/examples/stage" --listen "${EMPTY_ORIGIN#http://}" --empty 2>"$said" &
empty=$!
trap 'kill $stage $empty 2>/dev/null || true; wait $stage $empty 2>/dev/null || true; rm -f "$said"' EXIT

answers() {
    node -e 'fetch(process.argv[1]).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))' "$1"
}
for attempt in $(seq 100); do
    if answers "$STAGE_ORIGIN/healthz" && answers "$EMPTY_ORIGIN/healthz"; then break; fi
    kill -0 $stage $empty 2>/dev/null || die "the stage ended before it was ready"
    [ "$attempt" != 100 ] || die "the stage was not ready within twenty seconds"
    sleep 0.2
done

SETUP_LINK=$(grep -o 'http[^ ]*/setup?token=[^ ]*' "$said")
export SETUP_LINK
node end2end/screenshots.mjs
