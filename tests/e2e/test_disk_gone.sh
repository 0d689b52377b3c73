#!/bin/bash
# test_disk_gone.sh: what runs for long, and a disk that is full then, read-only, or gone, in a mount
# namespace of its own: it says so, what was committed stays, and it goes on once there is room.
#
#     tests/e2e/test_disk_gone.sh PROGRAM SOURCES BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
in_own_namespaces
ip link set lo up

simulate bitcoin --peers 300 --ghosts 20 --liars 0 --latency 5ms --seed 9 || exit 1
# Nobody here is silent once he is connected: the longer wait is for a busy machine alone.
how+=(--connect-timeout 200ms --timeout 4s)

# --- a network that is watched

disk 450
run 1 crawl bitcoin "${how[@]}" --every 300ms --keep 1s --duration 20s --db disk/w.db
result "watch: a full disk ends it with 1" $?
says_full watch
check "watch: it is sound" is_sound disk/w.db
rounds=$(ask disk/w.db 'SELECT count(*) FROM crawls')
grow
check "watch: with room it goes on" run 0 crawl bitcoin "${how[@]}" --every 300ms --keep 1s \
	--duration 2s --db disk/w.db
check "watch: with the next rounds" [ "$(ask disk/w.db 'SELECT count(*) FROM crawls')" -gt "$rounds" ]
check "watch: no session ends before it began" \
	[ "$(ask disk/w.db 'SELECT count(*) FROM sessions WHERE from_ms > to_ms')" = 0 ]
check "watch: it is sound again" is_sound disk/w.db

# --- nodes with a book

disk 32768
peer=$(head -n 1 seeds.txt)
node() { # network, options...: in the background; pid
	rm -f node.out
	"$program" node "$1" --no-default-bootstrap --listen 127.0.0.1:0 --db "disk/$1.db" "${@:2}" \
		>node.out 2>node.err </dev/null &
	pid=$!
	within test -s node.out
}
known() { # more than so many
	[ "$(ask disk/bitcoin.db 'SELECT count(*) FROM book' 2>/dev/null | tail -n 1)" -gt "$1" ]
}
leave 0
run 1 node bitcoin --no-default-bootstrap --listen 127.0.0.1:0 --db disk/new.db --duration 1s
result "node: without room for a database it ends with 1" $?
says_full "node, a new database"
grow
check "node: with room it runs" node bitcoin --allow-private
leave 0
"$program" ping "$(awk '/^listen/ { print $2 }' node.out)" >out 2>err
"$program" node bitcoin --no-default-bootstrap --listen 127.0.0.9:0 --allow-private --duration 3s \
	--bootstrap "$(awk '/^listen/ { print $2 }' node.out)" --bootstrap "$peer" >out 2>err </dev/null &
check "node: that the disk is full is said at once" within grep -q 'disk is full' node.err
sleep 0.3
check "node: but it goes on" kill -0 $pid
kill -TERM $pid
wait $pid
check "node: its end is an exit status of 1" [ $? -eq 1 ]
says_full node node.err
grow
check "node: with room it begins again" node bitcoin --allow-private --bootstrap "$peer"
check "node: and learns" within known 20
kill -TERM $pid
wait $pid
check "node: it ends as it should" [ $? -eq 143 ]
check "node: the book is sound" is_sound disk/bitcoin.db

# --- read-only, and gone

visits() { # database: some are there
	[ "$(ask "disk/$1.db" 'SELECT count(*) FROM visits' 2>/dev/null | tail -n 1)" -gt 20 ] 2>/dev/null
}
crawl_behind() { # database
	"$program" crawl bitcoin "${how[@]}" --rate 100/s --db "disk/$1.db" >out 2>err </dev/null &
	pid=$!
	within visits "$1"
}
disk 32768
check "a crawl to be moved away" crawl_behind here
mv disk/here.db disk/there.db
wait $pid
check "moved away: ends it with 1" [ $? -eq 1 ]
check "moved away: says so" grep -q 'here.db: the file was moved or removed' err
check "a crawl to be removed" crawl_behind gone
rm -rf disk/*
wait $pid
check "removed: ends it with 1" [ $? -eq 1 ]
check "removed: says so" grep -q 'gone.db: the file was moved or removed' err
check "a crawl to be locked" crawl_behind fixed
kill -STOP $pid # nothing may be open for writing for that
kill -KILL $pid
wait $pid 2>/dev/null
mount -o remount,ro disk
run 1 crawl bitcoin "${how[@]}" --db disk/fixed.db --resume
check "read-only: ends with 1" [ $? -eq 0 ]
check "read-only: says so, and what to do" grep -q 'read-only.*--db' err
check "read-only: so does a new one" run 1 crawl bitcoin "${how[@]}" --db disk/new.db
check "read-only: a key" run 1 key disk/key
check "read-only: says so" grep -q 'Read-only file system; choose a folder' err
mount -o remount,rw disk
check "read-only: no more, it goes on" run 0 crawl bitcoin "${how[@]}" --db disk/fixed.db --resume
check "read-only: it is sound" is_sound disk/fixed.db

umount disk
finish 30
