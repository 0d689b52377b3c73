#!/bin/bash
# test_node_results.sh: report, export and score on the database of a crawl of Ethereum nodes,
# and what a crawl that was killed leaves behind. All of it stays on loopback.
#
#     tests/e2e/test_node_results.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8 NO_COLOR=1

says() { # what stderr must hold
	grep -qF -- "$1" err
}

simulate ethereum --peers 150 --ghosts 80 --seed 4 --latency 10ms --liars 8% || exit 1
crawl ethereum --quiet --db one.db --json >crawl.json 2>err || { cat err; echo "the crawl failed"; exit 1; }
reached=$(json_value reached crawl.json)
visited=$(json_value visited crawl.json)
known=$(json_value known crawl.json)

# report
check "report works" run 0 report --db one.db
check "it says how complete the tables are" grep -qE '^tables +[0-9,]+ drained \([0-9.]+%\)' out
check "it shows clients" grep -qE '^  (Geth|Nethermind|erigon|besu|reth)' out
check "it shows sessions" grep -q '^SESSION' out
check "it shows capabilities" grep -qE '^  eth/[0-9]+ ' out
check "it names chains" grep -qE '^  0x[0-9a-f]{8} mainnet ' out
check "it has no table of services" bash -c '! grep -q ^SERVICE out'
check "report --json works" run 0 report --db one.db --json
check "--fork leaves one chain" run 0 report --db one.db --fork mainnet
check "and says so" grep -q '^of mainnet: ' out
check "a chain that is not known" run 2 report --db one.db --fork nochain
check "is told which there are" says 'mainnet, sepolia, holesky, hoodi'
check "a genesis alone" run 2 export --db one.db --fork 0xd4e5:1

# export
check "export works" run 0 export --db one.db --output peers.csv
check "one row for each key at an address" [ "$(rows peers.csv)" = "$known" ]
check "peer is the URL" [ "$(grep -cE '^ethereum,enode://[0-9a-f]{128}@' peers.csv)" = "$known" ]
check "visits" run 0 export --db one.db --what visits --format jsonl
check "have a line for each" [ "$(wc -l <out)" = "$visited" ]
check "nodeset" run 0 export --db one.db --format nodeset --output nodes.json
check "enodes" run 0 export --db one.db --format enodes --output enodes.txt
check "has those that answered" [ "$(wc -l <enodes.txt)" = "$reached" ]
check "enrs" run 0 export --db one.db --format enrs --output enrs.txt
check "that are records" run 0 enr enrs.txt
check "--fork" run 0 export --db one.db --format enodes --fork mainnet
check "leaves fewer, and some" [ "$(wc -l <out)" -lt "$reached" -a -s out ]
check "a format of nodes is for peers" run 2 export --db one.db --what visits --format enrs
check "and that is said" says '--what peers'
check "what was exported can be walked again" \
	run 0 crawl ethereum --no-default-seeds --seeds enodes.txt --allow-private --quiet \
	--max-peers 5 --no-session --db again.db
if command -v python3 >/dev/null; then
	python3 - "$reached" <<-'END' >out 2>err
		import csv, json, re, sys
		reached = int(sys.argv[1])
		pairs = json.load(open('nodes.json'), object_pairs_hook=lambda p: p)
		keys = [key for key, node in pairs]
		assert len(keys) == reached and keys == sorted(set(keys))
		zone = re.compile(r'^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$')
		enrs = set(open('enrs.txt').read().split())
		for key, fields in pairs:
		    assert re.match('^[0-9a-f]{64}$', key), key
		    node = dict(fields)
		    assert list(node) == ['seq', 'record', 'score', 'firstResponse',
		                          'lastResponse', 'lastCheck'], node
		    assert node['score'] == 1
		    assert node['record'] in enrs or node['record'].startswith('enode://'), node
		    assert (node['seq'] > 0) == node['record'].startswith('enr:'), node
		    for name in ('firstResponse', 'lastResponse', 'lastCheck'):
		        assert zone.match(node[name]), node
		    assert node['firstResponse'] <= node['lastResponse'] <= node['lastCheck'], node
		enodes = set(open('enodes.txt').read().split())
		rows = list(csv.DictReader(open('peers.csv', newline='')))
		answered = {row['peer'] for row in rows if row['reached_count'] != '0'}
		assert enodes == answered, (enodes ^ answered)
		truth = {row['peer'] for row in csv.DictReader(open('truth.csv', newline=''))}
		assert answered <= truth, answered - truth
		for row in rows:
		    assert row['node_id'] == row['peer'][8:136], row
		    assert (row['record'] != '') == (row['record_seq'] != '') or row['record'] == ''
		    assert (row['completeness'] != '') == (row['reached_count'] != '0'), row
	END
	check "Python reads all of it the same" [ $? -eq 0 ]
else
	echo "note: no python3: its check of the exports is left out"
fi

# score
check "score works" run 0 score --db one.db --truth truth.csv --min-recall 1
check "everybody was found" grep -qE '^ +recall +100\.00%' out
check "and nobody else" grep -qE '^ +precision +100\.00%' out
check "the tables are counted" grep -qE '^ +tables +[0-9]+  drained' out
check "score --json" run 0 score --db one.db --truth truth.csv --json
check "no liar was believed" [ "$(json_value false_ok out)" = 0 ]
check "all clients are those of the truth" [ "$(json_value agents_differ out)" = 0 ]
# The key of a reachable node is another one: who answers at its address is not whom it names.
awk -F, -v OFS=, '$4 == "honest" && $6 == 1 && !done {
	first = substr($1, 9, 1); $1 = "enode://" (first == "0" ? "1" : "0") substr($1, 10); done = 1
} { print }' truth.csv >wrong.csv
check "another key" run 0 score --db one.db --truth wrong.csv
check "is missed" grep -qE '^  enode://.*, honest: never visited' out
check "--min-recall can fail" run 1 score --db one.db --truth wrong.csv --min-recall 100%

killed_and_resumed ethereum 40/s 10 "$visited"
finish 46
