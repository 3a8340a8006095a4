#!/usr/bin/env bash
# The benchmark of verification. In the profile of everything else: its numbers are ratios within one run.
. "$(dirname "$0")/env.sh"
scripts/build.sh

cargo bench --features ssr --bench verification --profile dev "$@"
