#!/bin/bash
# test_clock_node.sh: nodes under clocks that jump: they answer once the time is right again, and know
# how long they have been up.
#
#     tests/e2e/test_clock_node.sh PROGRAM SOURCES BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
needs_clocks
hour=3600000

uptime() { # seconds, at most
	"$program" status ./node.sock --json >out 2>err &&
		python3 -c 'import json, sys
up = json.load(open("out"))["uptime_seconds"]
assert 0 <= up < float(sys.argv[1]), up' "$1"
}
answers() {
	"$program" ping "$peer" --connect-timeout 1s >out 2>err
}
for network in bitcoin ethereum; do
	rm -f node.sock
	clocked node $network --no-default-bootstrap --listen 127.0.0.1:0 --status node.sock --db node.db \
		--log node.log
	check "$network: a node" within test -s clocked.out
	peer=$(sed -nE 's/^(listen|enode) +//p' clocked.out | head -n 1)
	[ $network != bitcoin ] || peer=bitcoin://$peer
	check "$network: it answers" within answers
	for at in "-$hour 0" "$hour 0" "0 0"; do
		# shellcheck disable=SC2086 # two words
		jump $at
		check "$network: its uptime is what it is, off by $at" uptime 300
		# What expires is of both clocks (discovery): then it answers again with the right time.
		[ $network = ethereum ] && [ "$at" != "0 0" ] || check "$network: answers, off by $at" within answers
	done
	kill -TERM $pid
	wait $pid
	check "$network: it ends as ever" [ $? -eq 143 ]
	check "$network: up for no longer than it was" grep -qE 'stopping uptime_s=[0-9]{1,2}$' node.log
	rm -f node.log
done

finish 16
