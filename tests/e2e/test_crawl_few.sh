#!/bin/bash
# test_crawl_few.sh: crawls that may open few files, or have little room on their disk.
#
#     tests/e2e/test_crawl_few.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

simulate bitcoin --peers 250 --ghosts 150 --liars 10% --latency 20ms --seed 7 --duration 9m ||
	exit 1

# Silence is waited for half a second: real enough, and the test stays short.
how=(--no-default-seeds --allow-private --connect-timeout 500ms --timeout 4s)
crawl() {
	"$program" crawl bitcoin "${how[@]}" "$@"
}

# --- concurrency is clamped to the descriptors, and it says so
(ulimit -n 200 && crawl --seeds seeds.txt --db few.db --concurrency 1000 >out 2>err)
check "few descriptors: ends with 0" test $? -eq 0
check "few descriptors: a line says so" grep -q "concurrency lowered from 1000 to" err
check "few descriptors: everybody is found" recall_is_1 few.db
(ulimit -n 64 && crawl --seeds seeds.txt --db fewer.db >out 2>err)
check "very few descriptors: ends with 0" test $? -eq 0
check "very few descriptors: still several at a time" \
	grep -qE 'concurrency lowered from 2000 to [2-5][0-9]:' err
check "very few descriptors: everybody is found" recall_is_1 fewer.db
(ulimit -n 16 && crawl --seeds seeds.txt --db none.db >out 2>err)
check "no descriptor for a connection: ends with 1" test $? -eq 1
check "no descriptor for a connection: says so" \
	grep -q 'may open 16 files, which leaves none for a connection: raise that' err
check "no descriptor for a connection: no database" test ! -e none.db
# Whatever has an event loop says the same, down to the last descriptor that a shell needs.
for files in 5 16; do
	for what in "node gossip --listen 127.0.0.1:0" "serve --listen 127.0.0.1:0 --db few.db" \
		"ping bitcoin://127.0.0.1:1" "simulate gossip --peers 2"; do
		read -r -a words <<<"$what"
		(ulimit -n $files && "$program" "${words[@]}" >out 2>err)
		check "${words[0]}, with $files files: ends with 1" test $? -eq 1
		check "${words[0]}, with $files files: says so" \
			grep -q "may open $files files, which leaves none" err
	done
done

# --- a disk that fills up while it crawls
if unshare -Urm true 2>/dev/null; then
	mkdir disk
	unshare -Urm bash -c '
		mount -t tmpfs -o size=400k none disk || exit 9
		"$0" crawl bitcoin --no-default-seeds --allow-private --connect-timeout 500ms \
			--seeds seeds.txt --db disk/x.db >out 2>err' "$program"
	check "a full disk ends with 1" test $? -eq 1
	check "a full disk is called that" grep -qi "full" err
else
	echo "no user namespaces: the full disk is not tried"
fi

finish 25
