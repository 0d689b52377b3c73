#!/bin/bash
# test_node.sh: peerwalk node, alone and in a group, and peerwalk listen to one of them, on
# loopback.
#
#     tests/e2e/test_node.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

pid=
# name, arguments...: a node in the background, its output in name.out and name.err.
start() {
	local name=$1
	shift
	rm -f "$name.out"
	"$program" node ethereum --no-default-bootstrap "$@" >"$name.out" 2>"$name.err" </dev/null &
	pid=$!
	within test -s "$name.out"
}

here=127.0.0.1:0

# --- the command line ---
run 2 node && grep -q 'NETWORK is missing' err
result "a network is needed" $?
run 2 node ethereum --group us && grep -q "are for Bitcoin's networks and gossip" err
result "what only others have" $?
run 2 node ethereumm && grep -q 'there is no network "ethereumm"' err
result "an unknown network" $?
while IFS='|' read -r what option value text; do
	run 2 node ethereum "$option" "$value" && grep -qF -- "$text" err
	result "$what" $?
done <<'ROWS'
no address to listen at|--listen|example.org:1|--listen: expected ADDR or ADDR:PORT
everybody's address to listen at|--listen|224.0.0.1:1|--listen: expected ADDR or ADDR:PORT
no port to advertise|--advertise|192.0.2.1|--advertise: expected ADDR:PORT
nowhere to advertise|--advertise|0.0.0.0:30303|--advertise: expected ADDR:PORT
nobody to begin with|--bootstrap|192.0.2.1:30303|enode://
somebody of another network|--bootstrap|bitcoin://192.0.2.1|
ROWS
run 2 node ethereum --listen 127.0.0.1:1 --listen 127.0.0.2:1 && grep -q 'one IPv4 and one IPv6' err
result "two addresses of one kind" $?
run 2 node ethereum --listen 127.0.0.1:1 --listen '[::1]:2' && grep -q 'the same port' err
result "two ports" $?
run 1 node ethereum --no-default-bootstrap --listen 192.0.2.1:0 && grep -q 'no address of this machine' err
result "an address of another machine" $?
run 1 node ethereum --listen "$here" --key missing/node.key && [ ! -s out ]
result "no folder for the key" $?

# --- one node ---
run 0 node ethereum --no-default-bootstrap --listen "$here" --duration 300ms &&
	grep -qE '^enode    enode://[0-9a-f]{128}@127\.0\.0\.1:[0-9]+$' out &&
	grep -qE '^record   enr:-' out && grep -q '^sessions 0,' out
result "--duration ends it, and it says who it was" $?
record=$(awk '$1 == "record" { print $2 }' out)
url=$(awk '$1 == "enode" { print $2 }' out)
run 0 enr "$record" && grep -qF "enode       $url" out && ! grep -q '^  eth ' out
result "its record says the same, and claims no chain" $?
run 0 node ethereum --no-default-bootstrap --listen 0.0.0.0:0 --duration 100ms &&
	grep -q '@127.0.0.1:' out && grep -q 'advertise ADDR:PORT' err
result "a node everywhere does not know where it is" $?
record=$(awk '$1 == "record" { print $2 }' out)
run 0 enr "$record" && ! grep -q '^  ip ' out
result "and its record says no address" $?
run 0 node hoodi --no-default-bootstrap --listen 0.0.0.0:0 --advertise 192.0.2.7:4000 --duration 100ms &&
	grep -q '@192.0.2.7:4000$' out && ! grep -q 'advertise' err
result "unless it is told" $?

run 0 node ethereum --no-default-bootstrap --listen "$here" --duration 100ms --key node.key &&
	grep -q 'node.key is new' err && [ "$(stat -c %a node.key)" = 600 ]
result "a key is made" $?
first=$(sed -n 's/^enode    enode:..\([0-9a-f]*\)@.*/\1/p' out)
"$program" enr "$(awk '$1 == "record" { print $2 }' out)" | awk '$1 == "seq" { print $2 }' >seq
run 0 node ethereum --no-default-bootstrap --listen "$here" --duration 100ms --key node.key -q &&
	[ ! -s err ] && grep -q "enode://$first@" out
result "and keeps who the node is" $?
[ "$("$program" enr "$(awk '$1 == "record" { print $2 }' out)" | awk '$1 == "seq" { print $2 }')" -gt "$(cat seq)" ]
result "with a record of a higher number" $?

# --- a group ---
start boot --listen "$here" --json
boot=$pid
url=$(sed -n 's/.*"enode":"\([^"]*\)".*/\1/p' boot.out | head -n 1)
cp boot.out out
cp boot.err err
grep -q '^{"event":"ready","ready":true,"network":"ethereum","enode":"enode://' boot.out
result "a line of JSON when it is ready" $?

