# shellcheck shell=bash
# The compiler, its wasm target and a C compiler for the crates that hold C. Sourced after versions.sh, apt.sh.

WASM=wasm32-unknown-unknown

has_wasm() {
    local folder
    folder=$(rustc --print target-libdir --target $WASM 2>/dev/null) && compgen -G "$folder/libstd-*.rlib" >/dev/null
}

rustc_version() { rustc --version 2>/dev/null | cut -d ' ' -f 2; }

need_rust() {
    have cc || apt_install "a C compiler" build-essential
    if have rustup; then
        local version
        version=$(rustc_version) ||
            die "rustup has no toolchain. Run: rustup default stable"
        at_least "$RUST_VERSION" "$version" ||
            die "Rust $RUST_VERSION or newer is needed, this is $version. Run: rustup update stable"
        has_wasm && return
        say "installing the $WASM target (rustup target add)"
        rustup target add $WASM && return
    elif have cargo && at_least "$RUST_VERSION" "$(rustc_version)" && has_wasm; then
        return
    fi
    debian_rust
}

# Debian's compiler for its browsers is current, but ships no standard library for wasm: build one.
debian_rust() {
    if have apt-get; then apt_get update || true; fi
    apt-cache show rustc-web lld-22 >/dev/null 2>&1 ||
        die "Rust $RUST_VERSION with the $WASM target is needed. Install it from https://rustup.rs and try again."
    apt_install "Debian's Rust" rustc-web cargo-web rust-web-src lld-22
    local settings=$CACHE/debian-rust.sh
    cat >"$settings.new" <<SETTINGS
export PATH=$CACHE/tools/bin:/usr/bin:\$PATH
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-22
SETTINGS
    . "$settings.new"
    at_least "$RUST_VERSION" "$(rustc_version)" || die "Debian's rustc-web is older than Rust $RUST_VERSION"
    has_wasm || debian_wasm
    mv "$settings.new" "$settings"
}

debian_wasm() {
    say "building the standard library for $WASM (half a minute)"
    local work library
    work=$(mktemp -d)
    library=$(rustc --print target-libdir --target $WASM)
    mkdir "$work/src"
    : >"$work/src/lib.rs"
    printf '[package]\nname = "probe"\nversion = "0.0.0"\nedition = "2024"\n' >"$work/Cargo.toml"
    # RUSTC_BOOTSTRAP because building the standard library is an unstable option of a stable compiler.
    (
        cd "$work" || exit
        RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$work/target cargo build --quiet --release --target $WASM \
            -Z build-std=std,panic_abort,panic_unwind,test,proc_macro
        rm -f "target/$WASM/release/deps/"libprobe*
    )
    as_root mkdir -p "$library"
    as_root cp "$work/target/$WASM/release/deps/"*.rlib "$library/"
    rm -rf "$work"
}

# What the gates use and a build does not.
need_lints() {
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
    if [ -f "$CACHE/debian-rust.sh" ]; then
        apt_install "rustfmt and clippy" rustfmt-web rust-web-clippy
    elif have rustup; then
        say "installing rustfmt and clippy (rustup component add)"
        rustup component add rustfmt clippy
    else
        die "rustfmt and clippy are missing. Install them and try again."
    fi
}
