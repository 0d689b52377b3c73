#!/bin/bash
# test_diff.sh: what changed between crawls of a network of which some peers are left out, and
# which is gone in the end. All of it stays on loopback.
#
#     tests/e2e/test_diff.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8 NO_COLOR=1

says() { # what stderr must hold
	grep -qF -- "$1" err
}

shows() { # label, number: a row of the first table
	grep -qE "^ *$1 +$2 " out
}

# shellcheck disable=SC2120 # check calls it with some
walk() { # what to leave out
	crawl bitcoin --quiet --db all.db --adverts "$@" >crawl.out 2>&1
}

simulate bitcoin --peers 60 --ghosts 10 --seed 11 --latency 5ms || exit 1
how+=(--connect-timeout 1s --timeout 3s)
host_of() { # kind, number
	peer_of "$@" | sed 's|.*://||; s|:[0-9]*$||'
}
# Not those that the crawl begins with.
honest=()
for n in $(seq 40); do
	host=$(host_of honest "$n")
	grep -qF "$host:" seeds.txt || honest+=("$host")
done
printf '%s\n' "${honest[@]:0:3}" >three.txt
printf '%s\n' "${honest[@]:3:2}" >two.txt

check "one crawl" walk
reached=$(sed -n 's/^ *reached  *\([0-9,]*\).*/\1/p' crawl.out)
check "has none before it" run 1 diff --db all.db
check "which is said" says 'no crawl before crawl 1 of bitcoin'
check "a crawl without three" walk --exclude three.txt
check "a crawl without two" walk --exclude two.txt
check "diff works" run 0 diff --db all.db
check "it compares the two newest" grep -q '^Crawl 2 of bitcoin' out
check "with what each reached" grep -qE "^Crawl 3 of .*: $((reached - 2)) reached$" out
check "three came" shows came 3
check "all of them are back" shows back 3
check "two left" shows left 2
check "as they were not visited" shows 'not visited' 2
check "the others stayed" shows stayed $((reached - 5))
check "the other way round" run 0 diff 3 2 --db all.db --list
check "two came" [ "$(grep -c '^back  *bitcoin://' out)" = 2 ]
check "and three left" [ "$(grep -c '^left .*  not visited  ' out)" = 3 ]
check "who is named" grep -qF "${honest[0]}:" out
check "nobody twice" [ -z "$(awk '/:\/\// { print $2 }' out | sort | uniq -d)" ]
check "by numbers" run 0 diff 1 3 --db all.db
check "nobody came" shows came 0
check "and nobody is told to be new" bash -c '! grep -q "^  new" out'

# Times
second=$("$program" report --db all.db --crawl 2 --json |
	sed -n 's/.*"started_at": "\([^"]*\)".*/\1/p' | head -n 1)
check "by times" run 0 diff "$second" 2100-01-01 --db all.db
check "from the second" grep -q '^Crawl 2 of' out
check "to the newest" grep -q '^Crawl 3 of' out
check "a time before all of them" run 1 diff 2001-01-01 --db all.db
check "is told" says 'no crawl begun by 2001-01-01T00:00:00Z of bitcoin'
check "a day that is none" run 2 diff 2026-02-30 --db all.db
check "is told what is right" says 'expected its number, or a time'
check "zero is no crawl" run 2 diff 0 --db all.db
check "nor is a missing one" run 1 diff 1 77 --db all.db
check "which is named" says 'crawl 77'
check "twice the same" run 1 diff 2 2 --db all.db
check "is said" says 'both are crawl 2'
check "three are too many" run 2 diff 1 2 3 --db all.db

# Those that are gone, and another network beside them
end_simulation TERM
# shellcheck disable=SC2119
walk
check "a crawl of nobody" [ "$(json_value reached <("$program" report --db all.db --json))" = 0 ]
check "shows all of them gone" run 0 diff --db all.db
check "by their number" shows left $((reached - 2))
check "and how they are" grep -qE '^  (refused|unreachable|connect_timeout) ' out
simulate bitcoin-signet --peers 20 --seed 12 --latency 5ms || exit 1
crawl bitcoin-signet --quiet --db all.db >crawl.out 2>&1
check "crawls of two networks" run 1 diff 3 5 --db all.db
check "can't be compared" says 'crawl 3 is of bitcoin, and crawl 5 of bitcoin-signet'
check "--network says which is meant" run 0 diff --network bitcoin --db all.db
check "so that the newest are its own" grep -q '^Crawl 4 of bitcoin,' out
check "and a number has to be one of it" run 1 diff 5 --network bitcoin --db all.db
check "a network without crawls" run 1 diff --network gossip --db all.db

