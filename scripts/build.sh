#!/usr/bin/env bash
# Builds the browser's wasm, the site folder and the server that holds it; the result is build/keywright.
. "$(dirname "$0")/env.sh"
. scripts/versions.sh
scripts/tools.sh build

WASM=$CARGO_TARGET_DIR/wasm32-unknown-unknown/wasm-release/keywright.wasm
PACKAGE=$CACHE/pkg

say "browser"
cargo build --lib --features hydrate --target wasm32-unknown-unknown --profile wasm-release

# What the glue and the optimised wasm are made from.
inputs="$(sha256 "$WASM") $WASM_BINDGEN_VERSION $(sha256 scripts/npm/package-lock.json)"
if [ "$(cat "$PACKAGE/inputs" 2>/dev/null)" != "$inputs" ]; then
    rm -rf "$PACKAGE"
    wasm-bindgen --target web --no-typescript --out-name keywright --out-dir "$PACKAGE" "$WASM"
    # Not --all-features: it lets the optimiser emit what browsers do not accept yet.
    scripts/npm/node_modules/.bin/wasm-opt -Oz --strip-debug --strip-producers \
        "$PACKAGE/keywright_bg.wasm" -o "$PACKAGE/keywright.wasm"
    rm "$PACKAGE/keywright_bg.wasm"
    printf '%s\n' "$inputs" >"$PACKAGE/inputs"
fi
node scripts/assets.mjs "$PACKAGE" style public "$KEYWRIGHT_SITE"

say "server"
cargo build --features ssr

# A link to the file, not to its name: it stays what it is when another checkout builds into the same cache.
mkdir -p build
binary=$CARGO_TARGET_DIR/debug/keywright
ln -f "$binary" build/keywright 2>/dev/null || { cp "$binary" build/keywright.new && mv build/keywright.new build/keywright; }
say "built build/keywright"
