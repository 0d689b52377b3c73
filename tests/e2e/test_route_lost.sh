#!/bin/bash
# test_route_lost.sh: crawls whose machine has no route for a while: nobody is blamed for it, and
# everybody is met.
#
#     tests/e2e/test_route_lost.sh PROGRAM SOURCES BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
in_own_namespaces

without_route() { # NETWORK PEERS CONCURRENCY: a crawl of it, with half a second of that in its middle
	local network=$1 simulator crawl

	exec_far "$program" simulate "$network" --peers "$2" --ghosts 0 --liars 0 --seed 3 --latency 20ms \
		--device line --range 10.0.0.0/8 --port 9000 --truth "$dir/truth.csv" \
		--seeds-out "$dir/seeds.txt" >ready 2>err </dev/null &
	simulator=$!
	within grep -q '"ready":true' ready
	rm -f x.db*
	"$program" crawl "$network" --no-default-seeds --seeds seeds.txt --allow-private --db x.db --json \
		--concurrency "$3" >summary 2>err </dev/null &
	crawl=$!
	has_begun() { [ "$(ask x.db 'SELECT count(*) > 20 FROM visits')" = 1 ]; }
	within has_begun
	ip route del default
	sleep 0.5
	ip route add default dev line src 198.51.100.1
	wait $crawl
	check "$network: the crawl ends well" [ $? -eq 0 ]
	check "$network: it was long enough" [ "$(ask x.db 'SELECT count(*) FROM crawls WHERE
		ended_at_ms - started_at_ms > 1500')" = 1 ]
	check "$network: nobody was unreachable" grep -q '"unreachable": 0' summary
	check "$network: everybody was met" recall_is_1 x.db
	kill -INT $simulator
	wait $simulator
}

check "a line" line seed=1
without_route bitcoin 600 20
without_route ethereum 120 10
end_line
finish 9
