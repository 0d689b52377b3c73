#!/bin/bash
# test_results.sh: report, export and score on the database of a crawl, and what a crawl
# that was killed leaves behind. All of it stays on loopback.
#
#     tests/e2e/test_results.sh PROGRAM
set -uo pipefail

program=$(realpath "$1")
dir=$(mktemp -d)
simulation=
passed=0
failed=0

clean_up() {
	[ -z "$simulation" ] || kill "$simulation" 2>/dev/null
	rm -rf "$dir"
}
trap clean_up EXIT
cd "$dir" || exit 1
export LC_ALL=C.UTF-8 NO_COLOR=1
unset PEERWALK_DB

check() { # name, command...
	if "${@:2}"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $1"
		sed 's/^/    /' out err 2>/dev/null | head -20
	fi
}

# Runs the program; its exit status must be the first argument.
exits() { # status, arguments...
	local want=$1
	shift
	"$program" "$@" >out 2>err </dev/null
	[ $? -eq "$want" ]
}

says() { # what stderr must hold
	grep -qF -- "$1" err
}

begin() {
	local port try
	for try in 0 1 2 3 4 5 6 7 8 9; do
		port=$((12000 + ($$ * 7 + try * 900) % 8000))
		"$program" simulate bitcoin --peers 200 --ghosts 150 --seed 5 --latency 20ms \
			--port "$port" --truth truth.csv --seeds-out seeds.txt \
			>sim.out 2>sim.err </dev/null &
		simulation=$!
		for _ in $(seq 100); do
			grep -q '"ready"' sim.out && return 0
			kill -0 "$simulation" 2>/dev/null || break
			sleep 0.05
		done
		kill "$simulation" 2>/dev/null
		wait "$simulation" 2>/dev/null
		simulation=
	done
	cat sim.err >&2
	return 1
}

how=(--no-default-seeds --seeds seeds.txt --allow-private --quiet --connect-timeout 1s
	--timeout 3s)
crawl() { # database, options...
	"$program" crawl bitcoin "${how[@]}" --db "$@"
}

number() { # key, file: the first such number in a JSON document
	sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" "$2" | head -n 1
}

rows() { # file
	tail -n +2 "$1" | wc -l
}

begin || { echo "the simulated network did not come up"; exit 1; }
crawl one.db --json >crawl.json 2>err || { cat err; echo "the crawl failed"; exit 1; }
reached=$(number reached crawl.json)
visited=$(number visited crawl.json)
known=$(number known crawl.json)

# report
check "report works" exits 0 report --db one.db
check "it shows outcomes" grep -q '^OUTCOME' out
check "it shows agents" grep -q '/Satoshi:' out
check "it shows heights" grep -q '^HEIGHT (the median is 9' out
check "it draws bars" grep -q '█' out
LC_ALL=C check "it works without UTF-8" exits 0 report --db one.db
LC_ALL=C "$program" report --db one.db >out 2>err
check "bars are then plain" grep -q '###' out
check "and nothing else is not" bash -c '! LC_ALL=C grep -q "[^ -~]" out'
check "report --json works" exits 0 report --db one.db --json
# Once as the crawl has counted, once as the visits in the database say.
check "it has the visits" [ "$(grep -c "\"visited\": $visited," out)" = 2 ]
check "and the reached" [ "$(grep -c "\"reached\": $reached," out)" = 2 ]
check "--top makes others" exits 0 report --db one.db --top 1
check "others are counted" grep -q ' others ' out
check "a missing crawl" exits 1 report --db one.db --crawl 77
check "is named" says 'crawl 77'
check "a missing database" exits 1 report --db none.db
check "with what to do" says 'peerwalk crawl'
check "is not made" [ ! -e none.db ]
echo 'a shopping list' >notes.txt
check "a file of somebody else" exits 1 report --db notes.txt
check "is told apart" says 'no peerwalk database'
check "and stays as it is" grep -qx 'a shopping list' notes.txt

# export
columns=network,peer,address,port,node_id,outcome,agent,protocol,services,height
columns=$columns,first_seen,last_seen,last_reached,connect_ms,handshake_ms,visits,reached_count
check "export works" exits 0 export --db one.db
check "its columns are the promised ones" bash -c "head -1 out | grep -q '^$columns'"
check "one row for each known address" [ "$(rows out)" = "$known" ]
check "--output" exits 0 export --db one.db --output peers.csv
check "leaves stdout alone" [ ! -s out ]
check "and has the same rows" [ "$(rows peers.csv)" = "$known" ]
check "--outcome" exits 0 export --db one.db --outcome ok
check "leaves fewer" [ "$(rows out)" -lt "$reached" ]
check "--what visits" exits 0 export --db one.db --what visits
check "has one for each visit" [ "$(rows out)" = "$visited" ]
check "jsonl" exits 0 export --db one.db --format jsonl
check "has a line for each" [ "$(wc -l <out)" = "$known" ]
cp out jsonl.out
check "--json is the same" exits 0 export --db one.db --json
check "byte for byte" cmp -s out jsonl.out
check "json" exits 0 export --db one.db --format json --output all.json
check "a wrong outcome" exits 2 export --db one.db --outcome fine
check "is told what is right" says 'connect_timeout'
check "a wrong format" exits 2 export --db one.db --format xml
check "a missing folder" exits 1 export --db one.db --output none/x.csv
check "is named" says 'none/x.csv'
if [ -w /dev/full ]; then
	check "a full disk" exits 1 export --db one.db --output /dev/full
	check "is said" says 'No space'
	"$program" export --db one.db >/dev/full 2>err
	check "on stdout too" [ $? -eq 1 ]
	check "and said there" says 'No space'
