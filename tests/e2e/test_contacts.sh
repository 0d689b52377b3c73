#!/bin/bash
# test_contacts.sh: ping, peers and listen against a simulated network on loopback.
#
#     tests/e2e/test_contacts.sh PROGRAM
#
# The simulator's truth says who is who; what the three say about each kind of peer has
# to agree with it.
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
simulate bitcoin --peers 400 --ghosts 60 --liars 30% --latency 10ms --jitter 2ms --duration 5m ||
	exit 1

# --- ping ---
honest=$(peer_of honest)
agent=$(awk -F, '$4 == "honest" { print $5; exit }' truth.csv)
run 0 ping "$honest" && grep -qF ": $agent" out && grep -q '  services *NETWORK' out &&
	grep -q '  ping *[0-9]* ms' out && grep -q '  negotiated *version ' out
result "ping tells who an honest peer is" $?
run 0 ping --count 3 --interval 20ms "$honest" && [ "$(grep -c ': ping [123] of 3: ' out)" -eq 3 ] &&
	grep -q 'most of 3' out
result "ping --count 3 tells each of three" $?
run 0 ping "$(peer_of ghost_refused)" "$honest" && grep -q 'no answer' out && grep -qF "$agent" out
result "one answer of two is enough" $?
run 0 ping --json "$(peer_of ghost_refused)" "$honest" &&
	[ "$(grep -o '"reached": [a-z]*' out | tr '\n' ' ')" = '"reached": false "reached": true ' ]
result "the JSON has the order of the command line" $?

while read -r kind outcome; do
	peer=$(peer_of "$kind")
	[ -n "$peer" ] && run 3 ping --timeout 2s --connect-timeout 1s "$peer" &&
		grep -qF "($outcome)" out && [ "$(grep -c . out)" -eq 3 ]
	result "ping of $kind says $outcome, why, and what to do" $?
done <<'KINDS'
full full
ghost_refused refused
ghost_silent connect_timeout
wrong_magic wrong_network
wrong_checksum protocol_error
huge_length too_big
garbage protocol_error
truncated protocol_error
dribble handshake_timeout
mute mute
echo self
KINDS
stepwise=$(peer_of stepwise)
run 0 ping "$stepwise" && grep -q 'step by step' out
result "ping goes step by step with a peer that wants it" $?

# --- peers ---
run 0 peers "$honest" && [ "$(grep -c . out)" -ge 5 ] && ! grep -qvE '^127\.[0-9.]+:[0-9]+$|\.onion:[0-9]+$|^\[[0-9a-f:]+\]:[0-9]+$|\.b32\.i2p' out
result "peers prints addresses, one a line" $?
[ -z "$(sort out | uniq -d)" ]
result "peers prints each once" $?
cp out plain
run 0 peers "$honest" --long && [ "$(head -n 1 out | awk '{ print $1 }')" = PEER ] &&
	[ "$(($(grep -c . out) - 1))" -eq "$(grep -c . plain)" ]
result "peers --long has a line for each, and a header" $?
run 0 peers "$honest" --json && [ "$(grep -c '"last_seen"' out)" -eq "$(grep -c . plain)" ]
result "peers --json has an object for each" $?
awk -F, 'NR > 1 { print $2 ":" $3 }' truth.csv | sort >known
grep '^127\.' plain | sort | comm -23 - known >out
[ "$(grep -c . out)" -eq 0 ]
result "everybody that an honest peer names is part of the network" $?
run 3 peers "$(peer_of mute)" --timeout 1s && [ ! -s out ] && grep -q '(mute)' err
result "peers of a mute peer: nobody, and why" $?

# --- listen ---
run 0 listen "$honest" --count 4 && [ "$(grep -c . out)" -eq 4 ] &&
	head -n 1 out | grep -q '  version .*protocol 7'
result "listen --count 4 prints four messages, the version first" $?
hears() { # on a busy machine more than one try may be needed
	run 0 listen "$honest" --duration 1s && grep -q '  addr' out && grep -q '  verack' out
}
within hears
result "listen --duration 1s ends by itself" $?
run 0 listen "$honest" --count 1 --verbose && grep -q '^      user agent\|^      agent' out
result "listen --verbose has a line for each field" $?
run 0 listen "$honest" --count 3 --json -v && [ "$(grep -c '^{.*}$' out)" -eq 3 ] &&
	[ "$(grep -c '"fields":\[' out)" -eq 3 ]
result "listen --json prints one object a line" $?
if command -v python3 >/dev/null; then
	is_json_lines out 2>err
	result "each of them is valid JSON" $?
else
	echo "note: no python3, the JSON is not checked"
fi
for signal in INT:130 TERM:143; do
	rm -f out
	"$program" listen "$honest" >out 2>err &
	pid=$!
	for _ in $(seq 50); do
		grep -qs verack out && break
		sleep 0.1
	done
	kill -"${signal%:*}" $pid
	wait $pid
	[ $? -eq "${signal#*:}" ] && grep -q verack out
	result "listen ends with ${signal#*:} on SIG${signal%:*}" $?
done

finish 27
