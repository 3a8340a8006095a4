#!/usr/bin/env bash
# Prints the path of a Chromium, installing Debian's when there is none. $CHROMIUM decides when set.
. "$(dirname "$0")/env.sh"
. scripts/apt.sh

find_chromium() {
    local name
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome \
        "/Applications/Chromium.app/Contents/MacOS/Chromium" \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
        if [ -n "$name" ] && have "$name"; then
            command -v "$name"
            return
        fi
    done
    return 1
}

# Fonts too: without one, text has no width and layout is not what a person sees.
find_chromium || { apt_install "Chromium" chromium fonts-liberation >&2 && find_chromium; }
