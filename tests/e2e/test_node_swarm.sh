#!/bin/bash
# test_node_swarm.sh: peerwalk node on Bitcoin's networks and in a gossip group, alone, in pairs, and
# with callers that mean no good, on loopback.
#
#     tests/e2e/test_node_swarm.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

pid=
url=
# name, network, arguments...: a node in the background, when it is ready; its url.
start() {
	local name=$1
	# Before it is there, the file has what the last one said.
	: >"$name.out"
	"$program" node "$2" --no-default-bootstrap --json "${@:3}" >"$name.out" 2>"$name.err" \
		</dev/null &
	pid=$!
	within test -s "$name.out"
	url=$(sed -n 's/.*"url":"\([^"]*\)".*/\1/p' "$name.out")
}
# signal: `status` is its exit status.
end() {
	kill -"$1" "$pid"
	wait "$pid" 2>/dev/null
	status=$?
}
here=127.0.0.1:0
regtest=(bitcoin-regtest --allow-private)

# --- the command line ---
while IFS='|' read -r what network options text; do
	# shellcheck disable=SC2086 # several words
	run 2 node $network $options && grep -qF -- "$text" err
	result "$what" $?
done <<'ROWS'
no address to listen at|gossip|--listen example.org:1|--listen: expected ADDR or ADDR:PORT, such as 0.0.0.0:5999
five of them|gossip|--listen 127.0.0.1:1 --listen 127.0.0.1:2 --listen 127.0.0.1:3 --listen 127.0.0.1:4 --listen 127.0.0.1:5|at most 4
no port to advertise|bitcoin|--advertise 192.0.2.1|such as 192.0.2.1:8333
somebody of another network|gossip|--bootstrap bitcoin://192.0.2.1|gossip
a key|bitcoin|--key node.key|--key is for Ethereum's networks
a group of Bitcoin's|bitcoin|--group us|--group is for gossip
a contact that breaks BIP 14|bitcoin|--contact a(b)|--contact may hold
a chain without a port|mychain|--magic 01020304|--magic needs --port
what only others have|ethereum|--max-in 10|are for Bitcoin's networks and gossip
no callers at all|gossip|--max-in 0|--max-in
ROWS
run 1 node gossip --listen 192.0.2.1:0 && grep -q 'no address of this machine' err
result "an address of another machine" $?
run 1 node gossip --listen "$here" --db missing/node.db && [ ! -s out ]
result "no folder for the database" $?

# --- one ---
run 0 node gossip --listen "$here" --group us --duration 200ms &&
	grep -qE '^listen   127\.0\.0\.1:[0-9]+$' out && grep -qE '^nodeid   [0-9a-f-]{36}$' out &&
	grep -q '^group    us$' out && grep -q '^messages 0 in' out &&
	grep -qE 'peerwalk node gossip --group us --bootstrap gossip://127\.0\.0\.1:[0-9]+' err
result "it says where it is, who it is, and how others join" $?
run 0 node bitcoin --no-default-bootstrap --listen 0.0.0.0:0 --advertise 192.0.2.7:4000 --duration 100ms &&
	grep -q '^url      bitcoin://192.0.2.7:4000$' out && ! grep -q nodeid out
result "or where it is told that it is" $?
run 0 node mychain --magic 01020304 --port 4321 --listen "$here" --duration 100ms &&
	grep -q '^url      mychain://127' out
result "a chain that is described" $?
start first gossip --listen "$here"
run 1 node gossip --listen "${url#*//}" && grep -q 'another program does; choose another port' err
result "a port that is taken" $?
(
	ulimit -n 200
	run 0 node gossip --listen "$here" --duration 100ms &&
		grep -q 'takes [0-9]* callers at a time instead of 1000' err
)
result "fewer callers where files are few, which it says" $?
end INT
[ $status -eq 130 ] && tail -n 1 first.out | grep -q '^{"event":"end","ready":false,'
result "SIGINT ends it with 130 and a summary" $?

# --- two ---
for network in gossip "bitcoin-regtest --allow-private"; do
	# shellcheck disable=SC2086 # several words
	start first $network --listen "$here"
	first=$pid first_url=$url
	# shellcheck disable=SC2086
	start second $network --listen 127.0.0.2:0 --bootstrap "$first_url" --contact me@example.org
	within grep -q '"event":"up".*"direction":"in".*me@example.org' first.out &&
		within grep -q "\"event\":\"up\",\"peer\":\"${first_url#*//}\",\"direction\":\"out\"" second.out
	result "${network%% *}: two shake hands" $?
	within grep -q "{\"event\":\"known\",\"address\":\"${url#*//}\"}" first.out
	result "${network%% *}: who was called knows whom he was called by" $?
	sleep 0.5
	end TERM
	[ $status -eq 143 ] && within grep -q '"event":"down".*"outcome":"ok"' first.out
	result "${network%% *}: one takes leave of the other" $?
	kill "$first"
	wait "$first" 2>/dev/null
	in=$(json_value messages_in first.out)
	[ "${in:-0}" -gt 0 ] && [ "$in" -eq "$(json_value messages_out second.out)" ]
	result "${network%% *}: what one has said the other has heard" $?