others=9
for i in $(seq $others); do
	start "node$i" --listen "$here" --bootstrap "$url" --json -v
done
all_bonded() {
	for i in $(seq $others); do
		[ "$(grep '"event":"bonded"' "node$i.out" | sort -u | wc -l)" -ge $others ] || return 1
	done
}
within all_bonded
result "$others nodes with one to begin with: each bonds with all the others" $?

start anywhere --listen 0.0.0.0:0 --json
anywhere=$pid
there=$(sed -n 's/.*"enode":"\([^"]*\)".*/\1/p' anywhere.out | head -n 1)
grep -q '"address_known":false' anywhere.out
result "a node everywhere does not know where it is seen" $?
for i in $(seq 2 11); do
	start "host$i" --listen "127.0.0.$i:0" --bootstrap "$there" --json
done
within grep -q '^{"event":"moved","ready":true,.*"address_known":true' anywhere.out
status=$?
cp anywhere.out out
cp anywhere.err err
seqs=$(sed -n 's/.*"seq":\([0-9]*\),.*/\1/p' out)
[ $status -eq 0 ] && grep -q 'others see this node at 127.0.0.1:' err &&
	[ "$(tail -n 1 <<<"$seqs")" -eq $(($(head -n 1 <<<"$seqs") + 1)) ]
result "until ten hosts have seen it; its record has the next number" $?
kill -INT "$anywhere"

# --- listen to one of them ---
run 0 listen "$url" --count 2 && [ "$(grep -c . out)" -eq 2 ] && head -n 1 out | grep -q '  pong  ' &&
	grep -q 'from ip 127.0.0.1' out
result "listen prints its packets" $?
run 0 listen "$url" --count 2 --verbose && grep -q '^      enr seq ' out
result "listen --verbose has a line for each field" $?
run 0 listen "$url" --json --count 2 -v && [ "$(grep -c '^{.*"fields":\[.*}$' out)" -eq 2 ]
result "listen --json has an object for each" $?
hears() { # on a busy machine more than one try may be needed
	run 0 listen "$url" --duration 500ms && grep -q '  ping  ' out
}
within hears
result "listen --duration ends by itself" $?
record=$(sed -n 's/.*"record":"\([^"]*\)".*/\1/p' boot.out | head -n 1)
run 0 listen "$record" --count 1 && grep -q '  pong  ' out
result "a record will do" $?
run 3 listen "enode://$first@${url##*@}" --connect-timeout 1500ms && [ ! -s out ] &&
	grep -q 'no answer to a PING' err
result "another key at its address does not answer" $?

# --- hostile ---
port=${url##*:}
if command -v python3 >/dev/null; then
	python3 - "$port" <<'PYTHON' 2>err
import os, socket, sys
port = int(sys.argv[1])
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.9", 0))
for size in list(range(0, 1500, 7)) * 3 + [2048, 2049, 60000]:
    udp.sendto(os.urandom(size), ("127.0.0.1", port))
for payload in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(100000), b"\x01\x00" + bytes(256)):
    tcp = socket.create_connection(("127.0.0.1", port))
    tcp.settimeout(20)
    try:
        tcp.sendall(payload)
        tcp.shutdown(socket.SHUT_WR)
        while tcp.recv(4096):
            pass
    except ConnectionError:
        pass
PYTHON
	result "it takes garbage over UDP and TCP" $?
	three_sessions() { [ "$(grep -c '"event":"session"' boot.out)" -ge 3 ]; }
	within three_sessions
	result "and tells of the callers" $?
	run 0 listen "$url" --count 1 && grep -q '  pong  ' out
	result "and answers as before" $?
else
	echo "note: no python3, no garbage"
	passed=$((passed + 3))
fi

# --- the end ---
kill -INT $boot
wait $boot
[ $? -eq 130 ] && tail -n 1 boot.out | grep -q '^{"event":"end","ready":false,"seconds":'
status=$?
cp boot.out out
result "SIGINT ends it with 130 and a summary" $status
start plain --listen "$here"
kill -TERM "$pid"
wait "$pid"
status=$?
cp plain.out out
cp plain.err err
[ $status -eq 143 ] && grep -q '^packets  ' out
result "SIGTERM with 143" $?
(
	"$program" node ethereum --no-default-bootstrap --listen "$here" --json -v --bootstrap \
		"$(sed -n 's/.*"enode":"\([^"]*\)".*/\1/p' node1.out | head -n 1)" 2>err
	echo $? >status
) | head -n 1 >out
within test -s status
result "it ends when nobody reads its lines any more" $?

if command -v python3 >/dev/null; then
	rm plain.out
	cat ./*.out >all
	is_json_lines all 2>err
	result "all lines are valid JSON" $?
fi
finish 38
