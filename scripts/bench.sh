#!/usr/bin/env bash
# The benchmark. In the profile of everything else: its numbers are ratios within one run. With `-- sign-in` or
# `-- scan` only that part of it.
. "$(dirname "$0")/env.sh"
scripts/build.sh

cargo bench --features ssr --bench verification --profile dev "$@"
