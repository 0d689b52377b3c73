#!/bin/bash
# test_tools.sh: each of the checks in tools/ can fail.
#
#     tests/e2e/test_tools.sh PROGRAM SOURCE
#
# Makes a small copy with one violation at a time, runs the check on it, and expects that
# it fails and names the place.
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

# A copy that obeys: two folders, one header and one source each.
fresh_copy() {
	rm -rf "$dir/copy"
	mkdir -p "$dir/copy"/{docs,tools,src/base,src/engine,src/proto/bitcoin,src/store,src/cli,tests/unit}
	cp "$source_dir/docs/architecture.md" "$dir/copy/docs/"
	cat >"$dir/copy/src/base/thing.h" <<-'END'
		/* thing.h: a thing. */
		#ifndef PEERWALK_BASE_THING_H
		#define PEERWALK_BASE_THING_H

		int thing(void);

		#endif
	END
	printf '#include "base/thing.h"\n\n#include <string.h>\n\nint thing(void)\n{\n\treturn 1;\n}\n' \
		>"$dir/copy/src/base/thing.c"
	printf '#include "base/thing.h"\n\nint decide(void);\n' >"$dir/copy/src/engine/decide.c"
}

# name, file below the copy, what is appended, check, what its output has to say
violation() {
	local name=$1 file=$2 text=$3 check=$4 expected=$5

	fresh_copy
	printf '%b' "$text" >>"$dir/copy/$file"
	"$source_dir/tools/$check" "$dir/copy" >"$dir/out" 2>&1
	local status=$?
	[ $status -eq 1 ] && grep -qF -- "$expected" "$dir/out"
	result "$check: $name" $?
}

for check in check-deps check-style; do
	fresh_copy
	"$source_dir/tools/$check" "$dir/copy" >"$dir/out" 2>&1
	result "$check: a copy without violations passes" $?
done
"$source_dir/tools/check-deps" "$source_dir" >"$dir/out" 2>&1
result 'check-deps: the sources pass' $?

deps() { violation "$1" "$2" "$3" check-deps "$4"; }
deps 'base knows no protocol' src/base/thing.c '#include "proto/proto.h"\n' \
	'src/base/thing.c: "proto/proto.h"'
deps 'the engine knows no single protocol' src/engine/decide.c \
	'#include "proto/bitcoin/wire.h"\n' 'src/engine/decide.c: "proto/bitcoin/wire.h"'
deps 'the engine has no loop' src/engine/decide.c '#include <uv.h>\n' '<uv.h>'
deps 'protocols know no store' src/proto/bitcoin/new.c '#include "store/store.h"\n' \
	'"store/store.h"'
deps 'protocols have no sockets' src/proto/bitcoin/new.c '#  include <sys/socket.h>\n' \
	'<sys/socket.h>'
deps 'one protocol knows no other' src/proto/bitcoin/new.c \
	'#include "proto/ethereum/rlp.h"\n' '"proto/ethereum/rlp.h"'
deps 'only the store knows SQLite' src/cli/new.c '#include <sqlite3.h>\n' '<sqlite3.h>'
deps 'the store knows the record, not the crawl' src/store/new.c \
	'#include "engine/crawl.h"\n' '"engine/crawl.h"'
deps 'nobody includes cli' src/store/new.c '#include "cli/cli.h"\n' '"cli/cli.h"'
fresh_copy
mkdir -p "$dir/copy/src/stray"
printf '#include <string.h>\n' >"$dir/copy/src/stray/a.c"
"$source_dir/tools/check-deps" "$dir/copy" >"$dir/out" 2>&1
[ $? -eq 1 ] && grep -q 'no row of the table' "$dir/out"
result 'check-deps: a folder without a row' $?
fresh_copy
sed -i '/^| files | may include/,/^$/d' "$dir/copy/docs/architecture.md"
"$source_dir/tools/check-deps" "$dir/copy" >"$dir/out" 2>&1
[ $? -eq 1 ] && grep -q 'no table' "$dir/out"
result 'check-deps: a document without the table' $?

style() { violation "$1" "$2" "$3" check-style "$4"; }
lines() { # how often, text
	local out='' i

	for ((i = 0; i < $1; i++)); do out+=$2; done
	printf '%s' "$out"
}
style 'a function of 60 lines and one' src/base/thing.c \
	"int f(void)\n{\n$(lines 61 '\t;\n')}\n" 'a function of 61 lines'
style 'a file that is too long' src/base/thing.c "$(lines 700 '\n')" 'more than 700'
style 'a header without its purpose' src/base/other.h \
	'#define PEERWALK_BASE_OTHER_H\n' 'other.h: what it is for'
style 'a header without a guard' src/base/other.h '/* other.h: other. */\n' 'no include guard'
style 'blanks for a tab' src/base/thing.c '        int x;\n' 'indent with tabs'
style 'a line that is too long' src/base/thing.c "/* $(lines 95 x) */\n" '100 columns'
style 'a long line because of its tabs' src/base/thing.c \
	"\t\t\t\t\t\t\t\t\t\t\t\t/* x */\n" '100 columns'
