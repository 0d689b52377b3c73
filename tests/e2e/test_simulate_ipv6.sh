#!/bin/bash
# test_simulate_ipv6.sh: simulated networks on IPv6, and crawls of them, in a network namespace.
#
#     tests/e2e/test_simulate_ipv6.sh PROGRAM SOURCES
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
in_own_namespaces
if ! ip link set lo up || ! ip -6 route add local fd00::/8 dev lo; then
	echo "there is no IPv6 here: skipped"
	exit 77
fi

for network in bitcoin ethereum; do
	check "$network: a network" simulate $network --peers 100 --ghosts 50 --latency 5ms --range fd00::/8
	check "$network: its seeds are there" grep -qE '^(bitcoin://|enode://[0-9a-f]+@)\[fd' seeds.txt
	crawl $network --quiet --connect-timeout 1s --timeout 3s --db $network.db >out 2>err
	check "$network: a crawl" [ $? -eq 0 ]
	check "$network: it finds everybody" run 0 score --truth truth.csv --db $network.db --min-recall 1
	end_simulation TERM
done

finish 8
