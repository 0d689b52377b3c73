#!/bin/bash
# test_node_contacts.sh: ping and peers against simulated nodes of Ethereum on loopback.
#
#     tests/e2e/test_node_contacts.sh PROGRAM
#
# The simulator's truth says who is who; what is said about each kind of node has to agree.
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
simulate ethereum --peers 600 --ghosts 60 --liars 30% --latency 10ms --jitter 2ms --duration 5m ||
	exit 1

# --- ping ---
honest=$(peer_of honest)
run 0 ping "$honest" && [ "$(head -n 1 out | cut -d' ' -f1)" = "$honest:" ] &&
	grep -q '^  discovery *proven both ways' out && grep -q '^  sees us as *127\.0\.0\.1:' out &&
	grep -q '^  record *enr:' out && grep -q '^  ping *[0-9]* ms$' out
result "ping tells what an honest node says" $?
run 0 ping --count 3 --interval 20ms "$honest" &&
	[ "$(grep -c ': ping [123] of 3: ' out)" -eq 3 ] && grep -q 'most of 3' out
result "ping --count 3 tells each of three" $?
run 0 ping "$(awk '$1 == "record" { print $2; exit }' out)" && grep -q '^  record *enr:' out
result "a node is found by its record, too" $?
run 0 ping --timeout 1s "$(peer_of ghost)" "$honest" && grep -q 'no answer' out && grep -q '^  node id' out
result "one answer of two is enough" $?
run 0 ping "${honest/enode:/ethereum:}"
result "the network may be said in front of the key" $?

run 0 ping --json --timeout 1s --count 2 --interval 1ms "$(peer_of ghost)" "$honest" && python3 - out <<'PY'
import json, sys
ghost, honest = json.load(open(sys.argv[1]))
assert ghost["reached"] is False and ghost["outcome"] == "connect_timeout"
assert ghost["pings"] == 0 and ghost["record"] is None
assert honest["reached"] and honest["outcome"] == "ok" and honest["network"] == "ethereum"
assert honest["peer"].startswith("enode://" + honest["public_key"] + "@")
assert honest["pings"] == 2 and honest["ping_min_ms"] <= honest["ping_max_ms"]
assert honest["pinged_us"] and honest["record"].startswith("enr:") and honest["faults"] == {}
assert honest["sees_us_as"].startswith("127.0.0.1:") and len(honest["node_id"]) == 64
PY
result "the JSON has the order of the command line" $?
# Both kinds of networks on one command line.
run 0 ping --json --connect-timeout 1s 127.0.0.1:9 "$honest" && python3 - out <<'PY'
import json, sys
bitcoin, node = json.load(open(sys.argv[1]))
assert bitcoin["network"] == "bitcoin" and not bitcoin["reached"]
assert node["network"] == "ethereum" and node["reached"]
PY
result "a peer of Bitcoin and a node of Ethereum" $?
# Two nodes at one IP address are visited one after the other.
run 0 ping --json "$honest" "$honest" &&
	[ "$(grep -o '"reached": [a-z]*' out | tr '\n' ' ')" = '"reached": true "reached": true ' ]
result "the same node twice" $?

# What is said of a node of that kind, whose sessions may well be good.
while IFS='|' read -r kind text; do
	peer=$(peer_of "$kind")
	"$program" ping --timeout 1s "$peer" >out 2>err </dev/null
	[ $? -ne 1 ] && [ -n "$peer" ] && grep -qF -- "$text" out
	result "ping of $kind says: $text" $?
done <<'KINDS'
ghost|no answer to any PING (connect_timeout)
bad_hash|): a packet that could not be read
bad_signature|): a packet that could not be read
expired|(handshake_timeout): a packet that had expired before it came
expired|Its clock or that of this machine is wrong
wrong_pong|a PONG that names no PING of ours
other_key|another node answers at that address (protocol_error)
other_key|there is now enode://
bad_record|bad_record (1): sends the record of another node as its own
unsolicited|NEIGHBORS that nobody had asked for
KINDS

# --- sessions ---
# The truth has a name for those that say Hello, and none for those without a place.
named=$(awk -F, '$4 == "honest" && $5 != "" { print $1; exit }' truth.csv)
agent=$(awk -F, '$4 == "honest" && $5 != "" { print $5; exit }' truth.csv)
run 0 ping "$named" && [ "$(head -n 1 out)" = "$named: $agent" ] &&
	grep -q '^  session *said Hello and its Status, at TCP port [0-9]*$' out &&
	grep -qE '^  protocol *eth/[67][0-9]$' out && grep -qE '^  capabilities .*eth/[67][0-9]' out &&
	grep -qE '^  network id *[0-9]+$' out && grep -qE '^  genesis *[0-9a-f]{64}$' out &&
	grep -qE '^  head *[0-9a-f]{64}$' out && grep -qE '^  fork id *[0-9a-f]{8}, ' out
