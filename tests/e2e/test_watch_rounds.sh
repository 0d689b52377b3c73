#!/bin/bash
# test_watch_rounds.sh: crawl --every: an end by itself, and its summary; that many rounds need no
# more than few; what it refuses.
#
#     tests/e2e/test_watch_rounds.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

simulate bitcoin --peers 50 --ghosts 10 --liars 0 --latency 5ms --seed 5 --duration 9m || exit 1
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
for row in db.execute(sys.argv[2]): print(*row)' "$1" "$2" 2>/dev/null
}
lines() { # so many are there
	[ "$(wc -l <out)" -ge "$1" ]
}

# --- an end, a summary

run 0 crawl bitcoin "${common[@]}" --db end.db --every 600ms --duration 2s
check "--duration ends it with 0" [ $? -eq 0 ]
check "after some rounds" [ "$(sed -n 's/^ *rounds  *//p' out)" -ge 2 ]
check "with a line for each" [ "$(grep -c 'T.*Z  ' out)" = "$(sed -n 's/^ *rounds  *//p' out)" ]
run 3 crawl bitcoin --no-default-seeds --seed 127.9.9.9:1 --allow-private --db nobody.db --every 300ms --duration 1s
check "who has reached nobody ends with 3" [ $? -eq 0 ]
check "and says why" grep -q 'nobody could be reached: ' err

# --- what is old becomes sums

before=$(ask end.db 'SELECT count(DISTINCT crawl_id) FROM visits')
sleep 1
run 0 crawl bitcoin "${common[@]}" --db end.db --every 600ms --duration 1500ms --keep 1s
check "with --keep visits of old rounds go" [ "$(ask end.db "SELECT count(*) FROM crawls c WHERE id <= $before
	AND EXISTS (SELECT 1 FROM visits WHERE crawl_id = c.id)")" = 0 ]
check "none is lost from the sums" [ "$(ask end.db 'SELECT sum(visits) - (SELECT sum(visits) FROM daily)
	- (SELECT count(*) FROM visits v JOIN peers p ON p.id = v.peer_id WHERE p.reached_count > 0)
	FROM peers WHERE reached_count > 0')" = 0 ]
for what in "diff 1" "export --crawl 1" "export --crawl 1 --format bitnodes"; do
	# shellcheck disable=SC2086 # words
	run 1 $what --db end.db
	check "$what: is refused" grep -q 'the visits of crawl 1 are gone' err
done
"$program" serve --db end.db --listen 127.0.0.1:0 >serve.out 2>err </dev/null &
serving=$!
check "a server is there" within grep -q '^http' serve.out
check "it refuses to compare them, too" python3 -c 'import sys, urllib.error, urllib.request
try:
	urllib.request.urlopen(sys.argv[1].strip() + "api/v1/diff?a=1&b=2")
	sys.exit(1)
except urllib.error.HTTPError as e:
	assert e.code == 404 and b"visits of crawl 1 are gone" in e.read()' "$(head -n 1 serve.out)"
kill -INT "$serving"
wait "$serving" 2>/dev/null
run 0 report --crawl 1 --db end.db
check "a report says why it has no tables" grep -q 'the visits of crawl 1 are gone' err
run 0 report --db end.db
check "one of a round says who rested" python3 -c 'import re, sqlite3
db = sqlite3.connect("end.db")
known, visited, complete = db.execute("SELECT known, visited, complete FROM crawls ORDER BY id DESC").fetchone()
said = re.search("([0-9]+) of them rested", open("out").read())
assert (int(said[1]) if said else 0) == (known - visited if complete else 0)'
check "and schedules stay" [ "$(ask end.db 'SELECT count(*) >= 50 FROM watch')" = 1 ]

# --- it stays small

size() { # of which: VmRSS in KiB, and files
	awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"
}
files() { # but for the sockets of the visits under way
	find "/proc/$1/fd" -mindepth 1 -not -lname 'socket:*' 2>/dev/null | wc -l
}
sockets() {
	find "/proc/$1/fd" -mindepth 1 -lname 'socket:*' 2>/dev/null | wc -l
}
watch_behind --db small.db --every 10ms --timeout 100ms
within lines 15
first=$(size $!)
first_files=$(files $!)
check "many rounds" within lines 45
last=$(size $!)
echo "after 15 rounds $first KiB and $first_files files, after 45 $last KiB and $(files $!)" >>err
# (What is freed stays with sanitizers for a while.)
grep -qE '__[at]san_init' "$program" ||
	check "no more memory" [ "$last" -le $((first + first / 10)) ]
# (Between rounds there are fewer; one a round that stayed open would be thirty.)
check "no more files" [ "$(files $!)" -le $((first_files + 15)) ]
check "no more sockets than there are peers" [ "$(sockets $!)" -le 60 ]
tail -n 1 err
kill -INT $!
wait $!

# --- what is refused

refuses() { # name, text, options...
	"$program" crawl bitcoin "${common[@]}" --db no.db "${@:3}" >out 2>err
	check "$1 (2)" [ $? -eq 2 ]
	check "$1: says why" grep -q -- "$2" err
}
refuses "--every 0" 'every' --every 0s
refuses "--keep alone" '--keep and --metrics are for' --keep 1d
refuses "--resume with it" 'leave out --resume' --every 1m --resume
refuses "--token alone" '--token is for --metrics' --every 1m --token x
"$program" crawl bitcoin --no-default-seeds --db no.db --every 1m >out 2>err
check "nobody to begin with (2)" [ $? -eq 2 ]
"$program" crawl bitcoin "${common[@]}" --db no.db --every 1m --metrics 0.0.0.0:0 >out 2>err
check "metrics for everybody without a token (1)" [ $? -eq 1 ]
check "says how" grep -q -- '--token FILE' err
check "and begins no round" [ -z "$(ask no.db 'SELECT id FROM crawls')" ]

finish 22
