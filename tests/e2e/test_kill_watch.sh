#!/bin/bash
# test_kill_watch.sh: kill -9 at random moments of a network that is watched, its tidying included,
# and of nodes that keep a book: sessions, schedules, sums and books stay in order.
#
#     [KILLS=50] [SEED=N] tests/e2e/test_kill_watch.sh PROGRAM SOURCES BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

seed=${SEED:-$RANDOM}
echo "seed $seed"
simulate bitcoin --peers 50 --ghosts 10 --liars 0 --latency 5ms --seed "$seed" || exit 1
kills watch "${KILLS:-4}"
rm -f kill.db*
kills node "${KILLS:-4}"
end_simulation TERM
finish 15
