#!/bin/bash
# test_serve.sh: `peerwalk serve` over real connections: what it answers (serve_client.py), who may
# ask, events of a crawl that runs, databases that come, go and are damaged.
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

command -v python3 >/dev/null || {
	echo "python3 is missing: skipped"
	exit 77
}
# The module that reads metrics is Debian's.
python=python3
! /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null || python=/usr/bin/python3
client="$source_dir/tests/e2e/serve_client.py"
token=0123456789abcdefABCDEF
: >in

# Starts one: `server` is its process, `url` where it is.
serve() { # database, options...
	: >serve.out # what the one before said is no answer
	"$program" serve --db "$1" --listen 127.0.0.1:0 "${@:2}" >serve.out 2>serve.err </dev/null &
	server=$!
	within grep -qE '^http|"url"' serve.out
	url=$(head -n 1 serve.out)
}

stop() { # signal, expected status
	local status
	kill -"$1" "$server"
	wait "$server"
	status=$?
	cp serve.err err
	check "SIG$1 ends it with status $2, not $status" [ $status -eq "$2" ]
}

look() { # what, arguments...
	local word name
	$python "$client" "$1" "${@:2}" >looked 2>err
	check "$1: python ends well" [ $? -eq 0 ]
	while read -r word name; do
		cp looked out
		check "$1: $name" [ "$word" = ok ]
	done <looked
	check "$1: something was looked at" [ -s looked ]
}

