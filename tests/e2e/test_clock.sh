#!/bin/bash
# test_clock.sh: clocks that jump under a running program: the wall clock an hour back and an hour on,
# as whoever sets it does it, or a laptop that slept; the monotonic one an hour on, as after a pause
# of a virtual machine.
#
#     tests/e2e/test_clock.sh PROGRAM SOURCES BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

needs_clocks
hour=3600000
is() { # name, value, database, SQL
	ask "$3" "$4" >out 2>&1
	check "$1" [ "$(cat out)" = "$2" ]
}
visits_are() { # database, so many at least
	[ "$(ask "$1" 'SELECT count(*) FROM visits')" -ge "$2" ]
}

simulate bitcoin --peers 150 --ghosts 20 --liars 0 --latency 5ms --seed 5 --duration 9m || exit 1
how+=(--connect-timeout 300ms --timeout 4s)

# --- a crawl

clocked crawl bitcoin "${how[@]}" --rate 120/s --db crawl.db --log crawl.log
check "a crawl" within visits_are crawl.db 20
jump -$hour 0
check "goes on when the clock is set back" within visits_are crawl.db 60
jump $hour 0
wait $pid
status=$?
cp clocked.err err
check "and on, and ends with 0" [ $status -eq 0 ]
check "it has found everybody" run 0 score --db crawl.db --truth truth.csv --min-recall 1
is "it has taken no longer than it did" 1 crawl.db \
	'SELECT ended_at_ms - started_at_ms BETWEEN 500 AND 60000 FROM crawls'
is "its visits were made meanwhile" 0 crawl.db 'SELECT count(*) FROM visits v JOIN crawls c
	ON c.id = v.crawl_id WHERE v.started_at_ms NOT BETWEEN c.started_at_ms AND c.ended_at_ms'
is "none took longer than it may" 0 crawl.db 'SELECT count(*) FROM visits
	WHERE total_ms NOT BETWEEN 0 AND 10000 OR connect_ms < 0 OR handshake_ms < 0'
jump 0 0
clocked crawl bitcoin "${how[@]}" --rate 120/s --db pause.db
check "a crawl to be paused" within visits_are pause.db 20
jump 0 $hour
wait $pid
status=$?
cp clocked.err err
check "a pause of an hour ends no crawl" [ $status -eq 0 ]
check "and it finds everybody" run 0 score --db pause.db --truth truth.csv --min-recall 1
jump 0 0
"$program" crawl bitcoin "${how[@]}" --rate 120/s --db stop.db >out 2>err </dev/null &
pid=$!
within visits_are stop.db 20
kill -STOP $pid
sleep 2.5
kill -CONT $pid
wait $pid
check "one that was stopped for a while finds everybody" \
	run 0 score --db stop.db --truth truth.csv --min-recall 1

end_simulation TERM
finish 11
