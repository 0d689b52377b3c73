#!/bin/bash
# test_watch_down.sh: crawl --every while its own network is down: it says so, nobody is missed for it,
# and no session ends. While the others are down: they are.
#
#     tests/e2e/test_watch_down.sh PROGRAM SOURCES BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
in_own_namespaces

check "a line" line seed=1
exec_far "$program" simulate bitcoin --peers 60 --ghosts 5 --seed 4 --latency 5ms --liars 0 --device line \
	--range 10.0.0.0/8 --port 9000 --seeds-out seeds.txt >ready 2>err </dev/null &
simulator=$!
within grep -q '"ready":true' ready
"$program" crawl bitcoin --no-default-seeds --seeds seeds.txt --allow-private --connect-timeout 300ms \
	--timeout 1s --every 700ms --db w.db --json --log log >rounds 2>err </dev/null &
watching=$!
rounds() { [ "$(wc -l <rounds)" -ge "$1" ]; }
more() { within rounds $(($(wc -l <rounds) + $1)); }
heard_nobody() { # in so many rounds, at least
	[ "$(grep -c 'heard from nobody.*counts for no peer' log)" -ge "$1" ]
}
up() {
	ask w.db 'SELECT count(*), min(up_since_ms), max(misses) FROM watch WHERE up_since_ms IS NOT NULL'
}
is_as_before() {
	[ "$(up)" = "$(cat before)" ]
}
check "rounds" within rounds 3
up >before
check "many are up" [ "$(cut -d' ' -f1 before)" -gt 40 ]

# Packets get lost; then there is no route.
far ip link set line down
check "that nobody is heard is said" within heard_nobody 2
check "nobody is missed for it" is_as_before
ip link set line down
more 2
check "nor without a route" is_as_before
check "no session has ended" [ "$(ask w.db 'SELECT count(*) FROM sessions')" = 0 ]
check "the rounds are there" [ "$(ask w.db 'SELECT max(reached) FROM (SELECT reached FROM crawls
	WHERE ended_at_ms IS NOT NULL ORDER BY id DESC LIMIT 2)')" = 0 ]
ip link set line up
ip route add default dev line src 198.51.100.1 2>/dev/null
far bash -c 'ip link set line up && ip route add default dev line' 2>/dev/null
reaches() { tail -n 1 rounds | grep -qv '"reached":0,'; }
more 1
check "with a network all are reached again" within reaches
more 1
check "and have been up all the time" [ "$(up | cut -d' ' -f1,2)" = "$(cut -d' ' -f1,2 before)" ]
check "still no session has ended" [ "$(ask w.db 'SELECT count(*) FROM sessions')" = 0 ]
said=$(grep -c 'heard from nobody' log)

# It is theirs now: refused, which somebody has to say.
kill -KILL $simulator
wait $simulator 2>/dev/null
gone() { [ "$(ask w.db 'SELECT count(*) FROM watch WHERE up_since_ms IS NOT NULL')" = 0 ]; }
check "where all of them are gone, that is seen" within gone
check "and not taken for something else" [ "$(grep -c 'heard from nobody' log)" = "$said" ]
kill -TERM $watching
wait $watching
check "it ends as ever" [ $? -eq 143 ]
check "no session ended before it began" [ "$(ask w.db 'SELECT count(*) > 40, min(to_ms >= from_ms) FROM sessions')" = '1 1' ]
end_line
finish 15
