#!/bin/bash
# test_gossip.sh: gossip networks on the command line, and peers that were written without our
# code (tutorial_peer.py), in both roles.
#
#     tests/e2e/test_gossip.sh PROGRAM SOURCES
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
script=$(realpath "$source_dir/tests/e2e/tutorial_peer.py")
: >in

if ! command -v python3 >/dev/null; then
	echo "no python3: nobody to talk to"
	exit 77
fi

# Starts one; its lines go to NAME.log, its process is NAME_pid.
peer() { # name, port, options...
	: >"$1.log"
	python3 "$script" --listen "$2" "${@:3}" >>"$1.log" 2>&1 &
	printf -v "$1_pid" %s $!
	within grep -q '^ready' "$1.log"
}

base=$(python3 -c 'import random, socket
while True:
    base = random.randrange(10000, 32000, 5)
    try:
        held = [socket.create_server(("127.0.0.1", base + i)) for i in range(5)]
        break
    except OSError:
        pass
print(base)')
one=127.0.0.1:$base two=127.0.0.1:$((base + 1)) empty=127.0.0.1:$((base + 2))
mute=127.0.0.1:$((base + 3)) nobody=127.0.0.1:$((base + 4))

peer one "$base" --known "$nobody" || exit 1
peer two $((base + 1)) --dial "$one" || exit 1
peer empty $((base + 2)) --answer empty || exit 1
peer mute $((base + 3)) --answer never || exit 1
check "the script's peers find each other" within grep -q '^pong' two.log
id=$(sed -n 's/^ready //p' one.log)

# --- one peer ---

prints "networks lists it" 0 gossip networks
prints "ping" 0 "node id     $id" ping "gossip://$one"
prints "ping, by --network" 0 "$id" ping --network gossip --count 3 --interval 10ms "$one"
grep -q 'ping 3 of 3' out
check "three pings are told" test $? -eq 0
prints "ping --json" 0 "\"node_id\": \"$id\"" ping --json "gossip://localhost:$base"
check "is JSON" python3 -c 'import json, sys; p = json.load(open("out"))[0]
assert p["reached"] and p["group"] is None and p["listen_port"] is None and p["pings"] == 1, p'
prints "peers" 0 "$nobody" peers "gossip://$one"
check "and itself, as it announces" grep -qx "$one" out
prints "peers --json" 0 '"last_seen": null' peers --json "gossip://$one"
start=$(date +%s%N)
prints "peers of who knows nobody" 0 "$empty" peers "gossip://$empty"
check "ends at once" test $(($(date +%s%N) - start)) -lt 3000000000
prints "peers of who never answers" 0 "$mute" peers --timeout 2s "gossip://$mute"
prints "listen" 0 "getaddr" listen --count 4 "gossip://$one"
check "tells the hello first" grep -q "hello .*nodeid $id" out
prints "listen --json --verbose" 0 '"name":"nodeid"' listen --json --verbose --count 1 "gossip://$one"
complains "nobody there" 3 "refused" peers "gossip://$nobody"
complains "--group is for gossip" 2 "--group is for gossip" ping --group x bitcoin://127.0.0.1
complains "a group has a name" 2 "a name of 1 to 64 bytes" ping --group "" "gossip://$one"

# --- decode ---

printf '{"nodeid": "%s", "msgtype": "hello"}\n{"msgtype":"addr","peers":[["%s","%s"],"a.name:1"]}\n' \
	"$id" "$one" "$id" >in
prints "decode" 0 "addr                    $one" decode gossip -
check "names the names" grep -q 'host  *a.name:1$' out
prints "decode, from the command line" 0 "nonce                   7" \
	decode gossip '{"msgtype":"ping","nonce":7}'
printf '{"msgtype":"addr","peers":7}\n' >in
complains "decode says which rule is broken" 1 "addr: peers is a list" decode gossip -
: >in

# --- a crawl ---

run 0 crawl gossip --seed "$one" --seed "$empty" --allow-private --timeout 2s --db g.db
result "crawl" $?
run 0 export --db g.db --what visits
result "export" $?
check "everybody was visited, with the right outcome" python3 - "$one" "$two" "$empty" "$nobody" <<'END'
import csv, sys
one, two, empty, nobody = ("gossip://" + place for place in sys.argv[1:])
got = {row["peer"]: (row["outcome"], len(row["node_id"])) for row in csv.DictReader(open("out"))}
assert got == {one: ("ok", 32), two: ("ok", 32), empty: ("no_peers", 32), nobody: ("refused", 0)}, got
END
run 0 export --db g.db --what peers
check "peers keep the id of their run" grep -q "gossip://$one,.*,${id//-/},ok" out
printf 'peer,address,port,kind,agent,reachable\n' >truth.csv
for place in "$one" "$two" "$empty"; do
	echo "gossip://$place,${place%:*},${place#*:},tutorial,,1" >>truth.csv
done
prints "score" 0 "100.00%" score --db g.db --truth truth.csv --min-recall 1
prints "report" 0 "3 reached" report --db g.db
prints "a crawl of a group goes to those that name none" 0 "reached   3" crawl gossip --group chat \
	--seed "$one" --seed "$empty" --allow-private --timeout 2s --db g.db
prints "the database has the group" 0 '"group": "chat"' report --db g.db --json

# --- a standing peer among them, which either side dials ---

"$program" node gossip --listen 127.0.0.1:0 --group lab --bootstrap "$one" >node.log 2>node.err &
node=$!
within grep -q '^url' node.log
url=$(sed -n 's/^url *//p' node.log)
peer late $((base + 4)) --dial "${url#gossip://}"
knows_all() {
	run 0 peers "$url" && grep -qx "$one" out && grep -qx "$two" out && grep -qx "$late" out
}
late=$nobody
check "it passes on who says where it listens, and who was dialled" within knows_all
check "and its callers know each other" within grep -q "^hello $id" late.log
run 0 crawl gossip --seed "$url" --allow-private --timeout 2s --db node.db --quiet
check "a crawl that begins with it finds them" python3 - "$one" "$two" "$late" "$url" <<'END'
import sqlite3, sys
want = {place.removeprefix("gossip://") for place in sys.argv[1:]}
rows = sqlite3.connect("node.db").execute("SELECT address, port FROM peers WHERE reached")
got = {"%s:%d" % row for row in rows}
assert want <= got, got
END
prints "a crawl of another group" 3 "speaks for another network" crawl gossip --group other --seed "$url" \
	--allow-private --timeout 2s --db other.db
kill -TERM $node
wait $node
check "it takes leave" grep -q '^closed' late.log
# shellcheck disable=SC2154 # peer has set it
kill "$late_pid" && wait "$late_pid" 2>/dev/null

# --- other groups, and those that break rules: a script for a peer each ---

cat >scripted.py <<'END'
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
for line in sys.argv[2:]:
    peer, _ = server.accept()
    peer.recv(4096)
    peer.sendall(line.encode())
    peer.recv(4096)
    peer.close()
END
hello='{"msgtype":"hello","nodeid":"'$id'","network":"other","agent":"scripted/1","port":7}'
python3 scripted.py $((base + 4)) "$hello"$'\n' "$hello"$'\r\n{"msgtype":"pong"}\n' "no JSON"$'\n' \
	"$(printf '%70000s' x)" >scripted.log 2>&1 &
within grep -q '^ready' scripted.log
prints "another group" 3 "wrong_network" ping --group chat "gossip://$nobody"
prints "any group" 0 "group       other" ping "gossip://$nobody"
check "and what it says of itself" grep -q 'scripted/1' out
check "and where it listens" grep -q 'listens     on port 7' out
prints "no JSON" 3 "a line is one JSON object" ping "gossip://$nobody"
prints "70,000 bytes of a line" 3 "too_big" ping "gossip://$nobody"

# --- a simulated network ---

if simulate gossip --peers 200 --ghosts 100 --latency 10ms --liars 20%; then
	crawl gossip --quiet --connect-timeout 1s --timeout 3s --db s.db >out 2>err
	result "a crawl of a simulated network" $?
	run 0 score --db s.db --truth truth.csv --min-recall 1 --json
	result "finds everybody" $?
	check "and believes no liar" grep -q '"false_ok": 0' out
	check "and tells the agents as they are" grep -q '"agents_differ": 0' out
	end_simulation TERM
else
	result "the simulator starts" 1
fi

finish 46