style 'a typedef of a struct' src/base/thing.c 'typedef struct { int x; } y;\n' 'no typedef'
style 'blanks at a line end' src/base/thing.c '/* x */ \n' 'blanks at the end'
style 'no newline at the end' src/base/thing.c '/* x */' 'no newline at the end'
style 'a path of one machine' src/base/thing.c "/* /ho""me/me/x */\n" 'a path of one machine'
style 'a registry' docs/lock.json '{"resol''ved": "https://x/y"}\n' 'package registry'
# shellcheck disable=SC2016 # the quotes of Markdown
style 'a test that is not there' SECURITY.md '`test_of_nothing`\n' 'there is no test test_of_nothing'
fresh_copy
sed -i '1d' "$dir/copy/src/base/thing.c"
sed -i 's/string.h>/string.h>\n#include "base\/thing.h"/' "$dir/copy/src/base/thing.c"
"$source_dir/tools/check-style" "$dir/copy" >"$dir/out" 2>&1
[ $? -eq 1 ] && grep -q 'comes first' "$dir/out"
result 'check-style: its own header is not the first' $?

# check-pure looks at objects: one of each folder, and one that does what it must not.
compiler=${CC:-cc}
pure() { # name, folder, source, expected ('' if it has to pass)
	local objects=$dir/build/CMakeFiles/peerwalk_objects.dir/src folder

	rm -rf "$dir/build"
	for folder in base proto crypto engine sim; do
		mkdir -p "$objects/$folder"
		printf 'int %s_thing(int x) { return x; }\n' $folder >"$dir/a.c"
		"$compiler" -c "$dir/a.c" -o "$objects/$folder/thing.c.o" || return
	done
	printf 'void text_add(void *t, const char *s) { (void)t; (void)s; }\n' >"$dir/a.c"
	"$compiler" -c "$dir/a.c" -o "$objects/base/text.c.o" || return
	mkdir -p "$objects/$2"
	printf '%b' "$3" >"$dir/a.c"
	"$compiler" -w -c "$dir/a.c" -o "$objects/$2/new.c.o" || return
	"$source_dir/tools/check-pure" "$dir/build" >"$dir/out" 2>&1
	local status=$?
	if [ -z "$4" ]; then
		[ $status -eq 0 ]
	else
		[ $status -eq 1 ] && grep -qF "src/$2/new.c: needs $4" "$dir/out"
	fi
	result "check-pure: $1" $?
}
pure 'copying is harmless' proto \
	'#include <string.h>\nvoid f(char *a, const char *b, unsigned long n) { memcpy(a, b, n); }\n' ''
pure 'a clock in a protocol' proto '#include <time.h>\nlong f(void) { return time(0); }\n' time
pure 'a socket in a protocol' proto \
	'#include <sys/socket.h>\nint f(void) { return socket(1, 1, 0); }\n' socket
pure 'allocation in a protocol' proto/bitcoin \
	'#include <stdlib.h>\nvoid *f(void) { return malloc(1); }\n' malloc
pure 'allocation by way of base' proto \
	'void text_add(void *, const char *);\nvoid f(void *t) { text_add(t, "x"); }\n' text_add
pure 'the engine may allocate' engine \
	'#include <stdlib.h>\nvoid *f(void) { return malloc(1); }\n' ''
pure 'the engine may not print' engine \
	'#include <stdio.h>\nint f(int x) { return printf("%%d %%d", x, x); }\n' printf
pure 'the engine draws no random numbers' engine \
	'#include <stdlib.h>\nint f(void) { return rand(); }\n' rand
pure 'the simulation has no clock' sim \
	'#include <time.h>\nint f(struct timespec *t) { return clock_gettime(0, t); }\n' clock_gettime
pure 'its server on real sockets may' sim/server \
	'#include <sys/socket.h>\nint f(void) { return socket(1, 1, 0); }\n' ''
"$source_dir/tools/check-pure" "$dir/nothing" >"$dir/out" 2>&1
[ $? -eq 2 ]
result 'check-pure: no build' $?

# setup: what it can say without installing anything.
"$source_dir/tools/setup" nonsense >"$dir/out" 2>&1
[ $? -eq 2 ] && grep -q 'expected build, check, lint' "$dir/out"
result 'setup: an unknown part' $?
mkdir -p "$dir/bin"
for tool in sh sed tr id dpkg-query printf; do
	path=$(command -v $tool) && [ "${path#/}" != "$path" ] && ln -sf "$path" "$dir/bin/$tool"
done
# No dpkg, no compiler, no apt-get: another system.
rm -f "$dir/bin/dpkg-query"
PATH=$dir/bin "$dir/bin/sh" "$source_dir/tools/setup" build >"$dir/out" 2>&1
[ $? -eq 1 ] && grep -q 'libuv1-dev: event loop' "$dir/out" && grep -q 'package manager' "$dir/out"
result 'setup: another system gets the list' $?

finish 40
