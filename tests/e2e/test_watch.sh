#!/bin/bash
# test_watch.sh: crawl --every: what becomes known of peers that go and come back, and who say
# something else then.
#
#     tests/e2e/test_watch.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

world=(bitcoin --peers 20 --ghosts 12 --liars 0 --latency 5ms --duration 9m)
node() { # place, whom to write to about it
	rm -f node.out
	"$program" node bitcoin --listen "$1" --no-default-bootstrap --allow-private \
		--contact "$2" --db node.db >node.out 2>node.err </dev/null &
	node=$!
	within grep -q '^listen' node.out
}
ask() { # SQL: the first value
	python3 -c 'import sqlite3, sys
db = sqlite3.connect("file:watch.db?mode=ro", uri=True, timeout=20)
print(db.execute(sys.argv[1]).fetchone()[0])' "$1"
}
rounds_are() { # so many, at least
	[ "$(wc -l <rounds)" -ge "$1" ]
}
away="address LIKE '127.32.%' OR address = '127.33.0.1'"
count_up() { # of those that will be away
	ask "SELECT count(*) FROM watch w JOIN peers p ON p.id = w.peer_id
		WHERE ($away) AND up_since_ms IS NOT NULL"
}
many_are_up() { [ "$(count_up)" -gt 10 ]; }
none_is_up() { [ "$(count_up)" = 0 ]; }

# --- two worlds, and a node

simulate "${world[@]}" --seed 4 --range 127.32.0.0/16 || exit 1
mv seeds.txt seeds
leaving=$simulator
leaving_port=$port
simulate "${world[@]}" --seed 3 --range 127.31.0.0/16 || exit 1
cat seeds.txt >>seeds
check "a node is there" node 127.33.0.1:0 one@example.org
place=$(sed -n 's/^listen *//p' node.out | head -n 1)
echo "$place" >>seeds

"$program" crawl bitcoin --no-default-seeds --seeds seeds --allow-private --connect-timeout 300ms --timeout 700ms \
	--every 1s --db watch.db --json --log log --log-format json >rounds 2>crawl.err </dev/null &
watching=$!
check "rounds follow each other" within rounds_are 3
check "those of the other world are up" many_are_up

# --- they go, and come back

kill -KILL "$leaving" "$node"
wait "$leaving" "$node" 2>/dev/null
check "that they are gone is seen" within none_is_up
"$program" simulate "${world[@]}" --seed 4 --range 127.32.0.0/16 --port "$leaving_port" \
	>again.out 2>err </dev/null &
check "the node comes back" node "$place" two@example.org
check "that they are back is seen, too" within many_are_up
node_is_back() {
	[ "$(ask "SELECT count(*) FROM watch w JOIN peers p ON p.id = w.peer_id
		WHERE address = '127.33.0.1' AND up_since_ms IS NOT NULL")" = 1 ]
}
check "and the node" within node_is_back
kill -INT "$watching"
wait "$watching"
check "Ctrl-C ends it with 130" [ $? -eq 130 ]

# --- what is known of them now

is() { # name, value, SQL
	check "$1" [ "$(ask "$3")" = "$2" ]
}
is "who stayed has no session that is over" 0 \
	"SELECT count(*) FROM sessions s JOIN peers p ON p.id = s.peer_id WHERE address LIKE '127.31.%'"
is "who left has one" "1 1" \
	"SELECT min(n) || ' ' || max(n) FROM (SELECT count(s.peer_id) AS n FROM watch w
	JOIN peers p ON p.id = w.peer_id LEFT JOIN sessions s ON s.peer_id = p.id
	WHERE ($away) AND up_since_ms IS NOT NULL GROUP BY p.id)"
is "which ended before the one that goes on began" 0 \
	"SELECT count(*) FROM sessions s JOIN watch w ON w.peer_id = s.peer_id
	WHERE from_ms > to_ms OR to_ms >= up_since_ms"
is "the node says something else than before" 1 \
	"SELECT count(*) FROM changes c JOIN peers p ON p.id = c.peer_id WHERE what = 'agent'
	AND address = '127.33.0.1' AND was LIKE '%one@%' AND now LIKE '%two@%'"
is "and nobody else does" 0 \
	"SELECT count(*) FROM changes c JOIN peers p ON p.id = c.peer_id WHERE what = 'agent'
	AND address <> '127.33.0.1'"
is "who was up all the time was so all the time" 0 \
	"SELECT count(*) FROM watch w JOIN peers p ON p.id = w.peer_id
	WHERE address LIKE '127.31.%' AND up_since_ms IS NOT NULL AND misses = 0 AND up_7d <= 0"
is "who was away was up for a part of it" 0 \
	"SELECT count(*) FROM watch w JOIN peers p ON p.id = w.peer_id
	WHERE ($away) AND up_since_ms IS NOT NULL AND up_7d >= (SELECT max(up_7d) FROM watch)"
rounds=$(ask "SELECT count(*) FROM crawls WHERE every_ms = 1000")
is "who is always there was visited in each round" 1 \
	"SELECT $rounds - max(visits) <= 1 FROM peers WHERE address LIKE '127.31.%'"
is "who never is, in few" 1 \
	"SELECT max(visits) * 2 < $rounds + 4 AND min(visits) > 0 FROM peers
	WHERE address LIKE '127.31.%' AND reached_count = 0"
# Named in each round.
is "but it was known in each" 0 \
	"SELECT count(*) FROM peers WHERE address LIKE '127.31.%' AND reached_count = 0
	AND last_seen_ms < (SELECT max(started_at_ms) FROM crawls WHERE ended_at_ms IS NOT NULL)"
is "each round that ended has its report" 0 \
	"SELECT count(*) FROM crawls WHERE ended_at_ms IS NOT NULL
	AND id NOT IN (SELECT crawl_id FROM reports)"

# --- what it said

check "a line of JSON for each round" is_json_lines rounds
python3 - >facts 2>err <<'PY'
import json, sqlite3
db = sqlite3.connect("watch.db")
lines = [json.loads(line) for line in open("rounds")]
print("numbers", [line["round"] for line in lines] == list(range(1, len(lines) + 1)))
print("visits", all(db.execute("SELECT count(*) FROM visits WHERE crawl_id = ?", (line["crawl"],))
                    .fetchone()[0] == line["visited"] for line in lines if line["complete"]))
print("resting", any(line["resting"] > 0 for line in lines))
print("known", all(line["known"] == line["visited"] + line["resting"] for line in lines
                   if line["complete"]))
print("next", lines[0]["next"] is not None and lines[0]["every_seconds"] == 1)
events = [json.loads(line) for line in open("log")]
said = [e for e in events if e.get("event") == "round"]
print("log", [e["reached"] for e in said] == [line["reached"] for line in lines])
PY
cp facts out
check "rounds are numbered" grep -q 'numbers True' facts
check "and count what is in the database" grep -q 'visits True' facts
check "some rest" grep -q 'resting True' facts
check "and all others are visited" grep -q 'known True' facts
check "it says when the next one begins" grep -q 'next True' facts
check "the log has each round" grep -q 'log True' facts
check "nothing is on stderr but the end" [ "$(grep -c . crawl.err)" -le 1 ]

finish 27
