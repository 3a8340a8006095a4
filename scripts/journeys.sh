#!/usr/bin/env bash
# The browser journeys against build/keywright, which each journey starts itself. Arguments go to Playwright.
. "$(dirname "$0")/env.sh"

CHROMIUM=$(scripts/chromium.sh)
export CHROMIUM
export KEYWRIGHT_BINARY=$ROOT/build/keywright
cd end2end || exit
# An older report must not be counted when this run ends before writing its own.
rm -f test-results/report.json
node_modules/.bin/playwright test "$@"