done
start first gossip --listen "$here"
first=$pid
start second gossip --listen "$here" --bootstrap "localhost:${url##*:}"
within grep -q '"event":"up"' second.out
result "a name is looked up" $?
end TERM
kill "$first"
wait "$first" 2>/dev/null
start first gossip --listen "$here" --group us
first=$pid
start second gossip --listen "$here" --group them --bootstrap "$url"
within grep -q '"outcome":"wrong_network"' second.out &&
	! grep -q '"event":"up"' first.out second.out
result "groups have nothing to do with each other" $?
end TERM
kill "$first"
wait "$first" 2>/dev/null
start quiet gossip --listen "$here"
(
	"$program" node gossip --listen "$here" --bootstrap "$url" --json -v 2>err
	echo $? >ended
) | head -n 1 >out
within test -s ended
result "it ends when nobody reads its lines any more" $?
end TERM

# --- the book ---
start first "${regtest[@]}" --listen "$here"
first=$pid first_url=$url
start second "${regtest[@]}" --listen 127.0.0.2:0 --bootstrap "$first_url" --db node.db
within grep -q '"event":"up"' second.out
end TERM
start again "${regtest[@]}" --listen 127.0.0.2:0 --db node.db
grep -q '"known":[1-9][0-9]*}' again.out
result "a restart keeps the book" $?
run 1 node bitcoin-regtest --no-default-bootstrap --listen "$here" --db node.db && [ -s err ]
result "which belongs to one node at a time" $?
end KILL
start other "${regtest[@]}" --listen 127.0.0.3:0 --bootstrap "$first_url" --db other.db
within grep -q '"event":"up"' other.out
sleep 1.5
end KILL
start other "${regtest[@]}" --listen 127.0.0.3:0 --db other.db
grep -q '"known":[1-9][0-9]*}' other.out
result "and so does kill -9, a second later" $?
end TERM
kill "$first"
wait "$first" 2>/dev/null

# --- callers that mean no good ---
if ! command -v python3 >/dev/null; then
	echo "note: no python3, no bad callers"
	finish 31
	exit
fi
start host gossip --listen "$here" --max-per-host 8 --max-in 100
python3 - "${url##*:}" <<'PYTHON' 2>err
import json, os, socket, sys, time
port = int(sys.argv[1])
def call(source):
    s = socket.socket()
    s.bind((source, 0))
    s.settimeout(20)
    s.connect(('127.0.0.1', port))
    return s
def hello(n):
    return json.dumps({'msgtype': 'hello', 'nodeid': '00000000-0000-4000-8000-%012x' % n}).encode() + b'\n'
def served(n, source='127.0.0.99'):
    """How long it takes until one who knows how is answered."""
    began = time.monotonic()
    s = call(source)
    s.sendall(hello(n) + b'{"msgtype":"ping","nonce":%d}\n' % n)
    got = b''
    while b'"pong"' not in got:
        part = s.recv(4096)
        assert part, (n, got)
        got += part
    s.close()
    return time.monotonic() - began
served(1)

# Garbage: each is closed, soon.
for i, text in enumerate((b'GET / HTTP/1.1\r\n\r\n', os.urandom(100000), b'\n', b'{}\n', b'[' * 70000,
                          b'{"msgtype":"hello"}\n', b'{"msgtype":"ping"}\n')):
    s = call('127.0.1.%d' % (i + 1))
    try:
        s.sendall(text)
        while s.recv(4096):
            pass
    except ConnectionError:
        pass
served(2)

# Byte after byte is a hello all the same, and keeps nobody waiting.
slow = call('127.0.2.1')
for byte in hello(3):
    slow.sendall(bytes([byte]))
    time.sleep(0.002)
assert b'hello' in slow.recv(4096)
assert served(4) < 2

# A flood of one address: some have a place, the others are sent away, and others are served.
flood = [call('127.0.3.1') for _ in range(500)]
assert served(5) < 2
open_still = 0
for s in flood:
    s.settimeout(0.01 if open_still < 9 else 5)
    try:
        open_still += s.recv(1) != b''
    except ConnectionError:
        pass
    except TimeoutError:
        open_still += 1
assert open_still == 8, open_still

# One who asks and asks, and reads nothing.
deaf = call('127.0.4.1')
deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
deaf.settimeout(0.5)
try:
    deaf.sendall(hello(6))
    for i in range(100000):
        deaf.sendall(b'{"msgtype":"ping","nonce":%d}\n' % i)
except (ConnectionError, TimeoutError):
    pass
else:
    sys.exit('it took 100,000 pings')
assert served(7) < 2
PYTHON
result "garbage, dribble, a flood and a deaf one cost the others nothing" $?
cp host.err err
kill -0 "$pid"
result "and it stands" $?
end TERM
cp host.out out
[ $status -eq 143 ] && tail -n 1 host.out | grep -q '"refused":49[0-9],'
result "it has counted whom it sent away" $?
cat ./*.out >all
is_json_lines all 2>err
result "all lines are valid JSON" $?
finish 36
