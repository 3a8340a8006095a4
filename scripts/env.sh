# shellcheck shell=bash
# Where things live, for every script. Sourced, never run; leaves the shell in the checkout's root.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
ROOT=$PWD

# Outside the checkout, so that a clean clone does not compile hundreds of crates again.
CACHE=${KEYWRIGHT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/keywright}
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd)

export KEYWRIGHT_CACHE=$CACHE
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
export KEYWRIGHT_SITE=${KEYWRIGHT_SITE:-$CACHE/site}
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1
export PATH=$CACHE/tools/bin:$PATH

# Left by scripts/rust.sh on a machine where Debian's compiler serves instead of rustup's.
if [ -f "$CACHE/debian-rust.sh" ]; then
    . "$CACHE/debian-rust.sh"
fi

say() { printf '» %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

sha256() {
    if have sha256sum; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -c 1-64
}

# at_least 1.94 1.95.0: is the second version at least the first?
at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

# Unoptimised, as the gates compile it, the frames of a page that is rendered can take more than the two megabytes of a thread.
export RUST_MIN_STACK=8388608
