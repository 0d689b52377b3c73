#!/bin/bash
# test_crawl.sh: crawl against a simulated network on loopback: what it finds, and whom it leaves
# alone; bad files. Beside it, what can go wrong: test_crawl_killed.sh, test_crawl_few.sh.
#
#     tests/e2e/test_crawl.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

simulate bitcoin --peers 800 --ghosts 600 --liars 10% --latency 20ms --seed 7 --duration 9m ||
	exit 1

# Silence is waited for half a second: real enough, and the test stays short.
how=(--no-default-seeds --allow-private --connect-timeout 500ms --timeout 4s)
crawl() {
	"$program" crawl bitcoin "${how[@]}" "$@"
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

# --- one crawl, from seeds to score
crawl --seeds seeds.txt --db a.db --json >out 2>err
check "a crawl ends with 0" test $? -eq 0
check "progress is for terminals" test ! -s err
check "somebody was reached" test "$(json_value reached out)" -gt 600
check "complete" grep -q '"complete": true' out
check "recall is 1, no false ok" recall_is_1 a.db
check "who was visited once has one row" test "$(visited a.db | cut -d' ' -f1 | uniq -d | wc -l)" -eq 0
check "visited in the JSON are the visits in the database" \
	test "$(json_value visited out)" -eq "$(visited a.db | wc -l)"

# --- how long a peer is waited for is learned, unless it is said
check "a time that was asked for is kept to" test "$(json_value connect_timeout_ms out)" -eq 500
"$program" crawl bitcoin --no-default-seeds --allow-private --seeds seeds.txt --db learned.db \
	--verbose --json >out 2>told
check "everybody is found by what is learned" recall_is_1 learned.db
check "which is less than the most, and not too little" \
	bash -c 'test "$0" -ge 500 && test "$0" -le 5000' "$(json_value connect_timeout_ms out)"
check "an answer likewise" \
	bash -c 'test "$0" -ge 5000 && test "$0" -le 10000' "$(json_value answer_timeout_ms out)"
check "--verbose tells" grep -q "is waited for" told

# --- threads find the same
crawl --seeds seeds.txt --db threads.db --threads 3 --concurrency 300 --json >out 2>err
check "three loops end with 0" test $? -eq 0
check "three loops find everybody" recall_is_1 threads.db

# --- who named whom
crawl --seeds seeds.txt --db adverts.db --adverts --max-peers 5 --json >out 2>err
check "adverts are kept" test "$("$program" export --what adverts --format csv --db adverts.db | wc -l)" -gt 100
check "--max-peers is kept" test "$(json_value visited out)" -eq 5
crawl --seeds seeds.txt --db adverts.db --resume --json >out 2>err
check "a crawl that a limit ended goes on" recall_is_1 adverts.db
check "as one crawl, which is complete then" test "$(ask adverts.db 'SELECT count(*), min(complete),
	min(ended_at_ms > 0) FROM crawls')" = '1 1 1'
crawl --seeds seeds.txt --db adverts.db --resume >out 2>err
check "and then no more" test $? -eq 1
awk -F, '$4 == "ghost_silent" { print $2 }' truth.csv | head -n 5 >silent
cat silent seeds.txt >silent-first
crawl --seeds silent-first --db silent.db --max-peers 7 --json >out 2>err
check "--max-peers is kept where some are silent" test "$(json_value visited out)" -eq 7

# --- excluded addresses
awk -F, '$4 == "honest" { print $2; exit }' truth.csv >first
sed 's/[0-9]*\.[0-9]*$/0.0\/16/' first >exclude
crawl --seeds seeds.txt --exclude exclude --db exclude.db --json >out 2>err
check "nobody of an excluded block is visited" \
	test "$(visited exclude.db | grep -c "//$(cut -d. -f1,2 first)\.")" -eq 0

# --- private addresses are refused by default
"$program" crawl bitcoin --no-default-seeds --seeds seeds.txt --db private.db --json >out 2>err
check "without --allow-private nobody is dialled: 3" test $? -eq 3
check "and it says so" grep -q "nobody could be reached.*--allow-private" err

# --- files that are not what they should be
refused() { # name, word of the sentence, arguments
	local name=$1 word=$2
	shift 2
	crawl --seed 127.9.9.9 "$@" >out 2>err
	check "$name: ends with 1" test $? -eq 1
	check "$name: says what" grep -qi -- "$word" err
	check "$name: one line" test "$(wc -l <err)" -le 3
}
echo "this is no database, but a text of some length" >text.db
refused "a text file" "no peerwalk database" --db text.db
check "the text file is as it was" grep -q "this is no database" text.db
refused "a missing folder" "missing/x.db" --db missing/x.db
refused "a folder" "." --db .
refused "no unfinished crawl" "no unfinished crawl" --db a.db --resume
refused "a missing file of seeds" "cannot read" --seeds nowhere --db b.db
"$program" crawl bitcoin --no-default-seeds --seed "nonsense:x" --db b.db >out 2>err
check "a bad seed ends with 2" test $? -eq 2
echo "10.0.0.1/8" >bad
"$program" crawl bitcoin --no-default-seeds --seed 1.2.3.4 --exclude bad --db b.db >out 2>err
check "host bits in a block end with 2" test $? -eq 2
check "and name the line" grep -q "bad, line 1" err
printf '127.9.9.9\n127.9.9.8\0 and more\n' >nul
"$program" crawl bitcoin --no-default-seeds --seeds nul --db b.db >out 2>err
check "a NUL byte among the seeds ends with 2" test $? -eq 2
check "and names the line" grep -q "nul, line 2: holds a NUL byte" err

finish 39
