#!/bin/bash
# lib.sh: what the scripts beside it share. They source it first, with the arguments they got:
# the program, the folder of the sources, the folder of the build.
#
# It moves to a scratch folder (dir), which is removed at the end, after everything that the
# script has left running. Checks are counted (check, result, finish); what they look at are
# the files out and err, and these are shown when one fails.
# shellcheck disable=SC2034 # some of the variables are for the scripts

program=$(realpath -- "$1")
source_dir=${2:+$(realpath -- "$2")}
build=${3:+$(realpath -- "$3")}
passed=0
failed=0
dir=$(mktemp -d)
clean_up() {
	# Those that still run: others have the numbers of those that have ended.
	local left
	mapfile -t left < <(jobs -pr)
	[ ${#left[@]} -eq 0 ] || kill "${left[@]}" 2>/dev/null
	wait
	rm -rf "$dir"
}
trap clean_up EXIT
cd "$dir" || exit 1
unset "${!PEERWALK_@}"

# Against the truth of simulate: everybody who can be reached is there, and nobody who is none.
recall_is_1() { # database
	"$program" score --truth truth.csv --db "$1" --min-recall 1 --json >score 2>err &&
		grep -q '"false_ok": 0' score
}

# --- namespaces ---

# Starts the script anew in user, mount and network namespaces of its own, or skips it.
in_own_namespaces() {
	[ -z "${E2E_OWN:-}" ] || return 0
	if ! unshare -Urnm true 2>/dev/null || ! command -v ip >/dev/null; then
		echo "user namespaces are not allowed here, or there is no \`ip\`: skipped"
		exit 77
	fi
	rm -rf "$dir"
	cd / && E2E_OWN=1 exec unshare -Urnm bash "$source_dir/tests/e2e/$(basename "$0")" "$program" \
		"$source_dir" "$build"
}

is_sanitized() {
	grep -qE '__[at]san_init' "$program"
}

# A lossy line (tests/relay/relay.c) from here, a network namespace of our own, to a far one, with
# those settings. Here is 198.51.100.1 and 2600:9::9; there all of 10.0.0.0/8 and fd00::/8 is.
relay=
line() { # settings...
	rm -f line.out
	"$build/tests/relay/relay" "$@" >line.out 2>err &
	relay=$!
	if ! within grep -q '^ready' line.out; then
		cat err
		echo "there is no TUN device: skipped"
		exit 77
	fi
	ip link set lo up
	ip addr add 198.51.100.1/32 dev line
	ip -6 addr add 2600:9::9/128 dev line nodad
	ip link set line up
	ip route add default dev line src 198.51.100.1
	ip -6 route add default dev line src 2600:9::9
	far bash -c 'ip link set lo up && ip link set line up && ip route add default dev line &&
		ip -6 route add default dev line && ip route add local 10.0.0.0/8 dev lo &&
		ip -6 route add local fd00::/8 dev lo && echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind'
}
far() {
	nsenter --net="/proc/$relay/ns/net" "$@"
}
# In the background, so that $! is the program itself.
exec_far() {
	exec nsenter --net="/proc/$relay/ns/net" "$@"
}
# What it did is in line.out.
end_line() {
	kill -TERM "$relay"
	wait "$relay"
}

# --- checks ---

result() { # name, status
	local file
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAILED: $1"
	for file in out err; do
		[ ! -f "$dir/$file" ] || sed "s/^/    $file: /" "$dir/$file" | head -n 30
	done
}

check() { # name, then a command that has to succeed
	"${@:2}" >/dev/null
	result "$1" $?
}

# The last command of a script: how it went. Fewer checks than expected mean that part of the
# script did not run.
finish() { # the fewest checks that there are
	echo "$passed checks passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -ge "$1" ]
}

# --- databases, by another program's SQLite ---

ask() { # database, SQL: each row a line
	python3 -c 'import sqlite3, sys
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True, timeout=20)
for row in db.execute(sys.argv[2]): print(*row)' "$1" "$2" 2>&1
}

# --- clocks ---

# Milliseconds by which the clocks of those programs are off that `clocked` runs.
jump() { # wall, monotonic
	[ -e clock-shift ] || head -c 16 /dev/zero >clock-shift
	python3 -c 'import struct, sys
with open("clock-shift", "r+b") as f: f.write(struct.pack("=qq", *map(int, sys.argv[1:])))' "$1" "$2"
}
clocked() { # arguments...: in the background; pid
	rm -f clocked.out
	LD_PRELOAD=$build/tests/relay/libclock.so CLOCK_SHIFT=$dir/clock-shift \
		ASAN_OPTIONS=verify_asan_link_order=0 "$program" "$@" >clocked.out 2>clocked.err </dev/null &
	pid=$!
}
needs_clocks() {
	jump 0 0
	if grep -q __tsan_init "$program"; then
		echo "ThreadSanitizer has to see the waits of threads itself: skipped"
		exit 77
	fi
}

# --- disks, in a mount namespace of our own ---

# A disk of so many KiB at ./disk; what was there is gone.
disk() { # KiB
	umount disk 2>/dev/null
	mkdir -p disk
	mount -t tmpfs -o size="$1k" none disk
}
grow() {
	rm -f disk/ballast
	mount -o remount,size=32m disk
}
# Takes all room but so many KiB.
leave() { # KiB
	rm -f disk/ballast
	local free
	free=$(df --output=avail -k disk | tail -n 1)
	head -c $(((free - $1) * 1024)) /dev/zero >disk/ballast
}
is_sound() { # database
	[ "$(ask "$1" 'PRAGMA integrity_check')" = ok ] || { ask "$1" 'PRAGMA integrity_check' && false; }
}
# One line, with what is wrong and what to do.
says_full() { # name, file (default: err)
	grep -q 'disk is full.*make room' "${2:-err}"
	result "$1: says that the disk is full, and what to do" $?
}

# --- the program ---

run() { # expected status, arguments...
	local expected=$1 status
	shift
	"$program" "$@" >out 2>err </dev/null
	status=$?
	[ $status -eq "$expected" ] && return
	echo "status $status instead of $expected: $*" >&2
	return 1
}

# name, expected status, text that stdout has to contain, arguments...; stdin is ./in
prints() {
	local status
	"$program" "${@:4}" >out 2>err <in
	status=$?
	[ $status -eq "$2" ] && grep -qF -- "$3" out
	result "$1 (status $status, expected $2 and: $3)" $?
}

# name, expected status, text that stderr has to contain, arguments...; stdin is ./in
complains() {
	local status
	"$program" "${@:4}" >out 2>err <in
	status=$?
	[ $status -eq "$2" ] && grep -qF -- "$3" err
	result "$1 (status $status, expected $2 and: $3)" $?
}

# Waits up to 20 s for a command to succeed.
within() {
	for _ in $(seq 200); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

is_json_lines() { # file, lines (default: any number)
	[ $# -eq 1 ] || [ "$(wc -l <"$1")" -eq "$2" ] || return 1
	command -v python3 >/dev/null || return 0
	python3 -c 'import json, sys; [json.loads(line) for line in open(sys.argv[1])]' "$1"
}

json_value() { # key, file: the first such number or word in a JSON document
	sed -n "s/.*\"$1\": *\"\{0,1\}\([0-9a-zA-Z.]*\).*/\1/p" "$2" | head -n 1
}

# --- simulated networks ---

simulator=
ready_or_gone() {
	grep -q '"ready":true' simulator.out || ! kill -0 "$simulator" 2>/dev/null
}

# Starts one and waits until it is ready: `simulator` is its process, `port` its first port,
# its lines are in simulator.out, who is there in truth.csv and seeds.txt. Other tests may
# run beside this one: a port that is taken is no failure.
simulate() { # network, options...
	for _ in 0 1 2 3 4 5 6 7 8 9; do
		port=$((10000 + RANDOM % 4400 * 5))
		# Before it is there, the file has what the last one said.
		: >simulator.out
		"$program" simulate "$1" --port "$port" --truth truth.csv --seeds-out seeds.txt \
			"${@:2}" >simulator.out 2>err </dev/null &
		simulator=$!
		within ready_or_gone && grep -q '"ready":true' simulator.out && return 0
		end_simulation TERM 2>/dev/null
		grep -q 'is taken' err || break
	done
	echo "cannot start the simulator"
	cat err
	return 1
}

# `status` is its exit status.
end_simulation() { # signal
	kill -"$1" "$simulator"
	wait "$simulator"
	status=$?
	simulator=
}

peer_of() { # kind, number (default: the first)
	awk -F, -v kind="$1" -v n="${2:-1}" '$4 == kind && ++seen == n { print $1; exit }' truth.csv
}

# --- what a crawl leaves ---

how=(--no-default-seeds --seeds seeds.txt --allow-private)
crawl() { # network, options...
	"$program" crawl "$1" "${how[@]}" "${@:2}"
}

rows() { # file
	tail -n +2 "$1" | wc -l
}

has_visits() { # database, more than so many
	"$program" export --db "$1" --what visits >before.csv 2>err && [ "$(rows before.csv)" -gt "$2" ]
}

# A crawl that is killed as soon as it has made some visits, and the one that goes on from there.
killed_and_resumed() { # network, rate, visits until then, visits in all
	local victim again seconds visited before
	# (Not by the function, whose shell would be killed instead.)
	"$program" crawl "$1" "${how[@]}" --quiet --db killed.db --rate "$2" >out 2>err &
	victim=$!
	within has_visits killed.db "$3"
	kill -KILL "$victim"
	wait "$victim" 2>/dev/null
	check "what a killed crawl left can be read" run 0 report --db killed.db
	check "and is said not to have ended" grep -q 'not ended' out
	check "there are visits" has_visits killed.db "$3"
	check "but not all" [ "$(rows before.csv)" -lt "$4" ]
	crawl "$1" --quiet --db killed.db --resume >out 2>err
	check "--resume goes on" [ $? -eq 0 ]
	visited=$(sed -n 's/^ *visited  *\([0-9,]*\)$/\1/p' out | tr -d ,)
	before=$(sed -n 's/^ *\([0-9,]*\) of them in earlier runs.*/\1/p' out | tr -d ,)
	seconds=$(sed -n 's/^ *time  *\([0-9.]*\) s, .*/\1/p' out)
	check "says how many are of earlier runs" [ "${before:-0}" -gt 0 ]
	check "counts the visits a second of this run alone" awk -v s="$seconds" \
		-v n=$((visited - before)) '{ gsub(/,/, "") }
		$1 == "time" { seen = $4 > n / s * .9 && $4 < n / s * 1.1 } END { exit !seen }' out
	check "and finds everybody" run 0 score --db killed.db --truth truth.csv --min-recall 1
	"$program" export --db killed.db --what visits >after.csv 2>err
	check "in the same crawl" [ "$(cut -d, -f1 after.csv | sort -u | tr '\n' ' ')" = '1 crawl ' ]
	# Who was visited before the kill is not visited again, but for late retries.
	sort before.csv >before.sorted
	sort after.csv >after.sorted
	again=$(comm -23 before.sorted after.sorted | grep -cv connect_timeout)
	check "and asks nobody twice" [ "$again" = 0 ]
}

# Kills it so many times, and checks what kill.py looked at; `seed` is the seed of the moments.
kills() { # crawl, watch or node; how often
	local line
	# shellcheck disable=SC2154 # seed is of the script
	python3 "$source_dir/tests/e2e/kill.py" "$1" "$program" "$2" "$seed" >looked 2>err
	check "$1: it could look" [ $? -eq 0 ]
	cp looked out
	while IFS= read -r line; do
		case $line in
		ok\ *) check "$1: ${line#ok }" true ;;
		FAILED\ *) check "$1: ${line#FAILED }" false ;;
		*) echo "$line" ;;
		esac
	done <looked
}

