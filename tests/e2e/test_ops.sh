#!/bin/bash
# test_ops.sh: what an operator has of a node: its log and how that is rotated, its status, what
# systemd is told, and how it ends. On loopback.
#
#     tests/e2e/test_ops.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

here=(--listen 127.0.0.1:0)
pid=
# network, arguments...: a node in the background, until it has said that it is ready.
start() {
	: >node.log
	"$program" node "$1" "${here[@]}" --no-default-bootstrap --status ./st --log node.log "${@:2}" \
		>node.out 2>node.err </dev/null &
	pid=$!
	within grep -q '\bready\b' node.log
}

# signal: `status` is its exit status.
end() {
	kill -"$1" "$pid"
	wait "$pid" 2>/dev/null
	status=$?
}

# Somebody is in the address book, or in the table, whoever is there.
knows_him() {
	"$program" status ./st --json >out 2>err && [ "$(json_value known out)" -ge 1 ]
}

# question: what the socket answers, byte by byte; a line feed is not added.
ask() {
	python3 - "$1" <<-'PYTHON'
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.settimeout(10)
		s.connect('./st')
		s.sendall(sys.argv[1].encode().decode('unicode_escape').encode('latin-1'))
		answer = b''
		try:
		    while part := s.recv(65536):
		        answer += part
		except ConnectionResetError: # what we sent beyond the line is unread
		    pass
		sys.stdout.buffer.write(answer)
	PYTHON
}

# file: whether each line is a JSON object with what the log promises.
is_json_log() {
	python3 - "$1" <<-'PYTHON'
		import json, re, sys
		lines = open(sys.argv[1]).read().splitlines()
		assert lines
		for line in lines:
		    o = json.loads(line)
		    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z', o['ts']), line
		    assert o['level'] in ('error', 'warn', 'info', 'debug'), line
		    assert ('event' in o) != ('message' in o), line
	PYTHON
}

# --- status ---

check "a node with a status socket" start ethereum
check "its socket is its own" [ "$(stat -c %a st)" = 600 ]
run 0 status ./st && grep -qE '^network +ethereum, by peerwalk [0-9.]+, process '"$pid"'$' out &&
	grep -qE '^listening +127\.0\.0\.1:[0-9]+' out && grep -qE '^peers +0 in, 0 out$' out
result "says who it is, where, and with whom" $?
run 0 status --json ./st && [ "$(json_value pid out)" = "$pid" ] && [ "$(json_value known out)" = 0 ]
result "the same in JSON" $?
for key in network version pid started_at uptime_seconds cpu_seconds max_rss_bytes listen address \
	peers_in peers_out messages_in messages_out bytes_in bytes_out known; do
	check "JSON has $key" grep -q "\"$key\": " out
done
url=$(awk '$1 == "enode" { print $2 }' node.out)
# A node that calls this one, until a command succeeds.
called_until() { # command
	local caller status
	"$program" node ethereum "${here[@]}" --no-default-bootstrap --bootstrap "$url" \
		>caller.out 2>caller.err </dev/null &
	caller=$!
	within "$@"
	status=$?
	kill -TERM $caller
	wait $caller
	[ $? -eq 143 ] && [ $status -eq 0 ]
}
has_live() {
	"$program" status ./st --peers --json | grep -q '"live": true'
}
check "it is called" called_until has_live
run 0 status ./st --peers --json && grep -q '"enode": "enode://' out && grep -q '"live": true' out
result "its table" $?
run 0 status ./st --peers && grep -q '^enode://' out && grep -q '^known  *1 node in' out
result "the same for people" $?

while IFS='|' read -r what question answer; do
	check "$what" [ "$(ask "$question")" = "$answer" ]
done <<'ROWS'
an unknown question|who\n|{"error":"there is no such question"}
a question of NULs|\0\0\0\n|{"error":"there is no such question"}
somebody who talks HTTP|GET / HTTP/1.1\r\n\r\n|{"error":"there is no such question"}
ROWS
check "a flood without a line" \
	[ "$(ask "$(printf 'x%.0s' {1..5000})")" = '{"error":"expected a question in one short line"}' ]
run 0 status ./st
result "and it answers still" $?

run 1 node ethereum "${here[@]}" --no-default-bootstrap --status ./st &&
	grep -q 'another process answers at the status socket ./st' err && [ ! -s out ]
result "a second node at the same socket is refused" $?
run 0 status ./st
result "and leaves the first alone" $?
end KILL
check "kill -9 leaves the socket there" [ -S st ]
run 3 status ./st && grep -q 'no node answers at ./st' err
result "where nobody answers any more" $?
run 3 status sepolia && grep -q '/run/peerwalk/sepolia/status' err
result "or where the service of a network would be" $?
check "the next one takes it over" start ethereum
run 0 status ./st && grep -q "process $pid\$" out
result "and answers there" $?
end TERM
check "SIGTERM ends it with 143" [ "$status" = 143 ]
check "and its socket is gone" [ ! -e st ]
check "the log says when it left" grep -qE '^[0-9T:.-]+Z info  stopping uptime_s=' node.log
check "it said how it went" grep -q '^sessions ' node.out

echo text >file
run 1 node ethereum "${here[@]}" --no-default-bootstrap --status ./file && grep -q 'is no socket' err &&
	[ "$(cat file)" = text ]
result "a file that is no socket stays as it is" $?
mkdir runtime
RUNTIME_DIRECTORY=$dir/runtime:/nowhere "$program" node ethereum "${here[@]}" --no-default-bootstrap \
	>node.out 2>err </dev/null &
pid=$!
within "$program" status "$dir/runtime/status" >out 2>err
result "under systemd the socket is in the folder that it gives" $?
end INT
check "Ctrl-C ends it with 130" [ "$status" = 130 ]
check "and the folder is empty" [ -z "$(ls runtime)" ]

