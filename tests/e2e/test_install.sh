#!/bin/bash
# test_install.sh: what `make install` leaves can be used: the program, the manual page, the
# completions, and the library, shared and static, by a C program that knows only
# pkg-config.
#
#     tests/e2e/test_install.sh PROGRAM SOURCE BUILD
set -uo pipefail

compiler=${CC:-cc}
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

sanitize=$(sed -n 's/^PEERWALK_SANITIZE:[A-Z]*=//p' "$build/CMakeCache.txt")
coverage=$(sed -n 's/^PEERWALK_COVERAGE:[A-Z]*=//p' "$build/CMakeCache.txt")
kind=$(sed -n 's/^CMAKE_BUILD_TYPE:[A-Z]*=//p' "$build/CMakeCache.txt")
flags=()
[ -z "$sanitize" ] || flags+=("-fsanitize=$sanitize")
[ "$coverage" != ON ] || flags+=(--coverage)

DESTDIR=$dir/stage cmake --install "$build" --prefix /opt/peerwalk >"$dir/out" 2>&1
result 'installs below DESTDIR' $?
root=$dir/stage/opt/peerwalk
[ "$(find "$dir/stage" -type f ! -path "$root/*" | wc -l)" -eq 0 ]
result 'nothing is put elsewhere' $?

"$root/bin/peerwalk" --version >"$dir/out" 2>&1
result 'the program runs' $?
grep -q '^\.TH' "$root/share/man/man1/peerwalk.1"
result 'the manual page' $?
bash -n "$root/share/bash-completion/completions/peerwalk" 2>"$dir/out"
result 'the completions for bash' $?
[ -s "$root/share/zsh/site-functions/_peerwalk" ] &&
	[ -s "$root/share/fish/vendor_completions.d/peerwalk.fish" ]
result 'the completions for zsh and fish' $?

if [ -z "$sanitize" ] && [ "$kind" != Debug ]; then
	LC_ALL=C readelf -hldW "$root/bin/peerwalk" >"$dir/out"
	grep -q 'Type: *DYN' "$dir/out" && grep -q 'GNU_RELRO' "$dir/out" &&
		grep -qE 'FLAGS.*(BIND_NOW|NOW)' "$dir/out" &&
		grep 'GNU_STACK' "$dir/out" | grep -qv 'RWE'
	result 'position-independent, read-only relocations, no executable stack' $?
	nm -D "$root/bin/peerwalk" >"$dir/out"
	grep -q '__stack_chk_fail' "$dir/out" && grep -q '_chk@' "$dir/out"
	result 'guarded stack, checked copies' $?
fi

if [ ! -f "$root/include/peerwalk.h" ]; then
	echo "$passed passed, $failed failed"
	exit $((failed > 0))
fi

cat >"$dir/use.c" <<-'END'
	#include <peerwalk.h>
	#include <stdio.h>
	#include <string.h>

	/* A name that the library uses inside: the two must not get in each other's way. */
	int text_add(void);
	int text_add(void) { return 7; }

	int main(void)
	{
		const struct pw_network *network = pw_network_find("bitcoin");

		if (network == NULL || pw_network_port(network) != 8333 || text_add() != 7)
			return 1;
		printf("%s %s\n", pw_network_name(network), pw_version());
		return strcmp(pw_err_text(PW_OK), "no error") != 0;
	}
END
pc_path=$(dirname "$(find "$root" -name peerwalk.pc)")
libdir=$(dirname "$pc_path")
export PKG_CONFIG_PATH=$pc_path
version=$("$root/bin/peerwalk" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+')
[ "$(pkg-config --modversion peerwalk)" = "$version" ]
result 'pkg-config and the program tell one version' $?

# shellcheck disable=SC2046 # pkg-config prints words
"$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror "${flags[@]}" "$dir/use.c" -o "$dir/use-shared" \
	$(pkg-config --cflags --libs peerwalk) >"$dir/out" 2>&1
result 'a program with the shared library' $?
LD_LIBRARY_PATH=$libdir "$dir/use-shared" >"$dir/out" 2>&1 && grep -qx "bitcoin $version" "$dir/out"
result 'it runs' $?
LC_ALL=C readelf -d "$dir/use-shared" | grep -q 'NEEDED.*libpeerwalk\.so\.[0-9]'
result 'it asks for the versioned name' $?
if [ -z "$sanitize" ] && [ "$coverage" != ON ]; then
	nm -D --defined-only "$libdir/libpeerwalk.so" | awk '$2 != "A" { print $3 }' |
		grep -v '^pw_' >"$dir/out"
	[ ! -s "$dir/out" ]
	result 'the shared library exports pw_ and nothing else' $?
	nm --defined-only --extern-only "$libdir/libpeerwalk.a" | awk 'NF == 3 { print $3 }' |
		grep -v '^pw_' >"$dir/out"
	[ ! -s "$dir/out" ]
	result 'the static library exports pw_ and nothing else' $?
fi
# Every function of the header is there.
for symbol in $(grep -oE '\bpw_[a-z0-9_]+\(' -h "$root"/include/peerwalk/*.h | tr -d '(' | sort -u); do
	grep -qE "^PW_API .*\b$symbol\(" "$root"/include/peerwalk/*.h || continue
	nm -D --defined-only "$libdir/libpeerwalk.so" | grep -q " $symbol\(@@.*\)\?$"
	result "$symbol is exported" $?
done

mkdir "$dir/static"
cp "$libdir/libpeerwalk.a" "$dir/static/"
# shellcheck disable=SC2046
"$compiler" -std=c11 -Wall -Wextra -Werror "${flags[@]}" "$dir/use.c" -o "$dir/use-static" \
	$(pkg-config --cflags peerwalk) -L"$dir/static" \
	$(pkg-config --static --libs peerwalk) >"$dir/out" 2>&1
result 'a program with the static library' $?
"$dir/use-static" >"$dir/out" 2>&1 &&
	! LC_ALL=C readelf -d "$dir/use-static" | grep -q 'NEEDED.*libpeerwalk'
result 'it runs without the shared one' $?

# The examples need no more than what is installed.
for example in "$source_dir"/examples/*.c; do
	[ -f "$example" ] || continue
	# shellcheck disable=SC2046
	"$compiler" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror "${flags[@]}" "$example" \
		-o "$dir/example" $(pkg-config --cflags --libs peerwalk) >"$dir/out" 2>&1
	result "examples/$(basename "$example")" $?
done

if command -v c++ >/dev/null; then
	printf '#include <peerwalk.h>\nint main() { return pw_version() == nullptr; }\n' >"$dir/use.cc"
	# shellcheck disable=SC2046
	c++ -Wall -Wextra -Wpedantic -Werror -fsyntax-only $(pkg-config --cflags peerwalk) \
		"$dir/use.cc" >"$dir/out" 2>&1
	result 'the header in C++' $?
fi

finish 12
