#!/bin/bash
# test_sandbox.sh: who meets strangers is confined while it runs, and does all the same what it is
# for. What a confined process can't do is tests/unit/test_confine.c's.
#
#     tests/e2e/test_sandbox.sh PROGRAM SOURCE BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

"$program" decode bitcoin -v 00 >out 2>err
if grep -q 'not confined: this program is built for' err; then
	echo "skipped: $(grep -o 'built for.*' err), and not confined"
	exit 77
fi
if ! grep -q 'by Landlock' err || ! grep -q 'by seccomp' err; then
	echo "skipped: this kernel does not have it all: $(cat err)"
	exit 77
fi

pids=()
is() { # process, what /proc says of it
	grep -qE "^$2\$" "/proc/$1/status"
}
no_core() {
	grep -qE '^Max core file size +0 +0 ' "/proc/$1/limits"
}
# The process has gone through what confines it, in each of its threads.
confined() { # process
	local task
	is "$1" $'NoNewPrivs:\t1' && is "$1" $'Seccomp:\t2' || return 1
	for task in "/proc/$1/task"/*/status; do
		grep -q $'^Seccomp:\t2$' "$task" || return 1
	done
}

# --- each that goes on for a while, as it runs ---

"$program" node gossip --listen 127.0.0.1:0 --no-default-bootstrap --db gossip.db --status st \
	--log node.log --log-level debug --metrics 127.0.0.1:0 >node.out 2>err </dev/null &
pids+=($!)
check "a peer of a group is ready" within grep -sq '\bready\b' node.log
check "it is confined" confined "${pids[0]}"
check "and leaves no core" no_core "${pids[0]}"
check "it says so in its log" grep -q 'confined: files and ports by Landlock' node.log
place=$(sed -n 's/^listen *//p' node.out | head -n 1)
url=gossip://$place

"$program" node ethereum --listen 127.0.0.1:0 --no-default-bootstrap --key keys/node.key \
	>eth.out 2>err </dev/null &
wait $!
check "a key can't be made where there is no folder" [ $? -eq 1 ]
mkdir keys
rm eth.out
"$program" node ethereum --listen 127.0.0.1:0 --no-default-bootstrap --key keys/node.key \
	>eth.out 2>err </dev/null &
pids+=($!)
check "a node of Ethereum is up" within grep -qF enode:// eth.out
check "and confined" confined "${pids[1]}"
check "without a core" no_core "${pids[1]}"
check "its key is for its owner alone" [ "$(stat -c %a keys/node.key)" = 600 ]
enode=$(grep -oE 'enode://[^ ]+' eth.out | head -n 1)

"$program" crawl gossip --no-default-seeds --seed "$place" --allow-private --every 1s --db watch.db \
	--log watch.log --metrics 127.0.0.1:0 --threads 2 --adverts >watch.out 2>err </dev/null &
pids+=($!)
check "a crawl that watches has a round" within grep -sq '\bround\b' watch.log
check "it is confined" confined "${pids[2]}"
check "and leaves no core" no_core "${pids[2]}"
mv watch.log watch.log.1
kill -HUP "${pids[2]}"
check "its log can be rotated" within grep -sq '\bround\b' watch.log

"$program" serve --db watch.db --listen 127.0.0.1:0 --log serve.log >serve.out 2>err </dev/null &
pids+=($!)
check "serve is up" within grep -qE '127\.0\.0\.1:[0-9]+' serve.out
check "and confined" confined "${pids[3]}"

"$program" listen "$url" >listen.out 2>err </dev/null &
pids+=($!)
check "listen hears something" within test -s listen.out
check "and is confined" confined "${pids[4]}"
check "without a core" no_core "${pids[4]}"

"$program" ping "$url" --count 1000 --interval 1s >ping.out 2>err </dev/null &
pids+=($!)
check "ping is confined, too" within confined "${pids[5]}"
mkfifo bytes
"$program" decode gossip - <bytes >decode.out 2>err &
pids+=($!)
exec 7>bytes
check "as decode is" within confined "${pids[6]}"
exec 7>&-

# Where it listens at an address of its own it dials from there. That port is free, or another one.
for _ in 1 2 3; do
	"$program" node gossip --listen "127.9.8.7:$((20000 + RANDOM % 10000))" \
		--bootstrap "$place" >from.out 2>err </dev/null &
	pids[7]=$!
	within grep -qE '^(up|down) ' from.out && break
done
check "a node dials from the address at which it listens" grep -q '^up .* out' from.out

# --- what needs no time ---

says() { # arguments: it tells that it is confined, and does what it is for
	"$program" "$@" -v >out 2>err && grep -q '^peerwalk: confined: .*Landlock.*seccomp' err
}
check "status" says status st
check "ping" says ping "$url" --count 1
check "ping, by name" says ping "gossip://localhost:${place##*:}" --count 1
check "peers" says peers "$url"
check "ping of a node" says ping "$enode"
check "report" says report --db watch.db
check "report --html" says report --db watch.db --html page.html
check "which is there" [ -s page.html ]
check "diff" says diff --db watch.db
check "export" says export --db watch.db --output rows.csv
check "which replaces what was there" says export --db watch.db --output rows.csv
check "key" says key made.key
check "enr" says enr "$(grep -oE 'enr:[^ ]+' eth.out | head -n 1)"
check "a crawl" says crawl gossip --no-default-seeds --seed "$place" --allow-private --db one.db
mkdir far
ln -s far/real.db near.db
check "a database behind a link" says crawl gossip --no-default-seeds --seed "$place" \
	--allow-private --db near.db
check "which stays one" [ -s far/real.db ]
if [ "$(id -u)" != 0 ]; then
	chmod a-w far
	check "a database that is only to be read" says report --db far/real.db
	chmod u+w far
fi

# --- what may be left out ---

"$program" decode gossip --no-sandbox -v - </dev/null >out 2>err
check "--no-sandbox is told" grep -q 'not confined: --no-sandbox' err
"$program" node gossip --no-sandbox --listen 127.0.0.1:0 --no-default-bootstrap >free.out 2>err </dev/null &
pids+=($!)
within grep -q '^listen' free.out
check "and leaves a debugger in" is "${pids[8]}" $'Seccomp:\t0'
PEERWALK_NO_SANDBOX=yes "$program" report --db watch.db -v >out 2>err
check "it is a setting as others are" grep -q 'not confined: --no-sandbox' err

# A container without these calls: who refuses them says EPERM, an old kernel ENOSYS.
if command -v python3 >/dev/null; then
	for error in 1 38; do
		python3 "$source_dir/tests/e2e/without_calls.py" $error "$program" report --db watch.db -v \
			>out 2>err
		check "it goes on where the kernel answers $error" [ $? -eq 0 ]
		check "and says so" grep -q 'no Landlock.*no seccomp' err
	done
fi

finish 40
