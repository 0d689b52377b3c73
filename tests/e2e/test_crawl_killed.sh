#!/bin/bash
# test_crawl_killed.sh: crawls that are killed and go on, one process at a time; Ctrl-C and SIGTERM.
#
#     tests/e2e/test_crawl_killed.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

simulate bitcoin --peers 500 --ghosts 300 --liars 10% --latency 20ms --seed 7 --duration 9m ||
	exit 1

# Silence is waited for half a second: real enough, and the test stays short.
how=(--no-default-seeds --allow-private --connect-timeout 500ms --timeout 4s)
crawl() {
	"$program" crawl bitcoin "${how[@]}" "$@"
}
# The same in the background: $! is the program itself, and Ctrl-C reaches it.
crawl_behind() {
	(
		trap - INT
		exec "$program" crawl bitcoin "${how[@]}" "$@" >out 2>err
	) &
}
# Everything that is kept of each visit, without the peers' current state.
visits() {
	"$program" export --what visits --format csv --db "$1" 2>err
}
visited() {
	visits "$1" | awk -F, '
		NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
		{ print $column["peer"], $column["started_at"], $column["outcome"] }' | sort
}
has_visited() { # database, so many at least
	[ -s "$1" ] && [ "$(visited "$1" | wc -l)" -ge "$2" ]
}

# --- kill -9, again and again, then on to the end
crawl_behind --seeds seeds.txt --db kill.db --rate 400/s
# A busy machine needs a while for the first commit.
within has_visited kill.db 1
for round in 1 2 3 4 5 6; do
	sleep "0.$((RANDOM % 5 + 4))"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	visited kill.db >before.$round
	crawl_behind --resume --db kill.db --rate 400/s
done
wait $!
check "the last --resume ends with 0" test $? -eq 0
check "after kill -9 and --resume, recall is 1" recall_is_1 kill.db
visited kill.db >after
for round in 1 2 3 4 5 6; do
	# A first connect timeout may be replaced by its late retry; nothing else may change.
	grep -v connect_timeout before.$round | comm -23 - after >lost
	check "nothing committed before kill $round is lost or done twice" test ! -s lost
done
check "something was committed before the last kill" test -s before.6
check "there is nothing left to resume" bash -c '! "$0" crawl bitcoin --resume --no-default-seeds --db kill.db >out 2>err' "$program"
check "and it says so" grep -q "no unfinished crawl" err

# --- one crawl belongs to one process
crawl_behind --seeds seeds.txt --db one.db --rate 50/s
within has_visited one.db 1
crawl --resume --db one.db >out.2 2>err.2
check "a crawl that is going on can't be resumed: 1" test $? -eq 1
check "and it says why" grep -q "another process" err.2
kill -9 $!
wait $! 2>/dev/null
crawl --resume --db one.db >out 2>err
check "its process gone, it can" test $? -eq 0

# --- Ctrl-C and SIGTERM
for signal in INT:130 TERM:143; do
	crawl_behind --seeds seeds.txt --db "${signal%:*}.db" --rate 100/s
	within has_visited "${signal%:*}.db" 11
	kill -"${signal%:*}" $!
	wait $!
	check "SIG${signal%:*} ends with ${signal#*:}" test $? -eq "${signal#*:}"
	check "with a summary" grep -q reached out
	check "and the way to go on" grep -q -- --resume err
	counted=$(awk '$1 == "visited" { gsub(/[,;]/, "", $2); print $2 }' out)
	check "who was cut short does not count as visited" test "$(grep -c cancelled out)" = 0
	kept=$(visited "${signal%:*}.db" | wc -l)
	check "and keeps what was learnt" test "$kept" -gt 10
	# (A first try in vain is kept, and counts once the late retry has ended.)
	check "all that it counted" test "$kept" -ge "$counted"
done
crawl --resume --db INT.db >out 2>err
check "--resume after Ctrl-C ends with 0" test $? -eq 0
check "and finds everybody" recall_is_1 INT.db

finish 25