check "--json" run 0 diff 2 3 --db all.db --json
cp out short.json
check "--json --list" run 0 diff 2 3 --db all.db --json --list
if command -v python3 >/dev/null; then
	python3 - three.txt two.txt <<-'END' >python.out 2>err
		import json, sys
		three, two = (set(open(name).read().split()) for name in sys.argv[1:])
		short, doc = json.load(open('short.json')), json.load(open('out'))
		peers = doc.pop('peers')
		assert short == doc
		assert doc['a']['id'] == 2 and doc['b']['id'] == 3
		assert doc['came'] == {'total': 3, 'new': 0, 'back': 3}, doc['came']
		assert doc['left'] == {'total': 2, 'not_visited': 2, 'outcomes': {}}, doc['left']
		host = lambda p: p['peer'].split('://')[1].rsplit(':', 1)[0]
		assert {host(p) for p in peers if p['change'] == 'back'} == three
		assert {host(p) for p in peers if p['change'] == 'left'} == two
		for p in peers:
		    assert (p['is'] is None) == (p['change'] == 'left'), p
		    assert p['change'] == 'changed' or p['fields'] == [], p
		    if p['change'] == 'left':
		        assert p['was']['reached'] and p['was']['agent'].startswith('/'), p
		assert sum(p['change'] == 'changed' for p in peers) == doc['stayed']['changed']
		change = sum(row['change'] for row in doc['agents']['rows'])
		assert change == doc['agents']['total_b'] - doc['agents']['total_a'] == 1
	END
	check "Python reads it the same" [ $? -eq 0 ]
else
	echo "note: no python3: its check of diff --json is left out"
fi

# Who named whom, and a snapshot
check "adverts" run 0 export --db all.db --what adverts --crawl 1
named=$(rows out)
check "are kept" [ "$named" -gt 100 ]
check "as a graph" run 0 export --db all.db --what adverts --crawl 1 --format dot
check "with an edge for each" [ "$(grep -c ' -> ' out)" = "$named" ]
check "in GraphML, too" run 0 export --db all.db --what adverts --crawl 1 --format graphml
cp out graph.xml
check "adverts alone make graphs" run 2 export --db all.db --format dot
check "which is said" says 'is for --what adverts'
check "a snapshot" run 0 export --db all.db --format bitnodes --crawl 1
cp out nodes.json
"$program" crawl gossip --seed 127.0.0.1:1 --quiet --db other.db >crawl.out 2>&1
check "is of Bitcoin" run 1 export --db other.db --format bitnodes
check "and nothing else" says 'choose another with --crawl or --network'
if command -v python3 >/dev/null; then
	python3 - "$reached" "$named" <<-'END' >python.out 2>err
		import json, sys, xml.etree.ElementTree as tree
		reached, named = map(int, sys.argv[1:])
		doc = json.load(open('nodes.json'))
		assert doc['total_nodes'] == len(doc['nodes']) == reached, doc['total_nodes']
		assert all(len(node) == 13 for node in doc['nodes'].values())
		assert doc['latest_height'] in [node[4] for node in doc['nodes'].values()]
		assert max(node[2] for node in doc['nodes'].values()) <= doc['timestamp']
		n = '{http://graphml.graphdrawing.org/xmlns}'
		graph = tree.parse('graph.xml').getroot().find(n + 'graph')
		ids = {node.get('id') for node in graph.findall(n + 'node')}
		edges = graph.findall(n + 'edge')
		assert len(edges) == named, len(edges)
		assert ids == {e.get(end) for e in edges for end in ('source', 'target')}
	END
	check "Python reads both" [ $? -eq 0 ]
fi
finish 56