health() { # text
	curl_out=$(python3 -c 'import sys, urllib.request as u, urllib.error as e
try: r = u.urlopen(sys.argv[1] + "healthz")
except e.HTTPError as x: r = x
print(r.status, r.read().decode())' "$url" 2>err)
	printf '%s\n' "$curl_out" >out
	grep -q "$1" out
}

sql() { # database, statements
	python3 -c 'import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.executescript(sys.argv[2])
d.commit()' "$@"
}

# --- a database of two crawls, between which things have changed ---

simulate bitcoin --peers 150 --ghosts 30 --seed 3 || exit 1
quick=(--quiet --connect-timeout 500ms --timeout 1500ms --db net.db)
crawl bitcoin "${quick[@]}" >out 2>err
check "the first crawl" [ $? -eq 0 ]
crawl bitcoin "${quick[@]}" >out 2>err
check "the second" [ $? -eq 0 ]
# Some were there only once, and one has a hostile name now.
sql net.db "UPDATE visits SET reached = 0, outcome = 4, agent = NULL, protocol = NULL WHERE
	crawl_id = 1 AND peer_id IN (SELECT peer_id FROM visits WHERE reached AND crawl_id = 1 LIMIT 5);
UPDATE visits SET reached = 0, outcome = 4, agent = NULL, protocol = NULL WHERE crawl_id = 2
	AND peer_id IN (SELECT peer_id FROM visits WHERE reached AND crawl_id = 2 ORDER BY peer_id
	DESC LIMIT 7);
CREATE TABLE one AS SELECT a.peer_id AS id FROM visits a JOIN visits b ON a.peer_id = b.peer_id
	WHERE a.crawl_id = 1 AND b.crawl_id = 2 AND a.reached AND b.reached LIMIT 1;
UPDATE visits SET agent = '<script>alert(1)</script>' || char(27, 10, 8238, 155) WHERE
	crawl_id = 2 AND peer_id = (SELECT id FROM one);
UPDATE peers SET agent = '<script>alert(1)</script>' || char(27, 10, 8238, 155) WHERE
	id = (SELECT id FROM one);
DROP TABLE one; DELETE FROM reports"

# --- answers ---

serve net.db
check "says where it is" grep -q '^http://127\.0\.0\.1:[0-9]*/$' serve.out
check "is healthy soon" within health '^200 ok$'
look api "$url"
look metrics "$url"
look slow "$url"
complains "a taken port is told" 1 'choose another port' serve --db net.db --listen "${url:7:-1}"
stop INT 130

# --- who may ask ---

complains "everybody, but no token" 2 '--token FILE' serve --listen 0.0.0.0:0
complains "no address" 2 'expected ADDR:PORT' serve --listen nowhere
complains "no token file" 1 'cannot read the token' serve --token missing
echo $token >token
chmod 644 token
complains "a token that all can read" 1 'chmod 600' serve --token token
chmod 600 token
serve net.db --token token --json
url=$(json_value url serve.out)
url="http:$(sed -n 's/.*"url": *"http:\([^"]*\)".*/\1/p' serve.out)"
check "--json says where it is" [ -n "${url:5}" ]
check "it is healthy without the token" within health '^200 ok$'
look token "$url" $token
stop TERM 143

# --- databases ---

serve late.db
check "there is none yet" within health '^503 late.db: .*is shown as soon as it is there'
cp net.db late.db
check "but then it is shown" within health '^200 ok$'
head -c 100000 /dev/urandom >garbage
mv garbage late.db
check "another file in its place is told" within health '^503 late.db: .*no peerwalk database'
cp net.db new.db
mv new.db late.db
check "and again a good one" within health '^200 ok$'
rm late.db
check "and none" within health '^503 late.db: '
sql older.db "$(cat "$source_dir/tests/unit/schema1.sql")"
mv older.db late.db
check "an older one is shown as a copy" within health '^200 ok, as a copy'
# Damaged where its rows are.
cp net.db bad.db
dd if=/dev/urandom of=bad.db bs=4096 seek=2 count=30 conv=notrunc 2>/dev/null
mv bad.db late.db
check "a damaged one is told" within health '^503 late.db: .*damaged'
stop TERM 143

# One that takes long to read, and an end meanwhile (a sanitizer sees what is freed too early).
cp net.db large.db
sql large.db "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299999)
INSERT INTO peers(network_id, key, kind, address, port, first_seen_ms, last_seen_ms)
	SELECT 1, CAST(char(1, 20, 1 + i / 10000, 1 + i / 100 % 100, 1 + i % 100, 32, 13) AS BLOB), 1,
	'20.' || (1 + i / 10000) || '.' || (1 + i / 100 % 100) || '.' || (1 + i % 100), 8205, 1, 1
	FROM n"
serve large.db
stop TERM 143

# --- a crawl that runs ---

serve run.db
python3 "$client" events "$url" >>events 2>err &
listener=$!
check "hello" within grep -q '^hello {"version"' events
"$program" crawl bitcoin "${how[@]}" --quiet --connect-timeout 500ms --timeout 1500ms --rate 40 --db run.db \
	>crawl.out 2>crawl.err &
crawler=$!
cp events out
check "a crawl that begins is seen" within grep -q '^crawl .*"running": true' events
check "and whom it visits" within grep -q '^visits .*"peer": "bitcoin://127\.' events
check "and what has changed" within grep -q '^changed {"version"' events
kill -KILL $crawler
wait $crawler 2>/dev/null
check "that it was killed is seen" within grep -q '^crawl .*"running": false' events
: >events
crawl bitcoin --quiet --connect-timeout 500ms --timeout 1500ms --resume --db run.db >crawl.out 2>crawl.err
status=$?
cp crawl.err out
check "the one that goes on ends" [ $status -eq 0 ]
check "which is seen, too" within grep -q '^crawl .*"running": false' events
cp events out
check "with its sums" grep -q "^crawl .*\"running\": false.*\"visited\": $(
	"$program" report --db run.db --json | json_value visited /dev/stdin)," events
look metrics "$url"
stop TERM 143
wait $listener
check "who listens sees the end in good order: $(tail -n 1 err)" [ $? -eq 0 ]
end_simulation TERM

# --- node --metrics ---

"$program" node bitcoin --listen 127.0.0.1:0 --no-default-bootstrap --metrics 127.0.0.1:0 \
	>node.out 2>node.err &
node=$!
check "the node says where" within grep -q 'metrics at http' node.err
url=$(sed -n 's|.*metrics at \(http://[^/]*/\)metrics.*|\1|p' node.err)
check "it is there" within health '^200 ok'
look metrics "$url"
python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())' \
	"${url}metrics" >out
check "and says what its status says" grep -q '^peerwalk_node_peers_in{network="bitcoin"} 0$' out
kill -INT $node
wait $node
check "it ends" [ $? -eq 130 ]
complains "--token alone" 2 '--token is for --metrics' node bitcoin --token token

finish 65
