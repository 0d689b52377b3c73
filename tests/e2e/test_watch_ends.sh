#!/bin/bash
# test_watch_ends.sh: crawl --every: how it ends and goes on: signals, kill -9 at any moment, a
# second one beside it.
#
#     tests/e2e/test_watch_ends.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

simulate bitcoin --peers 200 --ghosts 20 --liars 0 --latency 5ms --seed 5 --duration 9m || exit 1
common=(--no-default-seeds --seeds seeds.txt --allow-private --connect-timeout 300ms --timeout 700ms)
# In the background: $! is the program itself, and Ctrl-C reaches it. Its lines are in out.
watch_behind() {
	# Before it is there, the file has what the last one said.
	: >out
	(
		trap - INT
		exec "$program" crawl bitcoin "${common[@]}" --json "$@" >out 2>err </dev/null
	) &
}
ask() { # database, SQL: each row a line
	python3 -c 'import sqlite3, sys
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True, timeout=20)
for row in db.execute(sys.argv[2]): print(*row)' "$1" "$2" 2>/dev/null | sort
}
lines() { # so many are there
	[ "$(wc -l <out)" -ge "$1" ]
}
visits_are() { # database, so many at least
	[ "$(ask "$1" 'SELECT count(*) FROM visits')" -ge "$2" ]
}
# (A connect timeout may be replaced by its late retry.)
all_visits="SELECT crawl_id, peer_id, started_at_ms, outcome FROM visits
	WHERE outcome <> (SELECT id FROM outcomes WHERE name = 'connect_timeout')"

# --- kill -9 in a round, again and again

for at in 5 15 30; do
	watch_behind --db kill.db --every 9m --rate 20/s
	check "it visits somebody" within visits_are kill.db $at
	kill -9 $!
	wait $! 2>/dev/null
	ask kill.db "$all_visits" >before.$at
done
watch_behind --db kill.db --every 9m
check "the round comes to its end" within lines 1
check "with everybody" [ "$(json_value visited out)" -ge 200 ]
check "it says that it went on" grep -q 'going on with crawl 1' err
kill -9 $!
wait $! 2>/dev/null
ask kill.db "$all_visits" >after
for at in 5 15 30; do
	check "nobody is visited twice ($at)" [ -z "$(comm -23 before.$at after)" ]
done
check "it was one round" [ "$(ask kill.db 'SELECT count(*) FROM crawls')" = 1 ]

# --- after that it waits for the next one, which is in nine minutes

watch_behind --db kill.db --every 9m --metrics 127.0.0.1:0
within grep -q 'metrics at' err
sleep 0.5
check "no round begins before its time" [ "$(ask kill.db 'SELECT count(*) FROM crawls')" = 1 ]
python3 -c 'import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())' \
	"$(sed -n 's/.*metrics at //p' err)" >metrics 2>metrics.err
check "and when it does is told" grep -q 'going on: round 2 begins at 20..-' err
check "metrics are shown" grep -q '^peerwalk_crawl_round{network="bitcoin"} 1$' metrics
check "they say when the next round begins" grep -q '^peerwalk_crawl_next_timestamp_seconds{' metrics
check "and that none runs" grep -q '^peerwalk_crawl_running{network="bitcoin"} 0$' metrics
check "and how large the database is" grep -q '^peerwalk_database_bytes{.*} [1-9]' metrics
run 1 crawl bitcoin "${common[@]}" --db kill.db --every 9m 2>/dev/null
check "a second one is refused: 1" [ $? -eq 0 ]
check "and told why" grep -q 'another process holds the database (it is watching this network)' err
run 3 crawl gossip --no-default-seeds --seed 127.0.0.1:1 --db kill.db --every 1s --duration 1s
check "one of another network is not" [ $? -eq 0 ]
kill -TERM $!
wait $!
check "SIGTERM while it waits ends it with 143" [ $? -eq 143 ]

# --- Ctrl-C in a round

watch_behind --db int.db --every 1h --rate 20/s
within visits_are int.db 5
kill -INT $!
wait $!
check "Ctrl-C in a round ends it with 130" [ $? -eq 130 ]
check "the round is told, and not complete" grep -q '"complete":false.*"next":null' out
check "it says that it can go on" grep -q 'the same command goes on' err
ask int.db "$all_visits" >before
watch_behind --db int.db --every 1h
check "which it does" within lines 1
ask int.db "$all_visits" >after
check "in the same round" [ "$(ask int.db 'SELECT count(*) FROM crawls')" = 1 ]
check "and visits nobody twice" [ -z "$(comm -23 before after)" ]
kill -INT $!
wait $!
check "Ctrl-C while it waits ends it with 130" [ $? -eq 130 ]

# --- a round whose time is over is not gone on with

watch_behind --db late.db --every 500ms --rate 20/s
within visits_are late.db 5
kill -9 $!
wait $! 2>/dev/null
sleep 0.6
watch_behind --db late.db --every 500ms
check "the next one begins" within lines 1
kill -INT $!
wait $!
check "what was left of the old one has its sums" [ \
	"$(ask late.db 'SELECT complete, ended_at_ms > started_at_ms, visited > 0 FROM crawls WHERE id = 1')" = '0 1 1' ]

finish 25
