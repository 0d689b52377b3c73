#!/bin/bash
# test_library.sh: the library as others use it: the examples do what they say.
#
#     tests/e2e/test_library.sh PROGRAM SOURCE BUILD
#
# Installs to a folder, builds the examples against the shared and the static library as
# pkg-config tells, and runs them against simulated networks on loopback: one of Bitcoin, one of
# Ethereum.
# Checks that peerwalk.h is good C and C++ by itself, and declares just what is exported.
# (test_install.sh looks at the rest of what is installed.)
set -uo pipefail

cc=${CC:-cc}
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

# name, command ...
expect_ok() {
	local name=$1

	shift
	"$@" >"$dir/out" 2>&1
	result "$name" $?
}

command -v pkg-config >/dev/null || { echo "pkg-config is missing"; exit 77; }

# --- installing ---

expect_ok 'install' env DESTDIR="$dir/stage" cmake --install "$build" --prefix /usr
# The prefix is where the .pc file lies: the tree can be moved.
mv "$dir/stage/usr" "$dir/moved"
PKG_CONFIG_PATH=$(dirname "$(find "$dir/moved" -name peerwalk.pc)")
export PKG_CONFIG_PATH
lib=$(pkg-config --variable=libdir peerwalk)
# A library with sanitizers needs their run-time library in the program, too.
sanitize=$(sed -n 's/^PEERWALK_SANITIZE:[A-Z]*=//p' "$build/CMakeCache.txt")
coverage=$(sed -n 's/^PEERWALK_COVERAGE:[A-Z]*=//p' "$build/CMakeCache.txt")
extra=()
[ -z "$sanitize" ] || extra+=("-fsanitize=$sanitize")
[ "$coverage" != ON ] || extra+=(--coverage)

