#!/bin/bash
# test_results.sh: report, export and score on the database of a crawl, and what a crawl
# that was killed leaves behind. All of it stays on loopback.
#
#     tests/e2e/test_results.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8 NO_COLOR=1

says() { # what stderr must hold
	grep -qF -- "$1" err
}

simulate bitcoin --peers 200 --ghosts 150 --seed 5 --latency 20ms || exit 1
how+=(--connect-timeout 1s --timeout 3s)
crawl bitcoin --quiet --db one.db --json >crawl.json 2>err || { cat err; echo "the crawl failed"; exit 1; }
reached=$(json_value reached crawl.json)
visited=$(json_value visited crawl.json)
known=$(json_value known crawl.json)

# report
check "report works" run 0 report --db one.db
check "it shows outcomes" grep -q '^OUTCOME' out
check "it shows agents" grep -q '/Satoshi:' out
check "it shows heights" grep -q '^HEIGHT (the median is 9' out
check "it draws bars" grep -q '█' out
LC_ALL=C check "it works without UTF-8" run 0 report --db one.db
LC_ALL=C "$program" report --db one.db >out 2>err
check "bars are then plain" grep -q '###' out
check "and nothing else is not" bash -c '! LC_ALL=C grep -q "[^ -~]" out'
check "report --json works" run 0 report --db one.db --json
# Once as the crawl has counted, once as the visits in the database say, once in the history.
check "it has the visits" [ "$(grep -c "\"visited\": $visited," out)" = 3 ]
check "and the reached" [ "$(grep -c "\"reached\": $reached," out)" = 3 ]
check "--top makes others" run 0 report --db one.db --top 1
check "others are counted" grep -q ' others ' out
check "a missing crawl" run 1 report --db one.db --crawl 77
check "is named" says 'crawl 77'
check "a missing database" run 1 report --db none.db
check "with what to do" says 'peerwalk crawl'
check "is not made" [ ! -e none.db ]
echo 'a shopping list' >notes.txt
check "a file of somebody else" run 1 report --db notes.txt
check "is told apart" says 'no peerwalk database'
check "and stays as it is" grep -qx 'a shopping list' notes.txt

# export
columns=network,peer,address,port,node_id,outcome,agent,protocol,services,height
columns=$columns,first_seen,last_seen,last_reached,connect_ms,handshake_ms,visits,reached_count
check "export works" run 0 export --db one.db
check "its columns are the promised ones" bash -c "head -1 out | grep -q '^$columns'"
check "one row for each known address" [ "$(rows out)" = "$known" ]
check "--output" run 0 export --db one.db --output peers.csv
check "leaves stdout alone" [ ! -s out ]
check "and has the same rows" [ "$(rows peers.csv)" = "$known" ]
check "--outcome" run 0 export --db one.db --outcome ok
check "leaves fewer" [ "$(rows out)" -lt "$reached" ]
check "--what visits" run 0 export --db one.db --what visits
check "has one for each visit" [ "$(rows out)" = "$visited" ]
check "jsonl" run 0 export --db one.db --format jsonl
check "has a line for each" [ "$(wc -l <out)" = "$known" ]
cp out jsonl.out
check "--json is the same" run 0 export --db one.db --json
check "byte for byte" cmp -s out jsonl.out
check "json" run 0 export --db one.db --format json --output all.json
check "a wrong outcome" run 2 export --db one.db --outcome fine
check "is told what is right" says 'connect_timeout'
check "a wrong format" run 2 export --db one.db --format xml
check "a missing folder" run 1 export --db one.db --output none/x.csv
check "is named" says 'none/x.csv'
if [ -w /dev/full ]; then
	check "a full disk" run 1 export --db one.db --output /dev/full
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
check "score works" run 0 score --db one.db --truth truth.csv --min-recall 1
check "everybody was found" grep -qE '^ +recall +100\.00%' out
check "nobody is missing" bash -c '! grep -q MISSING out'
check "score --json" run 0 score --db one.db --truth truth.csv --json
check "no liar was believed" [ "$(json_value false_ok out)" = 0 ]
# One ghost is declared reachable: it must be missed, and listed.
awk -F, -v OFS=, '$4 == "ghost_refused" && !done { $6 = 1; done = 1 } { print }' \
	truth.csv >wrong.csv
check "a missed peer" run 0 score --db one.db --truth wrong.csv
check "is listed" grep -q 'ghost_refused: nothing listens there' out
check "--min-recall can fail" run 1 score --db one.db --truth wrong.csv --min-recall 100%
check "and says so" says 'min-recall'
check "no truth" run 2 score --db one.db
check "a bad truth" run 1 score --db one.db --truth notes.txt
check "is told where" says 'notes.txt:1:'
check "a truth that isn't there" run 1 score --db one.db --truth none.csv

killed_and_resumed bitcoin 100/s 20 "$visited"
finish 65
