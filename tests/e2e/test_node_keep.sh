#!/bin/bash
# test_node_keep.sh: what a node of Ethereum keeps with --db, over a restart and over kill -9, in
# a simulated network on loopback.
#
#     tests/e2e/test_node_keep.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

node() { # name, options...: in the background; pid
	local name=$1
	shift
	rm -f "$name.sock" "$name.out"
	"$program" node ethereum --no-default-bootstrap --status "$name.sock" "$@" \
		>"$name.out" 2>"$name.err" </dev/null &
	pid=$!
	within test -s "$name.out"
}
stop() { # name, signal, expected status
	kill -"$2" "$pid"
	wait "$pid"
	[ $? -eq "$3" ]
	local status=$?
	cp "$1.out" out
	cp "$1.err" err
	return $status
}
live() { # name: nodes of its table that answered a check
	"$program" status "$1.sock" --json >status.json 2>/dev/null && json_value live status.json
}
has_live() { # name, how many at least
	local n
	n=$(live "$1") && [ "${n:-0}" -ge "$2" ]
}
rows() { # how many nodes the database has
	"$program" export --what book --db node.db --format jsonl | grep -c '"tried":true'
}

here=127.0.0.1:0

run 0 node ethereum --no-default-bootstrap --listen "$here" --duration 100ms &&
	[ "$(grep -c -- 'what it knows is for this time alone; --db FILE keeps it' err)" -eq 1 ]
result "without --db it says once that what it knows is for this time alone" $?

simulate ethereum --peers 60 --ghosts 20 --seed 3 --latency 5ms --liars 0 || exit 1
boots=()
while read -r seed; do boots+=(--bootstrap "$seed"); done <seeds.txt
node first --listen "$here" --db node.db --key node.key "${boots[@]}"
! grep -q 'this time alone' first.err && within has_live first 20
result "a node gets to know the others" $?
found=$(live first)
stop first TERM 143 && [ "$(rows)" -ge 20 ]
result "and has them in its database in the end" $?

# Nobody to begin with, but whom it knew.
node second --listen "$here" --db node.db --key node.key
within has_live second $((found * 3 / 4))
result "a restart keeps the table" $?

"$program" node ethereum --no-default-bootstrap --listen "$here" --db node.db --duration 1s >out 2>err
[ $? -eq 1 ] && grep -q 'a node of that network keeps its addresses there' err && grep -q -- '--db' err
result "no two nodes keep one book" $?
run 0 node hoodi --no-default-bootstrap --listen "$here" --db node.db --duration 100ms
result "but those of two networks keep two in one file" $?

sleep 1 # what is a second old is on the disk
kill -9 "$pid"
wait "$pid" 2>/dev/null
kept=$(rows)
[ "$kept" -ge 20 ]
result "kill -9 leaves a sound database" $?
node third --listen "$here" --db node.db --key node.key
within has_live third $((found * 3 / 4))
result "and the table is there again" $?
stop third INT 130
result "as before" $?

end_simulation TERM
node alone --listen "$here" --db node.db --key node.key
within has_live alone 0 && sleep 1 && stop alone TERM 143 && [ "$(rows)" -ge "$kept" ]
result "while nobody answers nobody is forgotten" $?

# --- where it is, and the number of its record ---
node anywhere --listen 0.0.0.0:0 --db self.db --key self.key --json
there=$(sed -n 's/.*"enode":"\([^"]*\)".*/\1/p' anywhere.out | head -n 1)
port=${there##*:}
anywhere=$pid
for i in $(seq 2 11); do
	"$program" node ethereum --no-default-bootstrap --listen "127.0.0.$i:0" --bootstrap "$there" \
		>/dev/null 2>&1 </dev/null &
done
within grep -q '"event":"moved"' anywhere.out
result "ten hosts tell a node where it is" $?
sleep 1
kill -9 "$anywhere"
wait "$anywhere" 2>/dev/null
before=$(sed -n 's/.*"seq":\([0-9]*\),.*/\1/p' anywhere.out | tail -n 1)
run 0 node ethereum --no-default-bootstrap --listen "0.0.0.0:$port" --db self.db --key self.key --json \
	--duration 100ms && head -n 1 out | grep -q "@127.0.0.1:$port\",.*\"address_known\":true"
result "after kill -9 it says so from the first moment" $?
after=$(sed -n 's/.*"seq":\([0-9]*\),.*/\1/p' out | head -n 1)
[ "${after:-0}" -gt "${before:-1}" ]
result "in a record of a higher number" $?
run 0 node ethereum --no-default-bootstrap --listen 0.0.0.0:0 --db self.db --key self.key --json \
	--duration 100ms && head -n 1 out | grep -q '"address_known":false'
result "but not at another port" $?

# --- databases that can't be used ---
run 1 node ethereum --listen "$here" --db missing/node.db --duration 1s && grep -q 'mkdir' err
result "a missing folder" $?
echo "no database" >text.db
run 1 node ethereum --listen "$here" --db text.db --duration 1s && grep -q 'left as it is' err &&
	[ "$(cat text.db)" = "no database" ]
result "a file of others is left alone" $?
finish 16
