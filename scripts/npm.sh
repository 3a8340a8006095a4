# shellcheck shell=bash
# npm packages, kept outside the checkout. Sourced after env.sh.

# npm_folder FOLDER: where the packages of FOLDER's lock file are.
npm_folder() {
    local lock
    lock=$(sha256 "$1/package-lock.json")
    printf '%s/npm/%s-%s\n' "$CACHE" "$(basename "$1")" "${lock:0:12}"
}

# need_npm FOLDER: installs them and links FOLDER/node_modules there.
need_npm() {
    local folder=$1 home work
    home=$(npm_folder "$folder")
    if [ ! -d "$home" ]; then
        say "installing the npm packages of $folder"
        mkdir -p "$CACHE/npm"
        work=$(mktemp -d "$home.XXXXXX")
        cp "$folder/package.json" "$folder/package-lock.json" "$work"
        # Install scripts are other people's code at build time, and none of these packages needs one.
        npm ci --prefix "$work" --ignore-scripts --no-audit --no-fund --loglevel=error
        # Renamed at the end, so that a folder with this name is complete; another run may have been faster.
        if [ -d "$home" ]; then rm -rf "$work"; else mv "$work" "$home"; fi
    fi
    if [ ! "$folder/node_modules" -ef "$home/node_modules" ]; then
        rm -rf "$folder/node_modules"
        ln -s "$home/node_modules" "$folder/node_modules"
    fi
}