result "ping tells the client and its chain" $?
run 0 ping --json "$named" && python3 - out "$agent" <<'PY'
import json, sys
n = json.load(open(sys.argv[1]))[0]
assert n["agent"] == sys.argv[2] and n["session"]["outcome"] == "ok"
assert n["session"]["hello_ms"] <= n["session"]["status_ms"]
assert "eth/%d" % n["protocol"] in n["capabilities"]
assert isinstance(n["network_id"], int) and len(n["genesis"]) == len(n["head"]) == 64
assert len(n["fork_hash"]) == 8
assert n["chain"] is None or n["fork_compatible"] in (True, False)
PY
result "the JSON has them, too" $?
for n in $(seq 40); do
	run 0 ping "$(awk -F, -v n="$n" '$4 == "honest" && $5 == "" && ++i == n { print $1 }' truth.csv)" || break
	grep -q '(full): "too many peers"' out && break
done
grep -q '(full): "too many peers"' out && grep -q "its client's name is not known" out &&
	grep -q 'try again later' out
result "a full node is there, and says so" $?
# By their networks: Sepolia's nodes are none of Hoodi's.
for n in $(seq 300); do
	peer=$(peer_of honest "$n")
	[ -n "$peer" ] || break
	"$program" ping --json "$peer" >out 2>err && grep -q '"chain": "sepolia"' out && break
done
grep -q '"chain": "sepolia"' out && run 0 ping "${peer/enode:/sepolia:}" &&
	! grep -q wrong_network out && run 0 ping "${peer/enode:/hoodi:}" &&
	grep -q '(wrong_network)' out
result "a node of another chain than the network's that was named" $?

# --- who we are ---
"$program" key own.key >out 2>err
own=$(sed -n 's/^public key *//p' out)
[ -n "$own" ] && run 0 ping --key own.key "$honest" && run 3 ping --key own.key "enode://$own@127.0.0.1:9" &&
	grep -q '(self)' out
result "with --key we are the node of that key" $?
run 1 ping --key no-such.key "$honest" && grep -q 'no-such.key' err
result "a key file that isn't there" $?

# --- peers ---
run 0 peers "$honest" && [ "$(grep -c . out)" -ge 20 ] &&
	! grep -qvE '^enode://[0-9a-f]{128}@127\.[0-9.]+:[0-9]+(\?discport=[0-9]+)?$' out &&
	grep -q 'drained: the whole table is listed, and that is proven' err
result "peers prints the table as URLs, and how complete it is" $?
[ -z "$(sort out | uniq -d)" ]
result "peers prints each once" $?
cp out plain
awk -F, 'NR > 1 { print $1 }' truth.csv | sort >known
sort plain | comm -23 - known >out
[ ! -s out ]
result "peers of an honest node are those of the truth" $?
run 0 peers --quiet "$honest" && [ ! -s err ]
result "peers --quiet says nothing of it" $?
run 0 peers "$honest" --long && [ "$(head -n 1 out | tr -s ' ')" = "PEER DISTANCE BELIEVED" ] &&
	[ "$(($(grep -c . out) - 1))" -eq "$(grep -c . plain)" ] &&
	awk 'NR > 1 && ($2 < 240 || $2 > 256 || $3 != "yes") { exit 1 }' out
result "peers --long has the distance of each" $?
private=$(peer_of private)
run 0 peers "$private" --long && grep -q "no: a special-purpose network, never a node's" out &&
	grep -q 'bad_address [0-9]' err
result "peers --long tells who is not to be believed" $?
run 0 peers "$private" && ! grep -qvE '@127\.' out
result "peers leaves them out" $?
run 0 peers --json "$private" && python3 - out <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
assert d["completeness"] == "drained" and d["findnodes"] > 0 and d["faults"]["bad_address"] > 0
# It may know us by now, and we don't list ourselves.
keys = len({p["public_key"] for p in d["peers"]})
assert keys <= d["entries"] <= keys + 1
bad = [p for p in d["peers"] if not p["believed"]]
assert bad and all(p["reason"] for p in bad)
assert all(p["reason"] is None for p in d["peers"] if p["believed"])
PY
result "peers --json has an object for each" $?
run 3 peers --timeout 1s "$(peer_of ghost)" && [ ! -s out ] && grep -q 'no answer to any PING' err
result "peers of nobody" $?
run 3 peers --json --timeout 1s "$(peer_of ghost)" && python3 -c '
import json
d = json.load(open("out"))
assert d["peers"] == [] and d["completeness"] is None and not d["reached"]'
result "peers --json of nobody" $?

# --- what a node is not ---
run 2 ping ethereum://127.0.0.1 && grep -q 'expected enode://KEY@IP:PORT or enr:' err
result "a node without its key" $?
run 2 crawl bitcoin --seed "$honest" && grep -q 'is a node of Ethereum' err
result "a node is no seed of Bitcoin" $?
printf '# nodes\n%s\n\nexample.org # no node\n' "$honest" >seeds.txt
run 2 crawl ethereum --seeds seeds.txt && grep -q 'seeds.txt, line 4' err
result "the line of a file that is no node" $?

# --- interrupted ---
"$program" ping --count 1000 --interval 100ms "$honest" >out 2>err &
ping=$!
for _ in $(seq 100); do
	grep -q 'ping 2 of 1000' out && break
	sleep 0.1
done
kill -INT $ping
wait $ping
[ $? -eq 130 ] && grep -q 'no answer' out
result "Ctrl-C ends it" $?

finish 38
