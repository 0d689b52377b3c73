#!/bin/bash
# test_node_group.sh: a group of 50 peers that find each other, each a process of its own on
# loopback, and what becomes of the others when a third of them is killed. Their clocks run 20
# times as fast.
#
#     tests/e2e/test_node_group.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

if ! command -v python3 >/dev/null; then
	echo "no python3 to look at so many documents"
	exit 77
fi
members=50
killed=17
pids=()
# number, arguments...
start() {
	"$program" node gossip --group test --listen 127.0.0.1:0 --speed-up 20 --status "status$1" \
		--json --quiet "${@:2}" >"$1.out" 2>"$1.err" </dev/null &
	pids[$1]=$!
}

# How the members with these numbers stand: says what is not as it should be. Each knows all the
# others, and nobody else; each has reached them; and their connections hold them all together.
look() {
	python3 - "$program" "$@" <<-'PYTHON'
		import json, subprocess, sys
		program, numbers = sys.argv[1], sys.argv[2:]
		asked = [subprocess.Popen([program, 'status', './status' + n, '--json', '--peers'],
		                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
		         for n in numbers]
		told = [a.communicate()[0] for a in asked]
		if not all(told):
		    sys.exit('some do not answer')
		status = [json.loads(t) for t in told]
		others = len(numbers) - 1
		for key in 'known', 'tried':
		    wrong = [s[key] for s in status if s[key] != others]
		    if wrong:
		        sys.exit(f'{key}: {len(wrong)} have {wrong} instead of {others}')
		edges = {s['listen'][0]: {p['address'] for p in s['peers']} for s in status}
		seen, left = set(), [status[0]['listen'][0]]
		while left:
		    at = left.pop()
		    if at not in seen and at in edges:
		        seen.add(at)
		        left += edges[at] | {a for a in edges if at in edges[a]}
		if len(seen) != len(numbers):
		    sys.exit(f'{len(seen)} of {len(numbers)} are connected')
	PYTHON
}

# seconds, numbers...
until_good() {
	local end=$((SECONDS + $1))
	until look "${@:2}" 2>err; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.5
	done
}

mapfile -t all < <(seq $members)
start 1
within test -s 1.out
url=$(sed -n 's/.*"url":"\([^"]*\)".*/\1/p' 1.out)
for i in "${all[@]:1}"; do
	start "$i" --bootstrap "$url"
done
# 30 s is what a group may take; on a busy machine it may be longer until 50 programs have begun.
until_good 90 "${all[@]}"
result "each of $members knows all the others, has reached them, and they hold together" $?

others_known() { # number: different addresses that were told to be known
	sed -n 's/^{"event":"known","address":"\([^"]*\)"}$/\1/p' "$1.out" | sort -u | wc -l
}
all_told() {
	for i in "${all[@]}"; do
		[ "$(others_known "$i")" -eq $((members - 1)) ] || return 1
	done
}
all_told
result "each has told of each of the others" $?

# The first one, whom all have begun with, is among them.
for i in "${all[@]:0:killed}"; do
	kill -KILL "${pids[$i]}"
done
wait "${pids[@]:0:killed}" 2>/dev/null # pids has no number 0
# 5 min of the protocol's time are 15 s.
until_good 60 "${all[@]:killed}"
result "those that are left have dropped the dead, and hold together" $?
all_lost() {
	local dead i
	for dead in "${all[@]:0:killed}"; do
		dead=$(sed -n 's/.*"listen":\["\([^"]*\)"\].*/\1/p' "$dead.out")
		for i in "${all[@]:killed}"; do
			grep -qF "{\"event\":\"lost\",\"address\":\"$dead\"}" "$i.out" || return 1
		done
	done
}
all_lost
result "and each has told of each of them" $?

# --- the end ---
for i in "${all[@]:killed}"; do
	kill -TERM "${pids[$i]}"
done
good=0
for i in "${all[@]:killed}"; do
	wait "${pids[$i]}"
	[ $? -eq 143 ] && tail -n 1 "$i.out" | grep -q '^{"event":"end","ready":false,' &&
		good=$((good + 1))
done
[ $good -eq $((members - killed)) ]
result "SIGTERM ends each of them with 143 and a summary" $?
cat ./*.out >all
is_json_lines all 2>err
result "all lines are valid JSON" $?
finish 6
