#!/bin/bash
# test_busy.sh: another process holds the database: for a while, which is waited for, and told if it
# takes long; or for good.
#
#     [HOLD=65] tests/e2e/test_busy.sh PROGRAM SOURCES BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

simulate bitcoin --peers 200 --ghosts 10 --liars 0 --latency 5ms --seed 5 --duration 9m || exit 1
# Nobody here is silent once he is connected: the longer wait is for a busy machine alone.
how+=(--connect-timeout 300ms --timeout 4s)
# Holds it, as somebody who forgot to commit, until he is ended; `holder` is who.
hold() { # database
	: >held
	python3 -c 'import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(600)' "$1" >held &
	holder=$!
	within grep -q held held
}
let_go() {
	kill "$holder"
	wait "$holder" 2>/dev/null
}
visits_are() { # database, so many at least
	[ "$(ask "$1" 'SELECT count(*) FROM visits')" -ge "$2" ] 2>/dev/null
}
behind() { # name, arguments...: pid
	"$program" "${@:2}" >"$1.out" 2>"$1.err" </dev/null &
	pid=$!
}
is_whole() { # database
	run 0 score --db "$1" --truth truth.csv --min-recall 1 && [ "$(ask "$1" 'PRAGMA integrity_check')" = ok ]
}

# --- readers, a crawl, a watch and a node, all of whom somebody keeps waiting for three seconds

behind crawl crawl bitcoin "${how[@]}" --rate 30/s --db a.db
crawl=$pid
check "a crawl" within visits_are a.db 5
behind second crawl bitcoin "${how[@]}" --rate 60/s --db a.db
second=$pid
of_second() { [ "$(ask a.db 'SELECT count(*) FROM visits WHERE crawl_id = 2')" -ge 5 ] 2>/dev/null; }
check "a second one into the same file" within of_second
check "somebody holds it" hold a.db
before=$(ask a.db 'SELECT count(*) FROM visits')
check "a report is made all the same" run 0 report --db a.db
check "and an export" run 0 export --what visits --db a.db
behind serve serve --db a.db --listen 127.0.0.1:0
serve=$pid
within grep -q '^http' serve.out
served() {
	python3 -c 'import sys, urllib.request
urllib.request.urlopen(sys.argv[1].strip() + "api/v1/crawls", timeout=10)' "$(head -n 1 serve.out)" 2>err
}
check "and serve shows it" within served
kill $serve
check "the crawl says that it waits, and for whom" within grep -q 'waiting for another process, which holds a.db' crawl.err
check "nothing is written meanwhile" [ "$(ask a.db 'SELECT count(*) FROM visits')" = "$before" ]
let_go
wait $second
check "then it goes on, and ends with 0" [ $? -eq 0 ]
wait $crawl
status=$?
cp crawl.err err
check "so does the other" [ $status -eq 0 ]
check "it says so once" [ "$(grep -c waiting err)" = 1 ]
check "both have found everybody" is_whole a.db
check "as each of them says" [ "$(ask a.db 'SELECT count(*), min(complete) FROM crawls')" = '2 1' ]
check "and lost nobody" [ "$(ask a.db 'SELECT count(*) FROM crawls c
	WHERE visited <> (SELECT count(*) FROM visits WHERE crawl_id = c.id)')" = 0 ]

behind watch crawl bitcoin "${how[@]}" --every 500ms --keep 1s --db w.db --json
watch=$pid
rounds() { [ "$(wc -l <watch.out)" -ge "$1" ]; }
check "rounds" within rounds 1

# Nodes that begin while somebody holds it.
check "somebody holds the database of two nodes" hold w.db
behind node node bitcoin --no-default-bootstrap --allow-private --listen 127.0.0.1:0 --db w.db \
	--bootstrap "$(head -n 1 seeds.txt)"
node=$pid
behind ethereum node ethereum --no-default-bootstrap --listen 127.0.0.1:0 --db w.db
ethereum=$pid
for name in node ethereum; do
	check "$name says that it waits, for whom, and what to do" within grep -q \
		'waiting for another process, which holds w.db; .*--db' $name.err
done
let_go
for name in node ethereum; do
	check "$name begins then" within grep -q '127\.0\.0\.1:' $name.out
	check "$name has said so once" [ "$(grep -c waiting $name.err)" = 1 ]
done
check "somebody holds the database of a watch and of a node" hold w.db
sleep 1
let_go
check "the watch goes on" within rounds $(($(wc -l <watch.out) + 2))
known() { [ "$(ask w.db 'SELECT count(*) FROM book')" -gt 20 ] 2>/dev/null; }
check "so does the node" within known
kill -TERM $node $ethereum $watch
wait $ethereum
check "the other node ends as it should" [ $? -eq 143 ]
wait $node
check "it ends as it should" [ $? -eq 143 ]
wait $watch
check "and so does the watch" [ $? -eq 143 ]
check "all is sound" [ "$(ask w.db 'PRAGMA integrity_check')" = ok ]

# --- for good

if [ "${HOLD:-0}" -gt 60 ]; then
	behind long crawl bitcoin "${how[@]}" --rate 100/s --db long.db
	crawl=$pid
	within visits_are long.db 20
	hold long.db
	ask long.db 'SELECT peer_id, started_at_ms FROM visits WHERE reached' | sort >before
	began=$SECONDS
	wait $crawl
	check "who holds it for good ends the crawl with 1" [ $? -eq 1 ]
	echo "after $((SECONDS - began)) s: $(cat long.err)"
	cp long.err err
	check "which says why, and what to do" grep -q 'another process holds.*--db' err
	run 1 crawl bitcoin "${how[@]}" --db long.db
	check "a new one gives up" [ $? -eq 0 ]
	check "and says why" grep -q 'another process holds.*--db' err
	let_go
	check "later it is resumed" run 0 crawl bitcoin "${how[@]}" --db long.db --resume
	ask long.db 'SELECT peer_id, started_at_ms FROM visits WHERE reached' | sort >after
	check "nothing is lost" [ -z "$(comm -23 before after)" ]
	check "everybody is found" is_whole long.db
fi

end_simulation TERM
finish 29
