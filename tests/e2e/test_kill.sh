#!/bin/bash
# test_kill.sh: kill -9 at random moments of crawls, each resumed until it ends, with `serve` beside
# them: no visit is lost that was committed, nobody is visited twice, the sums are right.
#
#     [KILLS=200] [SEED=N] tests/e2e/test_kill.sh PROGRAM SOURCES BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
in_own_namespaces
ip link set lo up

seed=${SEED:-$RANDOM}
echo "seed $seed"
simulate bitcoin --peers 300 --ghosts 60 --liars 0 --latency 10ms --seed "$seed" || exit 1
kills crawl "${KILLS:-8}"
check "in the end everybody is found" run 0 score --db kill.db --truth truth.csv --min-recall 1
end_simulation TERM
finish 12
