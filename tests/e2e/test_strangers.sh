#!/bin/bash
# test_strangers.sh: whatever bytes strangers say of themselves, everything that the program writes
# can be read by other people's parsers, says what they said, and does nothing to a terminal.
#
#     tests/e2e/test_strangers.sh PROGRAM SOURCE BUILD
#
# The words are in strangers_words.py, peers that say them in strangers_peers.py, on sockets of
# loopback; strangers_read.py reads what came of it, meanwhile: most of the time is Python's.
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
terminal="$source_dir/tests/e2e/in_terminal.py"

# What is there to be read, for the next reader.
looks=()
look() { # what, arguments...
	looks+=(',' "$@")
}
readers=()
begin_reading() { # its name
	{
		$python "$reader" "${looks[@]}" >"$1.looked" 2>"$1.looked.err"
		echo $? >"$1.ended"
	} &
	readers+=("$1" $!)
	looks=()
}
end_reading() {
	local i word name
	for ((i = 0; i < ${#readers[@]}; i += 2)); do
		wait "${readers[i + 1]}" # if nobody has
		: >out
		cp "${readers[i]}.looked.err" err
		check "${readers[i]}: python ends well" [ "$(cat "${readers[i]}.ended")" = 0 ]
		while read -r word name; do
			check "$name" [ "$word" = ok ]
		done <"${readers[i]}.looked"
		check "${readers[i]}: something was looked at" [ -s "${readers[i]}.looked" ]
	done
}

# Its first line, when it is ready.
start() { # file, command...
	"${@:2}" >"$1" 2>"$1.err" </dev/null &
	patiently [ -s "$1" ] || {
		cat "$1.err"
		exit 1
	}
}
# Of a sanitizer's program, beside those of other tests.
patiently() {
	within "$@" || within "$@" || within "$@"
}
in_terminal() { # file, arguments...
	$python "$terminal" "$1" "$program" "${@:2}"
}

# --- two networks, of everybody ---

$python "$peers" messages >counts 2>counts.err &
messages=$!
start ports $python "$peers" serve
network=$!
bitcoin=$(json_value bitcoin ports)
gossip=$(json_value gossip ports)
everybody=$(wc -l <bitcoin.seeds)
start serve.out "$program" serve --db net.db --listen 127.0.0.1:0
url=$(head -n 1 serve.out)
start events.out $python "$reader" , listen "$url" events

# Patient: a machine may be busy, and all of them are one process.
how=(--no-default-seeds --allow-private --per-group 2000 --concurrency 2000 --connect-timeout 60s
	--timeout 60s --db net.db)
in_terminal gossip.tty crawl gossip --seeds gossip.seeds "${how[@]}" --db gossip.db --adverts \
	--log gossip.log --log-level debug >gossip.out 2>&1 &
crawl_gossip=$!
in_terminal crawl.tty crawl bitcoin-regtest --seeds bitcoin.seeds "${how[@]}" --adverts \
	>crawl.out 2>&1 &
crawl=$!

# --- meanwhile Ethereum: what a database holds, records, and nodes that are called ---

# What is no UTF-8, ends a line, steers a terminal, and is long.
said=(ff00fe 0a7b7d0d0a 1b5b324a1b5d303b7807 e280ae c29b33316d "$(printf '5c%.0s' {1..250})" 226c)
lone=(--listen 127.0.0.1:0 --no-default-bootstrap --log-level debug --metrics 127.0.0.1:0)
start eth.out "$program" node ethereum "${lone[@]}" --json --log eth.log --log-format json \
	--status ./eth.socket
nodes=($!)
$python "$terminal" eth2.out "$program" node ethereum "${lone[@]}" --log eth2.log \
	--status ./eth2.socket >eth2.err 2>&1 &
nodes+=($!)
patiently grep -sq enode:// eth2.out
callers=()
for name in eth eth2; do
	enode=$(grep -o 'enode://[0-9a-f]*@[0-9.:]*' $name.out | head -n 1)
	for i in "${!said[@]}"; do
		"$build/tests/rlpx_probe" call "$enode" "${said[i]}" "127.79.1.$((i + 1))" \
			>>$name.called 2>&1 &
		callers+=($!)
	done
done
wait $messages
check "words" [ $? -eq 0 ]
check "nodes" "$build/tests/e2e/make_strangers" words.bin eth.db records.txt
look exports "$program" eth.db ethereum 0
check "records" run 0 enr --json records.txt
cp out enr.json
look records enr.json
begin_reading ethereum
check "records in a terminal" in_terminal enr.tty enr records.txt
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
for caller in "${callers[@]}"; do
	wait "$caller"
	check "a caller of Ethereum" [ $? -eq 0 ]
done
# What a node and its metrics say, while it runs; its metrics are of the second before.
metrics_of() { # log
	grep -o 'http://127\.0\.0\.1:[0-9]*/metrics' "$1" | head -n 1
}
ask_status() { # name
	"$program" status "./$1.socket" --peers --json >"$1.status" 2>>status.err
	"$program" status "./$1.socket" --peers >"$1.status.txt" 2>>status.err
	in_terminal "$1.status.tty" status "./$1.socket" --peers
	check "$1: status in a terminal" [ $? -eq 0 ]
	look metrics "$(metrics_of "$1.log")" "$2" peerwalk_node_
}
for name in eth eth2; do
	ask_status $name ethereum
	look status $name.status $name.status.txt
done
begin_reading ethereum-status

wait $crawl
status=$?
cp crawl.out out
check "a crawl in a terminal" [ $status -eq 0 ]
wait $crawl_gossip
check "and one of gossip" [ $? -eq 0 ]

# --- both networks once more: they call, and say other words when they are visited ---

wait "${readers[-1]}"
kill -INT "${nodes[@]}"
wait "${nodes[@]}"
look sessions eth.log eth.out eth2.log eth2.out "${said[@]}"
look store gossip.db gossip 0
look exports "$program" gossip.db gossip 0
begin_reading gossip
kill -USR1 $network

# A round of a watch, which tells its numbers all the time.
"$program" crawl bitcoin-regtest --seeds bitcoin.seeds "${how[@]}" --rate 400 --every 1h \
	--metrics 127.0.0.1:0 --log watch.log --log-format json >watch.out 2>watch.err &
watch=$!
options=(--listen 127.0.0.1:0 --no-default-bootstrap --max-in 3000 --log-level debug
	--metrics 127.0.0.1:0)
begin_calls() { # name, network
	patiently grep -sq '127\.0\.0\.1:' "$1.out"
	at=$(grep -o '127\.0\.0\.1:[0-9]*' "$1.out" | head -n 1)
	$python "$peers" call "${2%-regtest}" "$at" >"$1.calls" 2>"$1.calls.err" &
	callers+=($!)
}
node() { # name, network, options...
	start "$1.out" "$program" node "$2" "${options[@]}" --log "$1.log" --status "./$1.socket" \
		"${@:3}"
	nodes+=($!)
	begin_calls "$1" "$2"
}
nodes=() callers=()
node btc2 bitcoin-regtest --allow-private --json
node gsp gossip --log-format json
node gsp2 gossip --json
$python "$terminal" btc.out "$program" node bitcoin-regtest "${options[@]}" --log btc.log \
	--status ./btc.socket --allow-private --log-format json >btc.err 2>&1 &
nodes+=($!)
begin_calls btc bitcoin-regtest
look metrics "$(metrics_of watch.log)" bitcoin-regtest peerwalk_crawl_
for name in btc2 gsp gsp2 btc; do
	patiently [ -s $name.calls ]
	check "$name: everybody called" grep -q "\"called\": $everybody" $name.calls
	ask_status $name "$([ ${name%2} = gsp ] && echo gossip || echo bitcoin-regtest)"
done
begin_reading metrics
wait "${readers[-1]}"
kill "${callers[@]}"
kill -INT "${nodes[@]}"
wait "${callers[@]}" "${nodes[@]}" 2>/dev/null
look node bitcoin-regtest btc.log btc2.log btc.out btc2.out btc.status btc.status.txt
look node gossip gsp.log gsp2.log gsp.out gsp2.out gsp2.status gsp2.status.txt
begin_reading nodes

patiently grep -q '"event":"round"' watch.log
cp watch.err err
check "everybody was visited again" grep -q '"event":"round"' watch.log
# Events tell of visits while a crawl runs; on a busy machine it may be over before anybody looks.
for _ in 1 2 3 4 5; do
	! grep -q '^event: visits' events.out || break
	"$program" crawl bitcoin-regtest --seeds bitcoin.seeds "${how[@]}" --quiet --rate 200 \
		>again.out 2>again.err
done

# --- what is in the database, and what is made of it ---

look metrics "$(metrics_of watch.log)" bitcoin-regtest peerwalk_crawl_
look watch watch.log
look store net.db bitcoin-regtest 1
look exports "$program" net.db bitcoin-regtest 1
begin_reading bitcoin
look diff "$program" net.db bitcoin-regtest 1
look serve "$url" bitcoin-regtest 1
look events events.out bitcoin-regtest 1
begin_reading serve
check "a zone" run 0 export --db net.db --format zone --origin seed.example.org --allow-private \
	--port "$bitcoin" --ns ns.example.net --output seed.zone
for checker in "named-checkzone -q seed.example.org" "ldns-read-zone -c"; do
	command -v "${checker%% *}" >/dev/null || continue
	# shellcheck disable=SC2086 # a command and its options
	$checker seed.zone >out 2>err
	check "${checker%% *} takes it" [ $? -eq 0 ]
done

# --- what is said to whom one asks ---

ping_all() { # network, seeds, options...
	sed "s|^|$1://|" "$2" | xargs -n 950 "$program" ping --timeout 60s --connect-timeout 60s "${@:3}"
}
ask_all() { # network, its talker's port, all that he says as a file
	local name=$1 at=127.77.99.1:$2 count
	ping_all "$name" "${name%-regtest}.seeds" >"$name.ping.txt" 2>err
	ping_all "$name" "${name%-regtest}.seeds" --json >"$name.ping.json" 2>err
	"$program" decode "$name" "$3" --json >"$name.decoded" 2>err
	# With those of the handshake.
	count=$(($(json_value "$name" counts) + 1))
	"$program" listen "$name://$at" --verbose --json --count "$count" >"$name.heard" 2>err
	in_terminal "$name-decode.tty" decode "$name" "$3"
	in_terminal "$name-listen.tty" listen "$name://$at" --count "$count"
	in_terminal "$name-fields.tty" listen "$name://$at" --verbose --count "$count"
	in_terminal "$name-peers.tty" peers "$name://127.77.1.1:$2"
	mapfile -t urls < <(sed "s|^|$name://|" "${name%-regtest}.seeds" | tail -n 400)
	in_terminal "$name-ping.tty" ping "${urls[@]}"
}
for one in "bitcoin-regtest $bitcoin messages.bin" "gossip $gossip messages.jsonl"; do
	read -r name port file <<<"$one"
	ask_all "$name" "$port" "$file"
	look ping "$name.ping.txt" "$name.ping.json" "$name" 1
	look messages decode "$name.decoded" "$name"
	look messages listen "$name.heard" "$name"
	begin_reading "ask-$name"
done
in_terminal report.tty report --db net.db --top 0
in_terminal diff.tty diff 1 2 --db net.db --list --top 0
look terminal ./*.tty
begin_reading terminal
end_reading
kill -INT $watch
wait $watch
status=$?
cp watch.err err
check "the watch ends as it should" [ $status -eq 130 ]
finish 120
