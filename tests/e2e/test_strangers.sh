#!/bin/bash
# test_strangers.sh: whatever bytes strangers say of themselves, everything that the program writes
# can be read by other people's parsers, says what they said, and does nothing to a terminal.
#
#     tests/e2e/test_strangers.sh PROGRAM SOURCE BUILD
#
# The words are in strangers_words.py, peers that say them in strangers_peers.py, on sockets of
# loopback; strangers_read.py reads what came of it.
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8 NO_COLOR=1

command -v python3 >/dev/null || {
	echo "python3 is missing: skipped"
	exit 77
}
# The module that reads metrics is Debian's.
python=python3
! /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null || python=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1
peers="$source_dir/tests/e2e/strangers_peers.py"
reader="$source_dir/tests/e2e/strangers_read.py"

look() { # what, arguments...
	local word name
	$python "$reader" "$@" >looked 2>err
	check "$1: python ends well" [ $? -eq 0 ]
	while read -r word name; do
		cp looked out
		check "$1: $name" [ "$word" = ok ]
	done <looked
	check "$1: something was looked at" [ -s looked ]
}

# --- two networks, of everybody ---

# Its first two lines, when it is ready.
start() { # file, command...
	"${@:2}" >"$1" 2>"$1.err" </dev/null &
	within [ -s "$1" ] || {
		cat "$1.err"
		exit 1
	}
}

start ports $python "$peers" serve
network=$!
bitcoin=$(json_value bitcoin ports)
gossip=$(json_value gossip ports)
everybody=$(wc -l <bitcoin.seeds)
start serve.out "$program" serve --db net.db --listen 127.0.0.1:0
url=$(head -n 1 serve.out)
start events.out $python "$reader" listen "$url" events

# Patient: a machine may be busy, and all of them are one process.
how=(--no-default-seeds --allow-private --per-group 2000 --concurrency 2000 --connect-timeout 60s
	--timeout 60s --db net.db)
in_terminal() { # file, arguments...
	$python "$source_dir/tests/e2e/in_terminal.py" "$1" "$program" "${@:2}"
}

in_terminal gossip.tty crawl gossip --seeds gossip.seeds "${how[@]}" --db gossip.db --adverts \
	--log gossip.log --log-level debug >out 2>err &
crawl=$!
check "a crawl in a terminal" in_terminal crawl.tty crawl bitcoin-regtest --seeds bitcoin.seeds \
	"${how[@]}" --adverts
wait $crawl
check "and one of gossip" [ $? -eq 0 ]
kill -USR1 $network

# While they are visited again, with other words, they call as well.
nodes=(--listen 127.0.0.1:0 --no-default-bootstrap --max-in 3000 --log-level debug)
node() { # name, network, options...
	start "$1.out" "$program" node "$2" "${nodes[@]}" --log "$1.log" --status "./$1.socket" "${@:3}"
	pids+=($!)
	within grep -q '127\.0\.0\.1:' "$1.out"
	at=$(grep -o '127\.0\.0\.1:[0-9]*' "$1.out" | head -n 1)
	start "$1.calls" $python "$peers" call "${2%-regtest}" "$at"
	callers+=($!)
}
pids=() callers=()
"$program" crawl bitcoin-regtest --seeds bitcoin.seeds "${how[@]}" --quiet --rate 400 \
	>again.out 2>again.err &
crawl=$!
node btc bitcoin-regtest --allow-private --log-format json
node btc2 bitcoin-regtest --allow-private --json
node gsp gossip --log-format json
node gsp2 gossip --json
for name in btc btc2 gsp gsp2; do
	"$program" status "./$name.socket" --peers --json >$name.status 2>err
	in_terminal $name.tty status "./$name.socket" --peers
	check "$name: status in a terminal" [ $? -eq 0 ]
	check "$name: everybody called" grep -q "\"called\": $everybody" $name.calls
done
kill "${callers[@]}"
kill -INT "${pids[@]}"
wait "${callers[@]}" "${pids[@]}" 2>/dev/null
look node bitcoin-regtest btc.log btc2.log btc.out btc2.out btc.status
look node gossip gsp.log gsp2.log gsp.out gsp2.out gsp2.status

wait $crawl
cp again.err err
check "everybody was visited again" [ $? -eq 0 ]
# Events tell of visits while a crawl runs; on a busy machine it may be over before anybody looks.
for _ in 1 2 3 4 5; do
	! grep -q '^event: visits' events.out || break
	"$program" crawl bitcoin-regtest --seeds bitcoin.seeds "${how[@]}" --quiet --rate 200 \
		>again.out 2>again.err