# --- examples/chat.c ---

# Three of them that know one address find each other, and each hears the others.
chat_of_three() { # program, what it is (for the checks)
	local place name pids=()
	rm -f alice bob carol ./*.said
	mkfifo alice bob carol
	# They have a writer from the first moment on, and read to the end when we close it.
	exec 7<>alice 8<>bob 9<>carol
	"$1" alice 127.0.0.1:0 <alice >alice.said 2>&1 7>&- 8>&- 9>&- &
	pids+=($!)
	check "$2: says where it listens" within grep -q '^\* listening at 127\.0\.0\.1:' alice.said
	place=$(sed -n 's/^\* listening at //p' alice.said | head -n 1)
	for name in bob carol; do
		"$1" $name 127.0.0.1:0 "$place" <$name >$name.said 2>&1 7>&- 8>&- 9>&- &
		pids+=($!)
	done
	cp alice.said out
	check "$2: each finds the others" within chat_is_met
	check "$2: each hears the others" within chat_is_heard
	cat ./*.said >out
	check "$2: harmlessly" grep -qF 'carol: \x1b[2J "hello"' alice.said
	check "$2: and nothing else" [ "$(grep -c $'\033' out)" = 0 ]
	exec 9>&-
	wait "${pids[2]}"
	check "$2: ends with its input" [ $? -eq 0 ]
	check "$2: which the others see" within grep -q '^\* carol is gone' alice.said
	kill -KILL "${pids[1]}"
	wait "${pids[1]}" 2>/dev/null
	check "$2: and a kill, too" within grep -q '^\* bob is gone' alice.said
	exec 7>&- 8>&-
	wait "${pids[0]}"
	check "$2: ends alone" [ $? -eq 0 ]
}

chat_is_met() {
	grep -q '^\* bob is here' alice.said && grep -q '^\* carol is here' alice.said &&
		grep -q '^\* alice is here' bob.said && grep -q '^\* carol is here' bob.said &&
		grep -q '^\* alice is here' carol.said && grep -q '^\* bob is here' carol.said
}

# Said once more each time: when two have called each other, one of both connections goes, and
# what was on its way there.
chat_is_heard() {
	echo 'good morning' >&7
	echo 'grüezi' >&8
	printf '\033[2J "hello"\n' >&9
	sleep 0.2
	grep -q '^bob: grüezi$' alice.said && grep -q '^carol: .*hello' alice.said &&
		grep -q '^alice: good morning$' bob.said && grep -q '^carol: .*hello' bob.said &&
		grep -q '^alice: good morning$' carol.said && grep -q '^bob: grüezi$' carol.said
}
