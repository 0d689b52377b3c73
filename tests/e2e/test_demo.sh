#!/bin/bash
# test_demo.sh: `make demo`, smaller: finds everybody, and leaves nothing behind.
#
#     tests/e2e/test_demo.sh PROGRAM SOURCE
set -uo pipefail

program=$1
source_dir=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/tmp"
passed=0
failed=0

check() { # name, status
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $1"
		sed 's/^/    /' "$dir/out"
	fi
}

ports="$((20000 + $$ % 5000)) $((25000 + $$ % 3000)) $((10000 + $$ % 5000))"
TMPDIR=$dir/tmp PEERS=150 GHOSTS=200 PORT=$ports "$source_dir/tools/demo" "$program" \
	>"$dir/out" 2>&1 </dev/null
check 'exit status' $?
grep -q '^ready: ' "$dir/out"
check 'the network came up' $?
grep -qE '^ +recall +100\.00%' "$dir/out"
check 'everybody was found' $?
grep -qE '^ +precision +100\.00%' "$dir/out"
check 'nobody was made up' $?
grep -qE '^ +false ok +0 ' "$dir/out"
check 'no liar was believed' $?
! grep -q $'\e' "$dir/out"
check 'no colours where there is no terminal' $?
[ -z "$(ls -A "$dir/tmp")" ]
check 'no files are left' $?
! pgrep -f "simulate bitcoin .*$dir/tmp" >/dev/null
check 'no process is left' $?

# A program that can't: the demo says so, and cleans up as well.
printf '#!/bin/sh\necho "no room for it" >&2\nexit 1\n' >"$dir/broken"
chmod +x "$dir/broken"
TMPDIR=$dir/tmp "$source_dir/tools/demo" "$dir/broken" >"$dir/out" 2>&1 </dev/null
[ $? -eq 1 ] && grep -q 'no room for it' "$dir/out" && [ -z "$(ls -A "$dir/tmp")" ]
check 'a network that does not come up' $?

# Interrupted in the middle of the crawl, with all that it started, as by a terminal.
set -m
TMPDIR=$dir/tmp PEERS=150 GHOSTS=200 PORT=$ports "$source_dir/tools/demo" "$program" \
	>"$dir/out" 2>&1 </dev/null &
demo=$!
for ((i = 0; i < 100; i++)); do
	grep -q '^2\.' "$dir/out" && break
	sleep 0.1
done
sleep 0.5
set +m
kill -TERM -- -$demo
wait $demo
[ $? -eq 143 ] && [ -z "$(ls -A "$dir/tmp")" ] &&
	! pgrep -f "simulate bitcoin .*$dir/tmp" >/dev/null
check 'interrupted: nothing is left' $?

echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -eq 10 ]