# --- of all networks ---

# Two of them, one of which was called by the other; what they learnt is there after SIGTERM.
for network in gossip bitcoin-regtest ethereum; do
	more=()
	[ $network != bitcoin-regtest ] || more=(--allow-private)
	rm -f node.db*
	check "$network: a node" start $network --db node.db --log-level debug "${more[@]}"
	url=$(grep -oE "(enode|$network)://[^ ]+" node.out | head -n 1)
	"$program" node $network --listen 127.0.0.2:0 --no-default-bootstrap --bootstrap "$url" \
		"${more[@]}" >other.out 2>other.err </dev/null &
	other=$!
	knows() {
		"$program" status ./st --peers --json >out 2>err && [ "$(json_value known out)" -ge 1 ] &&
			grep -q '"peer": "127.0.0.2:\|"address": "127.0.0.2:' out
	}
	check "$network: status has the one who called" within knows
	run 0 status ./st --peers && grep -q "^network *$network," out && tail -n 1 out | grep -q '127\.0\.0\.2'
	result "$network: the same for people" $?
	check "$network: the log has him" grep -qE ' (up|bonded) (peer|enode)=.*127\.0\.0\.2' node.log
	end TERM
	check "$network: SIGTERM" [ "$status" = 143 ]
	start $network --db node.db "${more[@]}"
	check "$network: the next one knows him still" within knows_him
	end TERM
	kill $other
	wait $other 2>/dev/null
done

# --- the log ---

check "a node that logs JSON" start ethereum --log-format json -vv
end TERM
check "each line is an object" is_json_log node.log
check "nothing is on stderr" [ ! -s node.err ]

# Moved away in the middle, again and again: no line is lost, none is written twice.
check "a node whose log is rotated" start ethereum -vv
url=$(awk '$1 == "enode" { print $2 }' node.out)
for i in 1 2 3 4 5; do
	check "the log has lines ($i)" called_until grep -q 'in   ping' node.log
	mv node.log "node.log.$i"
	kill -HUP "$pid"
	check "a new log is there ($i)" within test -e node.log
	check "the old one has lines ($i)" grep -q 'in   ping' "node.log.$i"
done
packets=$("$program" status --json ./st | sed -n 's/.*"packets_in": \([0-9]*\),/\1/p')
end TERM
check "all packets are in one of them" [ "$(cat node.log* | grep -c 'debug in  ')" = "$packets" ]
check "SIGTERM after all that" [ "$status" = 143 ]

run 1 node ethereum "${here[@]}" --log missing/node.log && grep -q 'make its folder first' err
result "a log in no folder" $?
run 2 node ethereum "${here[@]}" --log-level loud && grep -q 'error warn info debug' err
result "a level that is none" $?
run 0 node ethereum "${here[@]}" --no-default-bootstrap --duration 300ms --log /dev/full &&
	[ "$(grep -c 'cannot write the log /dev/full: No space left' err)" = 1 ] && [ "$(wc -l <err)" = 1 ]
result "a full disk is told once, and stops nobody" $?
run 0 node ethereum "${here[@]}" --no-default-bootstrap --duration 100ms --log-level warn && [ ! -s err ]
result "--log-level warn says less" $?
stream=$(stat -c %d:%i err)
JOURNAL_STREAM=$stream "$program" node ethereum "${here[@]}" --no-default-bootstrap \
	--duration 100ms >out 2>>err </dev/null
[ "$(grep -vc '^<6>' err)" = 0 ] && grep -q '^<6>ready network=ethereum' err
result "the journal gets the level its own way" $?
run 1 node ethereum --no-default-bootstrap --listen 192.0.2.1:0 --log node.log &&
	grep -q 'no address of this machine' err && grep -q 'error .*no address of this machine' node.log
result "what keeps it from starting is on stderr and in the log" $?

rm -f node.out
"$program" node ethereum "${here[@]}" --no-default-bootstrap >node.out 2>node.err </dev/null &
pid=$!
within grep -q '^record ' node.out
kill -HUP "$pid"
sleep 0.2
end TERM
check "SIGHUP without a file is no end" [ "$status" = 143 ]

check "a network to crawl" simulate bitcoin --peers 60 --seed 5
crawl bitcoin --db ops.db --connect-timeout 1s --log crawl.log --log-format json -v >out 2>err
check "a crawl with a log" [ $? -eq 0 ]
check "keeps stderr free" [ ! -s err ]
check "and says there how it ended" grep -q '"event":"ended","network":"bitcoin"' crawl.log
check "each line of that is an object, too" is_json_log crawl.log
end_simulation TERM

# --- systemd ---

cat >manager.py <<'PYTHON'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('./notify')
s.settimeout(20)
print('bound', flush=True)
while True:
    text = s.recv(4096).decode()
    print(text, flush=True)
    if 'STOPPING=1' in text:
        break
PYTHON
python3 manager.py >manager.out &
manager=$!
within grep -q bound manager.out
NOTIFY_SOCKET=$dir/notify WATCHDOG_USEC=200000 "$program" node ethereum "${here[@]}" \
	--no-default-bootstrap >node.out 2>err </dev/null &
pid=$!
beats() { [ "$(grep -c '^WATCHDOG=1' manager.out)" -ge "$1" ]; }
check "systemd hears of it again and again" within beats 5
end TERM
wait "$manager"
check "first that it is ready" [ "$(sed -n 2p manager.out)" = READY=1 ]
check "how it is" grep -q '^STATUS=0 peers in, 0 out, 0 known$' manager.out
check "last that it stops" [ "$(tail -n 1 manager.out)" = STOPPING=1 ]

finish 90
