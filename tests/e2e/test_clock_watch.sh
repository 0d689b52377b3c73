#!/bin/bash
# test_clock_watch.sh: a network that is watched, and `serve`, under clocks that jump: no round too
# many, none missing, no time below zero.
#
#     tests/e2e/test_clock_watch.sh PROGRAM SOURCES BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
needs_clocks
hour=3600000
is() { # name, value, database, SQL
	ask "$3" "$4" >out 2>&1
	check "$1" [ "$(cat out)" = "$2" ]
}

simulate bitcoin --peers 100 --ghosts 10 --liars 0 --latency 5ms --seed 5 --duration 9m || exit 1

# --- a network that is watched

rounds() { # so many at least are over
	[ "$(wc -l <clocked.out)" -ge "$1" ]
}
more_rounds() { # how many, and no more than so many in a second
	local before
	before=$(wc -l <clocked.out)
	within rounds $((before + $1)) || return 1
	before=$(wc -l <clocked.out)
	sleep 1
	[ $(($(wc -l <clocked.out) - before)) -le "$2" ]
}
how=(--no-default-seeds --seeds seeds.txt --allow-private --connect-timeout 200ms --timeout 500ms)
clocked crawl bitcoin "${how[@]}" --every 1s --db watch.db --json --log watch.log --log-format json
check "rounds" within rounds 2
jump -$hour 0
check "set back, the next one begins, and no more than are due" more_rounds 2 2
jump $hour 0
check "set on, likewise" more_rounds 2 2
jump 0 $hour
check "and after a pause" more_rounds 2 2
kill -TERM $pid
wait $pid
check "it ends as ever" [ $? -eq 143 ]
jump 0 0
is "no session ends before it began" 0 watch.db 'SELECT count(*) FROM sessions WHERE from_ms > to_ms'
is "no schedule is out of order" 0 watch.db 'SELECT count(*) FROM watch WHERE due_ms < visited_ms
	OR first_ms > visited_ms OR up_since_ms > up_until_ms OR up_until_ms > visited_ms
	OR up_2h NOT BETWEEN 0 AND 1 OR up_30d NOT BETWEEN 0 AND 1'
is "who was there is up all the time that somebody looked" 0 watch.db 'SELECT count(*) FROM watch
	WHERE up_since_ms IS NOT NULL AND up_7d < 0.999 AND NOT EXISTS (SELECT 1 FROM visits v
	WHERE v.peer_id = watch.peer_id AND NOT v.reached)'
is "no round ended before it began" 0 watch.db \
	'SELECT count(*) FROM crawls WHERE ended_at_ms < started_at_ms OR ended_at_ms > started_at_ms + 30000'
check "the log has each round" [ "$(grep -c '"event":"round"' watch.log)" -ge "$(wc -l <clocked.out)" ]
run 0 report --db watch.db --html page.html
result "a report can be made of it" $?
check "in which nothing takes years" [ "$(grep -cE '[0-9]{6,} d' page.html)" = 0 ]
check "two rounds can be compared" run 0 diff --db watch.db

# --- serve beside it

fetch() { # path
	python3 -c 'import sys, time, urllib.request
began = time.time()
first = urllib.request.urlopen(sys.argv[1], timeout=20)
first.read()
again = urllib.request.Request(sys.argv[1], headers={"If-None-Match": first.headers["ETag"]})
try:
	urllib.request.urlopen(again, timeout=20)
	sys.exit("no 304")
except urllib.error.HTTPError as e:
	assert e.code == 304, e
assert time.time() - began < 10' "$url$1" 2>err
}
clocked serve --db watch.db --listen 127.0.0.1:0
check "serve" within grep -q '^http' clocked.out
url=$(head -n 1 clocked.out)
check "it answers" within fetch api/v1/crawls/newest/report
for at in "-$hour 0" "$hour 0" "0 $hour" "0 0"; do
	# shellcheck disable=SC2086 # two words
	jump $at
	check "it answers, off by $at" within fetch "api/v1/crawls/newest/report?top=$((RANDOM % 1000 + 1))"
	check "and whether anything is new" within fetch api/v1/networks
done
kill -TERM $pid
wait $pid
check "serve ends as ever" [ $? -eq 143 ]

end_simulation TERM
finish 22
