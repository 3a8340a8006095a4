#!/usr/bin/env bash
# Serves build/keywright on this machine: `serve.sh run`, `demo` (a folder with made-up data), `dev` (rebuilds on change).
. "$(dirname "$0")/env.sh"

purpose=$1
DATA=${KEYWRIGHT_DATA:-${XDG_DATA_HOME:-$HOME/.local/share}/keywright}
if [ "$purpose" = demo ]; then
    DATA=$DATA-demo
    PORT=${PORT:-3001}
fi
PORT=${PORT:-3000}
server=(build/keywright serve --data "$DATA" --listen "127.0.0.1:$PORT" --public-origin "http://127.0.0.1:$PORT")

case $purpose in
run)
    scripts/build.sh
    exec "${server[@]}"
    ;;
demo)
    scripts/build.sh
    build/keywright demo --data "$DATA"
    exec "${server[@]}"
    ;;
dev) exec node scripts/watch.mjs "${server[@]}" ;;
*) die "serve.sh knows run, demo and dev" ;;
esac