sed -n 's/^PW_API .*\(pw_[a-z_]*\)(.*/\1/p' "$source_dir"/include/peerwalk/*.h |
	sort >"$dir/declared"
# Instrumented code brings symbols of its own.
nm -D --defined-only "$lib/libpeerwalk.so" | awk '$2 != "A" { print $3 }' |
	if [ -z "$sanitize" ] && [ "$coverage" != ON ]; then cat; else grep '^pw_'; fi |
	sort >"$dir/exported"
[ -s "$dir/declared" ] && sed 's/$/@@PEERWALK_0.1/' "$dir/declared" |
	diff - "$dir/exported" >"$dir/out"
result 'what the headers declare is exported with its version, and nothing else' $?
readelf -d "$lib/libpeerwalk.so" >"$dir/out" 2>&1
grep -q 'SONAME.*\[libpeerwalk\.so\.0\]' "$dir/out"
result 'the name that programs ask for' $?

# --- the header alone ---

header() { # name, language, compiler and its flags
	local name=$1 language=$2

	shift 2
	command -v "$1" >/dev/null || return
	printf '#include <peerwalk.h>\n#include <peerwalk.h>\nint main(void) { return pw_version() == 0; }\n' |
		"$@" -x "$language" -Wall -Wextra -Wstrict-prototypes -pedantic -Werror \
			-I"$dir/moved/include" -fsyntax-only - >"$dir/out" 2>&1
	result "header: $name" $?
}
header 'C99' c "$cc" -std=c99
header 'C17' c "$cc" -std=c17
header 'C++11' c++ "${CXX:-c++}" -std=c++11 -Wno-strict-prototypes
header 'C++20' c++ "${CXX:-c++}" -std=c++20 -Wno-strict-prototypes

# --- examples ---

mkdir "$dir/shared" "$dir/static"
for name in crawl nodes handshake explain codecs store chat; do
	# shellcheck disable=SC2046 # flags are words
	expect_ok "compile $name, shared" "$cc" "$source_dir/examples/$name.c" "${extra[@]}" \
		$(pkg-config --cflags --libs peerwalk) -o "$dir/shared/$name"
	# The archive by its name: -lpeerwalk would find the shared library next to it.
	# shellcheck disable=SC2046
	expect_ok "compile $name, static" "$cc" "$source_dir/examples/$name.c" "${extra[@]}" \
		$(pkg-config --cflags --libs --static peerwalk |
			sed "s|-lpeerwalk|$lib/libpeerwalk.a|") -o "$dir/static/$name"
done
# shellcheck disable=SC2016 # Markdown's backquotes
sed -n '/^```c$/,/^```$/p' "$source_dir/docs/library.md" | sed '/^```/d' >"$dir/walk.c"
# shellcheck disable=SC2046
[ -s "$dir/walk.c" ] && "$cc" -Wall -Wextra -Werror "$dir/walk.c" "${extra[@]}" \
	$(pkg-config --cflags --libs peerwalk) -o "$dir/walk" >"$dir/out" 2>&1
result 'what docs/library.md shows' $?
export LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# Not in a pipe: ldd would be told that grep has seen enough.
ldd "$dir/shared/crawl" >"$dir/out" 2>&1
grep -q "$lib/libpeerwalk.so" "$dir/out"
result 'the shared one uses the shared library' $?
ldd "$dir/static/crawl" >"$dir/out" 2>&1
! grep -q libpeerwalk "$dir/out"
result 'the static one does not' $?

verack=f9beb4d976657261636b000000000000000000005df6e0e2
run_messages() { # shared or static
	local kind=$1

	"$dir/$kind/explain" $verack >"$dir/out" 2>&1 &&
		grep -q '^ *0  magic  *f9beb4d9$' "$dir/out" &&
		grep -q '^ *4  command  *verack$' "$dir/out"
	result "$kind: explain" $?
	"$dir/$kind/explain" ${verack%2}3 >"$dir/out" 2>&1
	[ $? -eq 1 ] && grep -q '^ *20  error: the checksum is wrong' "$dir/out"
	result "$kind: explain names the place of an error" $?
}

record=enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33
record+=Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0x
record+=OIN1ZHCCdl8
run_codecs() { # shared or static
	local kind=$1

	"$dir/$kind/codecs" peer '[2A00:0:0::7]' bitcoin >"$dir/out" 2>&1 &&
		grep -q '^peer  *\[2a00::7\]:8333$' "$dir/out"
	result "$kind: a peer in the one way to write it" $?
	"$dir/$kind/codecs" peer 192.0.2.1 >"$dir/out" 2>&1
	[ $? -eq 1 ] && grep -q '^codecs: .*names no network' "$dir/out"
	result "$kind: no peer" $?
	"$dir/$kind/codecs" record "$record" >"$dir/out" 2>&1 &&
		grep -q '^node id  *a448f24c6d18e575453db13171562b71' "$dir/out" &&
		grep -q '^IPv4  *127.0.0.1, UDP 30303, TCP 0$' "$dir/out"
	result "$kind: a record" $?
	"$dir/$kind/codecs" message bitcoin verack >"$dir/out" 2>&1 &&
		[ "$(cat "$dir/out")" = $verack ]
	result "$kind: a message" $?
	"$dir/$kind/codecs" message gossip chat '{"text": "hi"}' >"$dir/out" 2>&1 &&
		[ "$(cat "$dir/out")" = "$(printf '{"msgtype":"chat","text":"hi"}\n' | od -An -tx1 |
			tr -d ' \n')" ]
	result "$kind: a message of a gossip network" $?
}

run_bitcoin() { # shared or static
	local kind=$1

	"$dir/$kind/handshake" bitcoin-regtest "${seed%:*}" "${seed##*:}" >"$dir/out" 2>&1 &&
		grep -q '^agent  *[^ ]' "$dir/out" && grep -q '^services .*NETWORK' "$dir/out" &&
		[ "$(grep -c '^knows' "$dir/out")" -gt 5 ] && grep -q '^outcome   ok:' "$dir/out"
	result "$kind: handshake" $?
	"$dir/$kind/handshake" bitcoin-regtest "${seed%:*}" $((port + 3)) >"$dir/out" 2>&1
	[ $? -eq 1 ] && grep -q 'cannot connect' "$dir/out"
	result "$kind: handshake with nobody" $?

	# shellcheck disable=SC2046 # one seed a word
	"$dir/$kind/crawl" bitcoin-regtest --local --db "$dir/$kind.db" \
		$(cat "$dir/seeds.txt") >"$dir/found" 2>"$dir/out"
	result "$kind: crawl" $?
	expect_ok "$kind: crawl found everybody" \
		"$program" score --db "$dir/$kind.db" --truth "$dir/truth.csv" --json
	grep -q '"recall": *1\(\.0*\)\?[,}]' "$dir/out"
	result "$kind: recall" $?
	cut -f 1 "$dir/found" | sort -u | wc -l >"$dir/out"
	[ "$(cat "$dir/out")" -eq "$("$program" export --db "$dir/$kind.db" --what peers --format csv |
		tail -n +2 | cut -d, -f13 | grep -c .)" ]
	result "$kind: a line for each peer that was reached" $?

	"$dir/$kind/store" "$dir/$kind.db" bitcoin-regtest >"$dir/out" 2>&1 &&
		grep -q '^crawl 1 of bitcoin-regtest, .* reached$' "$dir/out" &&
		[ "$(cut -s -f 1 "$dir/out" | sort)" = "$(cut -f 1 "$dir/found" | sort -u)" ]
	result "$kind: the store names the same peers" $?
	"$dir/$kind/store" "$dir/nothing.db" >"$dir/out" 2>&1
	[ $? -eq 1 ] && grep -q '^store: .*nothing.db' "$dir/out"
	result "$kind: no store" $?
}

run_ethereum() { # shared or static
	local kind=$1 url

	# shellcheck disable=SC2046 # one seed a word
	"$dir/$kind/nodes" --local $(cat "$dir/seeds.txt") >"$dir/found" 2>"$dir/out"
	result "$kind: nodes" $?
	awk -F , '$NF == 1 { print $1 }' "$dir/truth.csv" | sort >"$dir/reachable"
	cut -f 1 "$dir/found" | sort | diff "$dir/reachable" - >"$dir/out" && [ -s "$dir/reachable" ]
	result "$kind: a line for each node that can be reached, with its URL" $?
	grep -q $'\tmainnet\t[A-Za-z].*\teth/' "$dir/found" && grep -q $'\t(full)\t' "$dir/found" &&
		grep -qv $'\tmainnet\t' "$dir/found"
	result "$kind: clients and chains" $?
	# shellcheck disable=SC2046
	"$dir/$kind/nodes" --local --chain mainnet $(cat "$dir/seeds.txt") >"$dir/wanted" 2>"$dir/out" &&
		[ "$(grep -c . "$dir/wanted")" -lt "$(grep -c . "$dir/found")" ] &&
		! grep -qE $'\t(sepolia|holesky|hoodi)\t' "$dir/wanted"
	result "$kind: nodes of one chain" $?
	"$dir/$kind/nodes" --chain nowhere >"$dir/out" 2>&1
	[ $? -eq 1 ] && grep -q '^nodes: expected' "$dir/out"
	result "$kind: nodes of no chain" $?

	url=$(grep $'\tmainnet\t[A-Za-z]' "$dir/found" | head -n 1 | cut -f 1)
	seed=${url#*@}
	"$dir/$kind/handshake" ethereum "${seed%:*}" "${seed##*:}" "$url" >"$dir/out" 2>&1 &&
		grep -q '^speaks  *eth/' "$dir/out" &&
		grep -q '^chain  *mainnet, network 1$' "$dir/out" &&
		grep -q '^session  *ok$' "$dir/out" && grep -q '^outcome   ok:' "$dir/out"
	result "$kind: handshake with a node" $?
	"$dir/$kind/handshake" ethereum "${seed%:*}" "${seed##*:}" >"$dir/out" 2>&1
	[ $? -eq 1 ] && grep -q '^handshake: the text is not in the expected form' "$dir/out"
	result "$kind: handshake with a node whose key is not known" $?
}

run_messages shared
run_messages static
run_codecs shared
run_codecs static
chat_of_three "$dir/shared/chat" 'shared: chat'
chat_of_three "$dir/static/chat" 'static: chat'
if simulate bitcoin-regtest --peers 80 --ghosts 0 --liars 0 --latency 2ms --jitter 0ms; then
	seed=$(head -n 1 "$dir/seeds.txt")
	seed=${seed#*://}
	run_bitcoin shared
	run_bitcoin static
	end_simulation TERM
else
	result 'a simulated network of Bitcoin' 1
fi
if simulate ethereum --peers 60 --ghosts 0 --liars 0 --latency 2ms --jitter 0ms; then
	run_ethereum shared
	run_ethereum static
	end_simulation TERM
else
	result 'a simulated network of Ethereum' 1
fi

finish 80
