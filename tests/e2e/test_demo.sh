#!/bin/bash
# test_demo.sh: `make demo`, smaller: finds everybody, and leaves nothing behind.
#
#     tests/e2e/test_demo.sh PROGRAM SOURCE
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
mkdir "$dir/tmp"

ports="$((20000 + $$ % 5000)) $((25000 + $$ % 3000)) $((10000 + $$ % 5000))"
TMPDIR=$dir/tmp PEERS=150 GHOSTS=200 PORT=$ports "$source_dir/tools/demo" "$program" \
	>"$dir/out" 2>&1 </dev/null
result 'exit status' $?
grep -q '^ready: ' "$dir/out"
result 'the network came up' $?
grep -qE '^ +recall +100\.00%' "$dir/out"
result 'everybody was found' $?
grep -qE '^ +precision +100\.00%' "$dir/out"
result 'nobody was made up' $?
grep -qE '^ +false ok +0 ' "$dir/out"
result 'no liar was believed' $?
! grep -q $'\e' "$dir/out"
result 'no colours where there is no terminal' $?
[ -z "$(ls -A "$dir/tmp")" ]
result 'no files are left' $?
! pgrep -f "simulate bitcoin .*$dir/tmp" >/dev/null
result 'no process is left' $?

# A program that can't: the demo says so, and cleans up as well.
printf '#!/bin/sh\necho "no room for it" >&2\nexit 1\n' >"$dir/broken"
chmod +x "$dir/broken"
TMPDIR=$dir/tmp "$source_dir/tools/demo" "$dir/broken" >"$dir/out" 2>&1 </dev/null
[ $? -eq 1 ] && grep -q 'no room for it' "$dir/out" && [ -z "$(ls -A "$dir/tmp")" ]
result 'a network that does not come up' $?

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
result 'interrupted: nothing is left' $?

finish 10
