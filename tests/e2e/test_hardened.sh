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

library=$(find "$build" -maxdepth 2 -name 'libpeerwalk.so.*.*' -type f | head -n 1)
check 'there is a shared library' test -n "$library"
for file in "$program" "$library"; do
	for property in pie relro no_exec protector fortify; do
		check "$(basename "$file"): $property" "$property" "$file"
	done
done

# A program without any of it.
cat >soft.c <<'END'
int main(void)
{
	return 0;
}
END
if "${CC:-cc}" -no-pie -fno-stack-protector -z execstack -z norelro -o soft soft.c >out 2>err; then
	for property in pie relro no_exec protector fortify; do
		! "$property" ./soft
		result "a program without $property is noticed" $?
	done
fi

finish 11
