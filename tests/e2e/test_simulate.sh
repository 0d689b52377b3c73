#!/bin/bash
# test_simulate.sh: `peerwalk simulate` as scripts see it, and a crawl of what it makes.
#
#     tests/e2e/test_simulate.sh PROGRAM
#
# All of it stays on loopback. On IPv6: test_simulate_ipv6.sh.
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
network=bitcoin

begin() { # options...
	simulate "$network" "$@"
}

crawl_and_score() {
	rm -f crawl.db*
	crawl "$network" --quiet --connect-timeout 1s --timeout 3s --db crawl.db >crawl.out 2>&1 &&
		"$program" score --truth truth.csv --db crawl.db --min-recall 1 --json >score.out
}

same_seeds() { # what is printed is what is in the file
	sed -n 's/.*"seeds":\["\([^]]*\)"\].*/\1/p' simulator.out | head -n 1 | sed 's/","/\n/g' |
		cmp -s - seeds.txt
}

truth_is_whole() { # rows
	[ "$(head -n 1 truth.csv)" = "peer,address,port,kind,agent,reachable" ] &&
		[ "$(wc -l <truth.csv)" -eq $(($1 + 1)) ] &&
		[ "$(cut -d, -f1 truth.csv | sort -u | wc -l)" -eq $(($1 + 1)) ] &&
		grep -q ',ghost_silent,,0$' truth.csv && grep -q ',honest,/.*,1$' truth.csv
}

# Bound to the loopback device: nobody else can get there.
only_loopback() {
	command -v ss >/dev/null || return 0
	local listening
	listening=$(ss -tlnH | awk -v first="$port" '{
		n = split($4, part, ":")
		if (part[n] >= first && part[n] <= first + 4) print $4 }')
	[ "$(grep -c '%lo:' <<<"$listening")" -eq 4 ] &&
		[ "$(grep -vc '%lo:' <<<"$listening")" -eq 0 ]
}

# The same for Ethereum: one UDP and one TCP socket.
only_loopback_ethereum() {
	command -v ss >/dev/null || return 0
	[ "$(ss -ulnH "sport = :$port" | grep -c '%lo:')" -eq 1 ] &&
		[ "$(ss -tlnH "sport = :$port" | grep -c '%lo:')" -eq 1 ] &&
		[ "$(ss -tulnH "sport = :$port" | grep -vc '%lo:')" -eq 0 ]
}

ethereum_truth_is_whole() { # rows
	[ "$(head -n 1 truth.csv)" = "peer,address,port,kind,agent,reachable" ] &&
		[ "$(wc -l <truth.csv)" -eq $(($1 + 1)) ] &&
		[ "$(cut -d, -f2 truth.csv | sort -u | wc -l)" -eq $(($1 + 1)) ] &&
		[ "$(grep -c '^enode://[0-9a-f]\{128\}@' truth.csv)" -eq "$1" ] &&
		grep -q ',ghost,,0$' truth.csv && grep -q ',honest,Geth/.*,1$' truth.csv &&
		grep -q ',honest,,1$' truth.csv
}

wrong() { # status, text on stderr, arguments...
	local got
	"$program" simulate "${@:3}" >wrong.out 2>wrong.err </dev/null
	got=$?
	[ $got -eq "$1" ] && [ ! -s wrong.out ] && grep -qF -- "$2" wrong.err && return 0
	echo "simulate ${*:3}: status $got, expected $1 and: $2" >&2
	cat wrong.err >&2
	return 1
}

begin --peers 300 --ghosts 200 --latency 10ms --seed 5 || exit 1
check "one line when ready" is_json_lines simulator.out 1
check "the seeds are told twice" same_seeds
check "eight seeds" test "$(wc -l <seeds.txt)" -eq 8
check "the truth has a row for each" truth_is_whole 500
check "bound to the loopback device" only_loopback
check "a port that is taken" wrong 1 "port $port is taken" bitcoin --port "$port"
check "a crawl finds everybody" crawl_and_score
cp truth.csv first.csv
end_simulation TERM
check "status after SIGTERM" test "$status" -eq 143
check "a line of counts at the end" is_json_lines simulator.out 2
check "counts" grep -q '"connections":[1-9]' simulator.out

begin --peers 300 --ghosts 200 --seed 5 --port "$port" --duration 200ms || exit 1
wait "$simulator"
status=$?
simulator=
check "status after --duration" test "$status" -eq 0
check "the same seed makes the same world" cmp -s <(cut -d, -f2,4- first.csv) <(cut -d, -f2,4- truth.csv)

begin --peers 300 --ghosts 200 --seed 6 || exit 1
check "another seed makes another" test "$(cat first.csv truth.csv | cut -d, -f2 | sort -u | wc -l)" -gt 900
end_simulation INT
check "status after SIGINT" test "$status" -eq 130

network=ethereum
begin --peers 200 --ghosts 150 --latency 10ms --seed 5 || exit 1
check "Ethereum: one line when ready" is_json_lines simulator.out 1
check "Ethereum: the seeds are told twice" same_seeds
check "Ethereum: eight seeds" test "$(grep -c '^enode://' seeds.txt)" -eq 8
check "Ethereum: the truth has a row for each" ethereum_truth_is_whole 350
check "Ethereum: bound to the loopback device" only_loopback_ethereum
check "Ethereum: a port that is taken" wrong 1 "port $port is taken" ethereum --port "$port"
check "Ethereum: a crawl finds everybody" crawl_and_score
cp truth.csv first.csv
end_simulation TERM
check "Ethereum: status after SIGTERM" test "$status" -eq 143
check "Ethereum: a line of counts at the end" is_json_lines simulator.out 2
check "Ethereum: counts of datagrams" grep -q '"bonds":[1-9].*"findnodes":[1-9]' simulator.out
check "Ethereum: counts of sessions" grep -q '"sessions":[1-9]' simulator.out

begin --peers 200 --ghosts 150 --seed 5 --duration 200ms || exit 1
wait "$simulator"
simulator=
check "Ethereum: the same seed makes the same world" \
	cmp -s <(cut -d, -f2,4- first.csv) <(cut -d, -f2,4- truth.csv)
network=sepolia
begin --peers 100 --ghosts 10 --latency 5ms --loss 5% --liars 30% || exit 1
check "Sepolia: loss and liars" crawl_and_score
check "Sepolia: nodes of other chains are told apart" \
	grep -q '"wrong_network"' score.out
end_simulation TERM
check "Sepolia: some were lost" grep -q '"lost":[1-9]' simulator.out

check "no block of addresses" wrong 2 "--range: expected a block" bitcoin --range 10.0.0.0/33
check "too small a block" wrong 2 "has no room for 2000 addresses" bitcoin --range 10.0.0.0/24
check "somebody else's addresses" wrong 1 "no address of this machine" bitcoin --range 198.51.100.0/24 \
	--peers 10 --ghosts 10 --port "$port"
check "an unknown network" wrong 2 "dogecoin" dogecoin
check "a file that can't be written" wrong 1 "cannot write /nonexistent/truth.csv" bitcoin \
	--port "$port" --truth /nonexistent/truth.csv

finish 34
