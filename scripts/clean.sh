#!/usr/bin/env bash
# Removes all that builds and tests made. Installed tools and npm packages stay; they are in the same cache folder.
. "$(dirname "$0")/env.sh"

rm -rf build end2end/test-results end2end/playwright-report
cargo clean --quiet
rm -rf "$KEYWRIGHT_SITE" "$CACHE/pkg" "$CACHE/logs"
say "removed; tools and npm packages are still in $CACHE"
