# shellcheck shell=bash
# System packages through apt. Sourced after env.sh.

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo && [ -t 0 ]; then
        sudo "$@"
    else
        # Nobody is there to type a password.
        sudo -n "$@"
    fi
}

# apt_install "what for" PACKAGE...
apt_install() {
    local purpose=$1
    shift
    have apt-get || die "$purpose is missing. Install it (on Debian: $*) and try again."
    [ "$(id -u)" = 0 ] || have sudo ||
        die "$purpose is missing. Run as root: apt-get install $*"
    say "installing $purpose (apt-get install $*)"
    # Stale or empty package lists are the usual reason to fail the first time.
    apt_get install "$@" || { apt_get update && apt_get install "$@"; } ||
        die "could not install $purpose. Run as root: apt-get update && apt-get install $*"
}

apt_get() {
    local verb=$1
    shift
    local options=(-qq -o Dpkg::Use-Pty=0)
    if [ "$verb" = install ]; then options+=(--yes --no-install-recommends); fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" "$verb" "$@" </dev/null >&2
}