done

# --- what is in the databases, and what is made of it ---

look store net.db bitcoin-regtest 1
look store gossip.db gossip 0
look exports "$program" net.db bitcoin-regtest 1
look exports "$program" gossip.db gossip 0
look diff "$program" net.db bitcoin-regtest 1
look serve "$url" bitcoin-regtest 1
look events events.out bitcoin-regtest 1
check "a zone" run 0 export --db net.db --format zone --origin seed.example.org --allow-private \
	--port "$bitcoin" --ns ns.example.net --output seed.zone
for checker in "named-checkzone -q seed.example.org" "ldns-read-zone -c"; do
	command -v "${checker%% *}" >/dev/null || continue
	# shellcheck disable=SC2086 # a command and its options
	$checker seed.zone >out 2>err
	check "${checker%% *} takes it" [ $? -eq 0 ]
done

# --- Ethereum: what a database holds, records, and a node that is called ---

$python "$peers" messages >counts 2>err
check "nodes" "$build/tests/e2e/make_strangers" words.bin eth.db records.txt
look exports "$program" eth.db ethereum 0
check "records" run 0 enr --json records.txt
cp out enr.json
look records enr.json
in_terminal enr.tty enr records.txt
check "records in a terminal" [ $? -eq 0 ]
check "a key" run 0 key tree.key
# What they say was long ago.
check "a tree" run 0 export --db eth.db --format enrtree --origin nodes.example.org --key tree.key \
	--ns ns.example.net --max-age 36500d --output tree.zone
for checker in "named-checkzone -q nodes.example.org" "ldns-read-zone -c"; do
	command -v "${checker%% *}" >/dev/null || continue
	# shellcheck disable=SC2086 # a command and its options
	$checker tree.zone >out 2>err
	check "${checker%% *} takes the tree" [ $? -eq 0 ]
done
start eth.out "$program" node ethereum --listen 127.0.0.1:0 --no-default-bootstrap --json \
	--log eth.log --log-level debug --log-format json
node=$!
enode=$(grep -o 'enode://[^"]*' eth.out | head -n 1)
said=()
# What is no UTF-8, ends a line, steers a terminal, and is long.
for word in ff00fe 0a7b7d0d0a 1b5b324a1b5d303b7807 e280ae c29b33316d "$(printf '5c%.0s' {1..250})" 226c; do
	"$build/tests/rlpx_probe" call "$enode" $word >out 2>err
	check "a caller" [ $? -eq 0 ]
	said+=("$word")
done
kill -INT $node
wait $node
look sessions eth.log eth.out "${said[@]}"

# --- what is said to whom one asks ---

ping_all() { # network, seeds, options...
	sed "s|^|$1://|" "$2" | xargs -n 950 "$program" ping --timeout 60s --connect-timeout 60s "${@:3}"
}
ping_all bitcoin-regtest bitcoin.seeds >ping.txt 2>err
ping_all bitcoin-regtest bitcoin.seeds --json >ping.json 2>err
look ping ping.txt ping.json bitcoin-regtest 1
ping_all gossip gossip.seeds >ping.txt 2>err
ping_all gossip gossip.seeds --json >ping.json 2>err
look ping ping.txt ping.json gossip 1

for one in "bitcoin-regtest $bitcoin messages.bin" "gossip $gossip messages.jsonl"; do
	read -r name port file <<<"$one"
	"$program" decode "$name" $file --json >decoded.json 2>err
	look messages decode decoded.json "$name"
	# With those of the handshake.
	count=$(($(json_value "$name" counts) + 1))
	"$program" listen "$name://127.77.99.1:$port" --verbose --json --count "$count" >heard.json 2>err
	look messages listen heard.json "$name"
	in_terminal "$name-decode.tty" decode "$name" $file
	in_terminal "$name-listen.tty" listen "$name://127.77.99.1:$port" --count "$count"
	in_terminal "$name-fields.tty" listen "$name://127.77.99.1:$port" --verbose --count "$count"
	in_terminal "$name-peers.tty" peers "$name://127.77.1.1:$port"
	mapfile -t urls < <(sed "s|^|$name://|" "${name%-regtest}.seeds" | tail -n 400)
	in_terminal "$name-ping.tty" ping "${urls[@]}"
done
in_terminal report.tty report --db net.db --top 0
in_terminal diff.tty diff 1 2 --db net.db --list --top 0
look terminal ./*.tty
finish 120
