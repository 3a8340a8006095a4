#!/usr/bin/env bash
# The benchmark. In the profile of everything else: its numbers are ratios within one run. With `-- sign-in`,
# `-- scan` or `-- pages` only that part of it. Pages are measured on PostgreSQL as well under `scripts/postgres.sh`.
. "$(dirname "$0")/env.sh"
scripts/build.sh

cargo bench --features ssr --bench verification --profile dev "$@"
