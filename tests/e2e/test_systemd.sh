#!/bin/bash
# test_systemd.sh: the unit of the service: that systemd can read it, how much it leaves open, and
# that nodes run with the system calls, the sockets and the memory that it leaves them.
#
#     tests/e2e/test_systemd.sh PROGRAM SOURCE BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
folder=$source_dir/tests/e2e

command -v systemd-analyze >/dev/null || {
	echo "skipped: there is no systemd-analyze (Debian's package systemd)"
	exit 77
}

# --- the unit, as it is installed ---

DESTDIR=$dir/stage cmake --install "$build" --prefix "$dir/usr" >out 2>&1
result "it is installed" $?
units=$dir/stage$dir/usr/lib/systemd/system
unit="$units/peerwalk-node@.service"
check "where systemd looks for it" [ -s "$unit" ]
check "it starts the program that was installed" grep -q "^ExecStart=$dir/usr/bin/peerwalk node %i$" "$unit"
check "nothing is left to be filled in" [ -z "$(grep @PEERWALK "$unit")" ]
check "the logrotate snippet is there" [ -s "$(find stage -name peerwalk.logrotate)" ]

mv "stage$dir/usr" usr
units=$dir/usr/lib/systemd/system
unit="$units/peerwalk-node@.service"
check "and the one that watches starts it, too" \
	grep -q "^ExecStart=$dir/usr/bin/peerwalk crawl %i$" "$units/peerwalk-watch@.service"
SYSTEMD_UNIT_PATH=$units: systemd-analyze verify --man=no peerwalk-watch@bitcoin.service >out 2>&1 &&
	! grep -q 'peerwalk-watch' out
result "systemd reads that one" $?
for network in bitcoin gossip ethereum; do
	SYSTEMD_UNIT_PATH=$units: systemd-analyze verify --man=no "peerwalk-node@$network.service" >out 2>&1 &&
		! grep -q 'peerwalk-node' out
	result "systemd reads the unit of $network" $?
done
sed 's/^NoNewPrivileges=.*/NoNewPrivileges=perhaps/' "$unit" >"peerwalk-broken@.service"
SYSTEMD_UNIT_PATH=$dir: systemd-analyze verify --man=no "peerwalk-broken@bitcoin.service" >out 2>&1
grep -q 'peerwalk-broken' out
result "it would see a mistake" $?

# 0 is closed, 10 is wide open; --offline came with version 250.
if systemd-analyze security --help 2>&1 | grep -q -- --offline; then
	for name in node watch; do
		cp "$units/peerwalk-$name@.service" "peerwalk-$name@bitcoin.service"
		systemd-analyze security --no-pager --offline=true --threshold=15 \
			"$dir/peerwalk-$name@bitcoin.service" >out 2>&1
		result "$name: no more than 1.5 of 10 is exposed" $?
		grep -o 'exposure level.*: [0-9.]*' out
	done
else
	echo "note: this systemd-analyze does not say how much is exposed"
fi

# --- under its filters ---

under() { # arguments of the program...
	python3 "$folder/under_unit.py" "$unit" "$program" "$@"
}
if grep -q __asan_init "$program" || grep -q __tsan_init "$program"; then
	echo "note: sanitizers need system calls of their own; not run under the filters"
	finish 10
	exit
fi
under --version >out 2>err
status=$?
if [ $status -eq 77 ]; then
	echo "note: $(cat err)"
	finish 10
	exit
fi
check "the program runs under the filters" [ $status -eq 0 ]
{ python3 "$folder/under_unit.py" "$unit" nice true; } 2>err
check "and what they don't have is fatal" [ $? -gt 128 ]
python3 "$folder/under_unit.py" "$unit" python3 -c 'import socket; socket.socket(socket.AF_NETLINK)' 2>err
check "as other sockets are refused" [ $? -eq 1 ]

# A node with all that it does: a key, a database, a log that is rotated, callers, status.
node() { # network, options...: to the end; status
	local network=$1 pid status
	mkdir -p "$network"
	: >"$network/log"
	# (Not by the function, whose shell would get the signals.)
	python3 "$folder/under_unit.py" "$unit" "$program" node "$network" --listen 127.0.0.1:0 --no-default-bootstrap --db "$network/db" \
		--status "$network/st" --log "$network/log" --log-level debug "${@:2}" \
		>"$network/out" 2>err </dev/null &
	pid=$!
	within grep -q '\bready\b' "$network/log" || return 1
	mv "$network/log" "$network/log.1"
	kill -HUP "$pid"
	within test -e "$network/log" || return 1
	"$program" status "$network/st" --peers >status.out 2>&1 || return 1
	# Somebody who calls, and stays for a while.
	call "$network" || return 1
	kill -TERM "$pid"
	wait "$pid"
	status=$?
	[ $status -eq 143 ] || echo "status $status" >>err
	[ $status -eq 143 ] && [ ! -e "$network/st" ]
}
call() {
	local url caller status
	url=$(grep -oE '(enode|gossip|bitcoin[a-z0-9-]*)://[^ ]+' "$1/out" | head -n 1)
	"$program" node "$1" --listen 127.0.0.1:0 --no-default-bootstrap "${private[@]}" --bootstrap "$url" \
		>call.out 2>&1 </dev/null &
	caller=$!
	within grep -qE '\b(bonded|up)\b' "$1/log"
	status=$?
	kill -TERM $caller
	wait $caller
	return $status
}
private=()
check "a node of Ethereum" node ethereum --key ethereum/node.key
check "that has met somebody" grep -q 'bonded' ethereum/log
check "a peer of a gossip group" node gossip
check "that has met somebody, too" grep -qE '\bup\b' gossip/log
private=(--allow-private)
check "a peer of Bitcoin's network" node bitcoin --allow-private
check "and that one" grep -qE '\bup\b' bitcoin/log

# A crawl that watches, under its own unit.
unit=$units/peerwalk-watch@.service
"$program" node bitcoin --listen 127.0.0.1:0 --no-default-bootstrap --allow-private >node.out 2>err </dev/null &
within grep -q '^listen' node.out
PEERWALK_EVERY=300ms python3 "$folder/under_unit.py" "$unit" "$program" crawl bitcoin --no-default-seeds \
	--seed "$(sed -n 's/^listen *//p' node.out | head -n 1)" --allow-private --db watch.db \
	--metrics 127.0.0.1:0 --timeout 200ms --duration 2s >out 2>err
check "a crawl that watches" [ $? -eq 0 ]
check "round after round" [ "$(sed -n 's/^ *rounds  *//p' out)" -ge 2 ]

finish 24
