#!/bin/bash
# test_disk_full.sh: disks that are full, in a mount namespace of its own: what each subcommand says,
# that what was committed stays, and that it goes on once there is room.
#
#     tests/e2e/test_disk_full.sh PROGRAM SOURCES BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
in_own_namespaces
ip link set lo up

simulate bitcoin --peers 300 --ghosts 20 --liars 0 --latency 5ms --seed 9 || exit 1
# Nobody here is silent once he is connected: the longer wait is for a busy machine alone.
how+=(--connect-timeout 200ms --timeout 4s)

# --- a crawl

disk 300
run 1 crawl bitcoin "${how[@]}" --rate 400/s --db disk/x.db
result "crawl: a full disk ends it with 1" $?
says_full crawl
check "crawl: what was committed is sound" is_sound disk/x.db
ask disk/x.db 'SELECT peer_id, started_at_ms FROM visits WHERE outcome <> 3' | sort >before
check "crawl: and can be read on the full disk" run 0 report --db disk/x.db
run 1 crawl bitcoin "${how[@]}" --db disk/x.db --resume
result "crawl: nor does it go on there" $?
says_full "crawl --resume"
grow
check "crawl: with room it goes on" run 0 crawl bitcoin "${how[@]}" --db disk/x.db --resume
check "crawl: and finds everybody" run 0 score --db disk/x.db --truth truth.csv --min-recall 1
ask disk/x.db 'SELECT peer_id, started_at_ms FROM visits' | sort >after
check "crawl: there was something before" [ -s before ]
check "crawl: of which nothing is lost" [ -z "$(comm -23 before after)" ]
check "crawl: it is sound" is_sound disk/x.db

# --- a quota that the log alone meets: it stands on another disk

disk 32768
mkdir -p small
mount -t tmpfs -o size=200k none small
touch small/log disk/x.db-wal
mount --bind small/log disk/x.db-wal
run 1 crawl bitcoin "${how[@]}" --db disk/x.db
result "log: where it has no room a crawl ends with 1" $?
says_full log
mount -o remount,size=32m small
check "log: with room it goes on" run 0 crawl bitcoin "${how[@]}" --db disk/x.db --resume
check "log: and finds everybody" run 0 score --db disk/x.db --truth truth.csv --min-recall 1
umount disk/x.db-wal small

# --- the shared memory beside it can't be made

disk 32768
mkdir disk/x.db-shm
run 1 crawl bitcoin "${how[@]}" --db disk/x.db
result "shared memory: a crawl ends with 1" $?
check "shared memory: and says which database" grep -q 'disk/x.db: ' err
rmdir disk/x.db-shm
check "shared memory: without that folder it is well" run 0 crawl bitcoin "${how[@]}" --db disk/x.db

# --- what is written beside a database

disk 32768
check "a database elsewhere" run 0 crawl bitcoin "${how[@]}" --db x.db
leave 4
beside() { # name, file, arguments...: status 1, what and the remedy, no file
	run 1 "${@:3}" && grep -q "cannot write .*$2: No space left on device; make room" err &&
		[ ! -e "$2" ] && [ ! -e "$2.new" ]
	result "$1: a full disk ends it with 1, says so, and leaves nothing" $?
}
beside "report --html" disk/page.html report --db x.db --html disk/page.html
beside "export --output" disk/visits.csv export --what visits --db x.db --output disk/visits.csv
echo old >disk/old.csv
run 1 export --what visits --db x.db --output disk/old.csv && [ "$(cat disk/old.csv)" = old ]
result "export --output: what was there stays" $?
leave 0
beside key disk/key key disk/key
beside "node --key" disk/key node ethereum --no-default-bootstrap --listen 127.0.0.1:0 --key disk/key \
	--duration 1s
"$program" report --db x.db >/dev/full 2>err
[ $? -eq 1 ] && grep -q 'No space left on device' err
result "report: a full stdout ends it with 1, and says so" $?

# --- an older database

python3 - "$source_dir/tests/unit/schema3.sql" old.db <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[2])
db.executescript(open(sys.argv[1]).read())
db.executemany('INSERT INTO networks(name) VALUES (?)', [('n%d' % i + 'x' * 1000,) for i in range(300)])
db.commit()
PY
grow
cp old.db disk/old.db
leave 8
run 1 crawl bitcoin "${how[@]}" --db disk/old.db
result "migration: a full disk ends it with 1" $?
says_full migration
TMPDIR=$dir/disk run 1 report --db old.db
result "an old database, and no room for its copy: ends with 1" $?
says_full "copy"
check "copy: says which disk" grep -q TMPDIR err
grow
check "migration: the old one is as it was" [ "$(ask disk/old.db 'PRAGMA user_version')" = 3 ]
check "migration: with room it is done" run 0 crawl bitcoin "${how[@]}" --db disk/old.db
check "migration: to the newest" [ "$(ask disk/old.db 'PRAGMA user_version')" -gt 3 ]

umount disk
finish 33