fi
"$program" export --db one.db --what visits 2>err | head -n 1 >out
check "a closed pipe makes no noise" [ ! -s err ]
if command -v python3 >/dev/null; then
	python3 - "$known" "$visited" <<-'END' >out 2>err
		import csv, json, sqlite3, sys
		known, visited = map(int, sys.argv[1:])
		rows = list(csv.DictReader(open('peers.csv', newline='')))
		assert len(rows) == known, len(rows)
		assert len(json.load(open('all.json'))) == known
		assert len([json.loads(line) for line in open('jsonl.out')]) == known
		for row in rows:
		    host = row['address']
		    host = '[' + host + ']' if ':' in host else host
		    assert row['peer'] == 'bitcoin://%s:%s' % (host, row['port']), row
		    assert (row['last_reached'] != '') == (row['reached_count'] != '0'), row
		db = sqlite3.connect('file:one.db?mode=ro', uri=True)
		assert db.execute('SELECT count(*) FROM visits_readable').fetchone() == (visited,)
		assert db.execute('SELECT count(*) FROM peers_readable').fetchone() == (known,)
		ok = db.execute("SELECT count(*) FROM visits_readable WHERE outcome = 'ok'").fetchone()
		assert ok == (sum(row['outcome'] == 'ok' for row in rows),), ok
		assert db.execute('PRAGMA integrity_check').fetchone() == ('ok',)
	END
	check "Python reads all of it the same" [ $? -eq 0 ]
else
	echo "note: no python3: its check of the exports is left out"
fi

# score
check "score works" exits 0 score --db one.db --truth truth.csv --min-recall 1
check "everybody was found" grep -qE '^ +recall +100\.00%' out
check "nobody is missing" bash -c '! grep -q MISSING out'
check "score --json" exits 0 score --db one.db --truth truth.csv --json
check "no liar was believed" [ "$(number false_ok out)" = 0 ]
# One ghost is declared reachable: it must be missed, and listed.
awk -F, -v OFS=, '$4 == "ghost_refused" && !done { $6 = 1; done = 1 } { print }' \
	truth.csv >wrong.csv
check "a missed peer" exits 0 score --db one.db --truth wrong.csv
check "is listed" grep -q 'ghost_refused: nothing listens there' out
check "--min-recall can fail" exits 1 score --db one.db --truth wrong.csv --min-recall 100%
check "and says so" says 'min-recall'
check "no truth" exits 2 score --db one.db
check "a bad truth" exits 1 score --db one.db --truth notes.txt
check "is told where" says 'notes.txt:1:'
check "a truth that isn't there" exits 1 score --db one.db --truth none.csv

# A crawl that is killed, and the one that goes on from there.
# (Not by the function, whose shell would be killed instead.)
"$program" crawl bitcoin "${how[@]}" --db two.db --rate 100/s >out 2>err &
victim=$!
sleep 2
kill -KILL "$victim"
wait "$victim" 2>/dev/null
check "what a killed crawl left can be read" exits 0 report --db two.db
check "and is said not to have ended" grep -q 'not ended' out
"$program" export --db two.db --what visits >before.csv 2>err
check "there are visits" [ "$(rows before.csv)" -gt 20 ]
check "but not all" [ "$(rows before.csv)" -lt "$visited" ]
crawl two.db --resume >out 2>err
check "--resume goes on" [ $? -eq 0 ]
before=$(sed -n 's/^ *\([0-9,]*\) of them in earlier runs.*/\1/p' out)
seconds=$(sed -n 's/.* time  *\([0-9.]*\) s, .*/\1/p' out)
check "says how many are of earlier runs" [ "${before:-0}" -gt 0 ]
check "counts the visits a second of this run alone" awk -v n=$((visited - before)) \
	-v s="$seconds" '$1 == "time" { seen = $4 > n / s * .9 && $4 < n / s * 1.1 } END { exit !seen }' out
check "and finds everybody" exits 0 score --db two.db --truth truth.csv --min-recall 1
"$program" export --db two.db --what visits >after.csv 2>err
check "in the same crawl" [ "$(cut -d, -f1 after.csv | sort -u | tr '\n' ' ')" = '1 crawl ' ]
# Who was visited before the kill is not visited again, but for late retries.
sort before.csv >before.sorted
sort after.csv >after.sorted
again=$(comm -23 before.sorted after.sorted | grep -cv connect_timeout)
check "and asks nobody twice" [ "$again" = 0 ]

kill "$simulation"
wait "$simulation" 2>/dev/null
simulation=
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
