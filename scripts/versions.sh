# shellcheck shell=bash
# Versions that two tools must agree on, read from the one file that states them. Sourced after env.sh.

RUST_VERSION=$(sed -nE 's/^rust-version = "([0-9.]+)"$/\1/p' Cargo.toml)

# The generated glue and the library in the wasm speak a private protocol: only equal versions fit.
WASM_BINDGEN_VERSION=$(sed -nE 's/^wasm-bindgen = .*"=([0-9.]+)".*/\1/p' Cargo.toml)

CARGO_DENY_VERSION=^0.20
NODE_VERSION=20

[ -n "$RUST_VERSION" ] || die "Cargo.toml states no rust-version"
[ -n "$WASM_BINDGEN_VERSION" ] || die "Cargo.toml does not pin wasm-bindgen with \"=\""
