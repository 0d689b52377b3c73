#!/bin/bash
# test_forged.sh: crawls of peers, and callers of nodes, over a line that changes bytes on the way, in
# packets that the kernel drops and in packets that reach the program: nothing false is kept, who broke
# a rule is said to have broken that one, and nobody crashes.
#
#     tests/e2e/test_forged.sh PROGRAM SOURCES BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
in_own_namespaces

seed=${SEED:-$RANDOM}
echo "seed $seed"
nodes=150
is_sanitized && nodes=50
check "a line" line seed="$seed" delay=3 jitter=3 corrupt=3 forge=6

population() { # name, options of simulate...
	mkdir "$1"
	exec_far "$program" simulate "$@" --seed "$seed" --latency 5ms --liars 0 --ghosts 5 --device line \
		--truth "$1/truth.csv" --seeds-out "$1/seeds.txt" >"$1/ready" 2>err </dev/null &
	within grep -q '"ready":true' "$1/ready"
}
check "peers of Bitcoin" population bitcoin --peers 200 --range 10.0.0.0/8 --port 9000
check "peers of gossip" population gossip --peers 100 --range fd00::/32 --port 9010
check "nodes of Ethereum" population ethereum --peers $nodes --range 10.0.0.0/8 --port 9020

# Two nodes among them, and who calls them from here.
declare -A at=([bitcoin]=10.9.9.9:9100 [ethereum]=10.9.9.9:9120)
declare -A pids
for name in bitcoin ethereum; do
	exec_far "$program" node $name --no-default-bootstrap --listen ${at[$name]} --status $name.sock \
		--db $name-node.db >$name.node 2>$name.err </dev/null &
	pids[$name]=$!
	check "$name: a node" within test -s $name.node
done
urls=([0]=bitcoin://${at[bitcoin]} [1]=$(awk '$1 == "enode" { print $2; exit }' ethereum.node))
call() { # until it is killed
	while :; do
		"$program" ping "${urls[@]}" --count 3 --connect-timeout 1s --timeout 2s
		"$program" peers "${urls[0]}" --connect-timeout 1s --timeout 2s
		"$program" peers "${urls[1]}" --connect-timeout 1s --timeout 2s
	done >>called.out 2>>called.err </dev/null
}
call &
calling=$!

walk() { # name
	"$program" crawl "$1" --no-default-seeds --seeds "$1/seeds.txt" --allow-private --db "$1/x.db" \
		--connect-timeout 2s --timeout 4s >"$1/out" 2>"$1/err" </dev/null
}
declare -A walking
for name in bitcoin gossip ethereum; do
	walk $name &
	walking[$name]=$!
done
for name in bitcoin gossip ethereum; do
	wait "${walking[$name]}"
	status=$?
	cp $name/out out
	cp $name/err err
	check "$name: a crawl ends with 0" [ $status -eq 0 ]
	check "$name: nothing else is on stderr" [ ! -s err ]
	check "$name: the database is sound" [ "$(ask $name/x.db 'PRAGMA integrity_check')" = ok ]
	run 0 score --db $name/x.db --truth $name/truth.csv --json
	check "$name: most are found all the same" [ "$(json_value found out)" -gt $((nodes / 3)) ]
	check "$name: nobody answers who does not" [ "$(json_value false_ok out)" = 0 ]
	# What a gossip peer says has no checksum.
	[ $name = gossip ] || check "$name: nobody says what he did not" [ "$(json_value agents_differ out)" = 0 ]
	ask $name/x.db "SELECT address, outcome FROM visits_readable WHERE rule IS NULL
		AND outcome IN ('protocol_error', 'too_big', 'wrong_network')" >out
	check "$name: who broke a rule is said to have broken that one" [ ! -s out ]
done
ask bitcoin/x.db "SELECT rule, count(*) FROM visits_readable WHERE rule IS NOT NULL GROUP BY 1" >out
check "some broke the rule of the checksum" grep -q checksum out

kill $calling
wait $calling 2>/dev/null
cp called.out out
check "callers were answered" [ "$(grep -cE '^bitcoin://10.9.9.9|^enode:' called.out)" -gt 0 ]
check "nobody crashed" [ "$(grep -ciE 'sanitizer|assert|runtime error' called.err)" = 0 ]
for name in bitcoin ethereum; do
	check "$name: the node goes on" kill -0 "${pids[$name]}"
	check "$name: and tells how it is" run 0 status ./$name.sock
	kill -TERM "${pids[$name]}"
	wait "${pids[$name]}"
	check "$name: it ends as it should" [ $? -eq 143 ]
done

end_line
check "the line ends" [ $? -eq 0 ]
cp line.out out
for what in corrupted forged; do
	check "there was something of it: $what" [ "$(json_value $what line.out)" -gt 20 ]
done
finish 35
