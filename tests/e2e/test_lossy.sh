#!/bin/bash
# test_lossy.sh: crawls over a line that loses, doubles and reorders packets: everybody is found,
# nobody twice, and nobody is blamed for what the line did.
#
#     tests/e2e/test_lossy.sh PROGRAM SOURCES BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
in_own_namespaces

seed=${SEED:-$RANDOM}
echo "seed $seed"
nodes=300
is_sanitized && nodes=60
check "a line" line seed="$seed" delay=5 jitter=5 loss=4 duplicate=3 reorder=6

# Three networks at its far end, each in a folder of its own.
population() { # name, options of simulate...
	mkdir "$1"
	exec_far "$program" simulate "$@" --seed "$seed" --latency 10ms --device line \
		--truth "$1/truth.csv" --seeds-out "$1/seeds.txt" >"$1/ready" 2>err </dev/null &
	within grep -q '"ready":true' "$1/ready"
}
# Without liars: who invents addresses without end has named few, over such a line, when his time is
# over.
check "peers of Bitcoin" population bitcoin --peers 150 --ghosts 10 --liars 0 --range 10.0.0.0/8 --port 9000
check "peers of gossip, with IPv6" population gossip --peers 80 --ghosts 6 --liars 0 --range fd00::/32 --port 9010
check "nodes of Ethereum" population ethereum --peers $nodes --ghosts 20 --range 10.0.0.0/8 --port 9020

# A SYN is sent again after one, three and seven seconds.
walk() { # name, options...
	"$program" crawl "$1" --no-default-seeds --seeds "$1/seeds.txt" --allow-private --db "$1/x.db" \
		"${@:2}" >"$1/out" 2>"$1/err" </dev/null
}
declare -A walking
walk bitcoin --connect-timeout 3500ms &
walking[bitcoin]=$!
walk gossip --connect-timeout 3500ms &
walking[gossip]=$!
walk ethereum &
walking[ethereum]=$!
for name in bitcoin gossip ethereum; do
	wait "${walking[$name]}"
	status=$?
	cp $name/out out
	cp $name/err err
	check "$name: a crawl ends" [ $status -eq 0 ]
	least=1
	[ $name != ethereum ] || least=0.999
	run 0 score --db $name/x.db --truth $name/truth.csv --min-recall $least
	result "$name: everybody is found" $?
	run 0 score --db $name/x.db --truth $name/truth.csv --json
	check "$name: nobody is who is none" [ "$(json_value false_ok out)" = 0 ]
	check "$name: nobody says what he did not" [ "$(json_value agents_differ out)" = 0 ]
	run 0 export --what visits --db $name/x.db
	cp out visits.csv
	check "$name: nobody is counted twice" [ -z "$(awk -F, 'NR > 1 { print $3 }' visits.csv | sort | uniq -d)" ]
	# Those that keep to the rules: how it ended, what they are said to have broken.
	awk -F, 'NR == FNR { kind[$1] = $4; next }
		FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		kind[$3] ~ /^(honest|old|stepwise|tutorial)$/ {
			print $3, kind[$3], $(at["outcome"]), $(at["rule"]), $(at["session_rule"]),
				$(at["faults"]) }' $name/truth.csv visits.csv >out
	check "$name: there are some that keep to the rules" [ "$(wc -l <out)" -gt 40 ]
	grep -E ' (protocol_error|too_big|wrong_network) |many|unsolicited|wrong_' out >blamed
	cp blamed out
	check "$name: and none of them is said to have broken one" [ ! -s blamed ]
done

end_line
check "the line ends" [ $? -eq 0 ]
cp line.out out
for what in ipv4 ipv6 tcp udp lost duplicated reordered; do
	check "there was something of it: $what" [ "$(json_value $what line.out)" -gt 5 ]
done
tail -n 1 line.out
finish 30
