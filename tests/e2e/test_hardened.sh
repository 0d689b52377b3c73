#!/bin/bash
# test_hardened.sh: the program and the shared library carry what compiler and linker offer
# against overruns, and the check itself can fail.
#
#     tests/e2e/test_hardened.sh PROGRAM SOURCE BUILD
set -uo pipefail

command -v readelf >/dev/null || { echo "readelf is missing (binutils)"; exit 77; }
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
if ! grep -q '^PEERWALK_SANITIZE:STRING=$' "$build/CMakeCache.txt"; then
	echo "built for a sanitizer, which takes the place of all this"
	exit 77
fi

elf() { # what readelf is asked for, file, what it has to say
	readelf -W "$1" "$2" >out 2>err
	grep -qE -- "$3" out
}
pie() { elf -h "$1" 'Type: +DYN'; }
relro() { elf -l "$1" 'GNU_RELRO' && elf -d "$1" 'BIND_NOW|FLAGS_1.*NOW'; }
# Neither the stack nor anything else is both written and run.
no_exec() { elf -l "$1" 'GNU_STACK.* RW ' && ! elf -l "$1" ' RWE '; }
protector() { elf --dyn-syms "$1" '__stack_chk_fail'; }
fortify() { elf --dyn-syms "$1" '__(mem|str|v?s?n?printf|fdelt|read|recv)[a-z]*_chk'; }

# It is linked as it will be found: no folder of the build, no code that is written to at the start.
no_rpath() { readelf -Wd "$1" >out 2>err && ! grep -qE '\((RPATH|RUNPATH)\)' out; }
no_textrel() { readelf -Wd "$1" >out 2>err && ! grep -qE 'TEXTREL' out; }
# The first instruction of a function that others reach by its address, where the machine has such.
landing() {
	objdump -d --no-show-raw-insn "$1" >out 2>err
	grep -A1 -E '<(main|pw_version)>:$' out | grep -qE '(endbr64|bti|paciasp)'
}

library=$(find "$build" -maxdepth 2 -name 'libpeerwalk.so.*.*' -type f | head -n 1)
check 'there is a shared library' test -n "$library"
for file in "$program" "$library"; do
	for property in pie relro no_exec protector fortify no_rpath no_textrel; do
		check "$(basename "$file"): $property" "$property" "$file"
	done
done
case $(uname -m) in
x86_64 | aarch64)
	if command -v objdump >/dev/null; then
		for file in "$program" "$library"; do
			check "$(basename "$file"): landing" landing "$file"
		done
	fi
	;;
esac

# What can't be seen in a file: each source is compiled with it, if this compiler knows it.
with_flag() { # flag
	grep '"command":.*/src/.*\.c' "$build/compile_commands.json" >out
	[ -s out ] && ! grep -qv -- "$1" out
}
for flag in -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero; do
	echo 'int main(void) { return 0; }' >known.c
	more=
	[ $flag != -ftrivial-auto-var-init=zero ] ||
		more=-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
	if "${CC:-cc}" -Werror $flag -c -o known.o known.c 2>err ||
		"${CC:-cc}" -Werror $flag $more -c -o known.o known.c 2>err; then
		check "each source is compiled with $flag" with_flag "$flag"
	fi
done
check "a flag that is missing is noticed" eval '! with_flag -fno-such-thing'
level=$(grep -o 'D_FORTIFY_SOURCE=[0-9]' "$build/compile_commands.json" | sort -u | tr '\n' ' ')
case $level in
'D_FORTIFY_SOURCE=2 ' | 'D_FORTIFY_SOURCE=3 ') level=ok ;;
esac
check "and with the checks of the C library" [ "$level" = ok ]

# A program without any of it.
cat >soft.c <<'END'
int main(void)
{
	return 0;
}
END
if "${CC:-cc}" -no-pie -fno-stack-protector -fcf-protection=none -z execstack -z norelro \
	-Wl,-rpath,/nowhere -o soft soft.c >out 2>err; then
	for property in pie relro no_exec protector fortify no_rpath landing; do
		! "$property" ./soft
		result "a program without $property is noticed" $?
	done
fi

finish 20
