#!/bin/bash
# test_cli.sh: the command line keeps the promises of docs/cli.md.
#
#     tests/e2e/test_cli.sh PROGRAM
#
# Wrong command lines (status 2, and a message that names the problem), help, manual page
# and completions, what overrides what, JSON. Nothing here opens a connection to
# anywhere but this machine's loopback.
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
unset NO_COLOR

# status, text that stderr has to contain, arguments...
wrong() {
	local expected=$1 text=$2 status
	shift 2
	"$program" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	[ $status -eq "$expected" ] && grep -qF -- "$text" "$dir/err" && [ ! -s "$dir/out" ]
	result "peerwalk $* (status $status, expected $expected and: $text)" $?
}

# text that stdout has to contain, arguments...; status 0, stderr empty
right() {
	local text=$1 status
	shift
	"$program" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	[ $status -eq 0 ] && grep -qF -- "$text" "$dir/out" && [ ! -s "$dir/err" ]
	result "peerwalk $* (status $status, expected: $text)" $?
}

json() { # arguments...
	if ! command -v python3 >/dev/null; then
		return
	fi
	"$program" "$@" 2>"$dir/err" >"$dir/out" </dev/null
	python3 -m json.tool <"$dir/out" >"$dir/tool" 2>>"$dir/err"
	result "peerwalk $* prints valid JSON" $?
}

commands=$("$program" --help | awk '/^Subcommands/ { on = 1; next } /^$/ { on = 0 }
	on && /^  [a-z]/ { print $1 }')

# --- wrong command lines ---
wrong 2 'expected a subcommand'
wrong 2 'did you mean "crawl"' crwal bitcoin
wrong 2 'no subcommand "xyzzyx"' xyzzyx
wrong 2 'did you mean --json' --jsn
wrong 2 'did you mean --json' networks --jsno
wrong 2 'no option --xyzzyx' networks --xyzzyx
wrong 2 'it belongs to "crawl"' networks --concurrency 3
wrong 2 '--version, --verbose' networks --ver
wrong 2 'no option -Z' networks -Z
wrong 2 '--config needs a value' networks --config
wrong 2 'one argument too many' networks bitcoin
wrong 2 'PEER is missing' ping
wrong 2 'PEER is missing' peers
wrong 2 'PEER is missing' listen
wrong 2 '--follow: ethereum announces neither' listen --follow \
	"enode://d860a01f9722d78051619d1e2351aba3f43f943f6f00718d1b9baa4101932a1f5011f16bb2b1bb35db20d6fe28fa0bf09636d26a87d31de9ec6203eeedb1f666@18.138.108.67:30303"
wrong 2 'NETWORK is missing' crawl
wrong 2 'did you mean "bitcoin-signet"' crawl bitcoin-signte
wrong 2 '"peerwalk networks" lists them' crawl atlantis
wrong 2 '--count: expected a whole number from 1' ping --count 0 127.0.0.1:1
wrong 2 '--count: expected a whole number from 1' ping --count=-1 127.0.0.1:1
wrong 2 '--count: expected a whole number from 1' ping --count x 127.0.0.1:1
wrong 2 '--interval: expected a time such as' ping --interval 5parsecs 127.0.0.1:1
wrong 2 '--timeout: expected a time such as' ping --timeout '' 127.0.0.1:1
wrong 2 '--rate: expected a rate such as' crawl bitcoin --rate fast
# Zero would be no limit at all.
for zero in --rate=0/s --duration=0s --connect-timeout=0ms --timeout=0; do
	wrong 2 ', above 0, not "0' crawl bitcoin $zero
done
wrong 2 '--max-peers: expected a whole number, at least 1' crawl bitcoin --max-peers 0
wrong 2 ', above 0, not "0' ping --timeout 0s 127.0.0.1:1
wrong 2 ', above 0, not "0' listen --duration 0s 127.0.0.1:1
wrong 2 ', above 0, not "0' simulate bitcoin --duration 0s
wrong 2 '--liars: expected a share such as' simulate bitcoin --liars 250%
wrong 2 '--long: expected yes or no' peers --long=perhaps 127.0.0.1:1
wrong 2 '--completion: expected one of: bash zsh fish' help --completion tcsh
wrong 2 'expected only one of' help --man --completion bash
wrong 2 'no subcommand' help atlantis
# Peers: anything else than a peer says what was expected.
wrong 2 'expected NETWORK://HOST[:PORT]' ping ''
wrong 2 'expected NETWORK://HOST[:PORT]' ping 256.1.1.1
wrong 2 'expected NETWORK://HOST[:PORT]' ping 'two words'
wrong 2 'expected NETWORK://HOST[:PORT]' ping '[::1'
wrong 2 'expected NETWORK://HOST[:PORT]' ping bitcoin://
wrong 2 'no network "atlantis"' ping atlantis://127.0.0.1
wrong 2 'a port from 1 to 65535' ping 127.0.0.1:0
wrong 2 'a port from 1 to 65535' ping localhost:99999
wrong 2 'a port from 1 to 65535' ping localhost:
wrong 2 'no valid .onion' ping short.onion
# A chain that is not on the list.
wrong 2 '--magic needs --port' ping --network mine --magic 01020304 127.0.0.1
wrong 2 'expected four bytes in hex' ping --network mine --magic 0102 --port 1 127.0.0.1
wrong 2 'expected four bytes in hex' ping --network mine --magic zzzzzzzz --port 1 127.0.0.1
wrong 2 'choose another name' ping --magic 01020304 --port 1 127.0.0.1
wrong 2 'expected a name of lower-case' ping --network 'a b' --magic 01020304 --port 1 127.0.0.1
wrong 2 '--port describes a chain together with --magic' ping --port 1 127.0.0.1

# --- help, version, manual page, completions ---
right 'peerwalk 0.' --version
right 'peerwalk 0.' crawl --version
right 'Subcommands' --help
right 'Subcommands' help
right 'Usage' -h
count=0
for command in $commands; do
	count=$((count + 1))
	right "peerwalk $command" "$command" --help
	right "peerwalk $command" help "$command"
	"$program" "$command" --help >"$dir/out" 2>"$dir/err"
	sed -n '/^Examples$/,$p' "$dir/out" | grep -q "^  .*peerwalk .*$command"
	result "help of $command shows an example of it" $?
	[ "$(awk 'length > 100' "$dir/out" | grep -vc '^  peerwalk')" -eq 0 ]
	result "help of $command is no wider than 100 columns" $?
	! grep -q $'\033' "$dir/out"
	result "help of $command has no colour in a file" $?
	[ -z "$(grep -oE '^ {2,6}(-[a-zA-Z], )?--[a-z0-9-]+' "$dir/out" | grep -oE '\-\-[a-z0-9-]+' |
		sort | uniq -d)" ]
	result "no option of $command is there twice" $?
	[ -z "$(grep -oE '^ {2}-[a-zA-Z], --' "$dir/out" | sort | uniq -d)" ]
	result "no letter of $command is there twice" $?
done
[ $count -ge 7 ]
result "the help lists the subcommands ($count)" $?

"$program" help --man >"$dir/man" 2>"$dir/err"
for word in NAME SYNOPSIS OUTCOMES 'EXIT STATUS' ENVIRONMENT FILES EXAMPLES; do
	grep -q "^\.SH $word" "$dir/man"
	result "the manual page has a section $word" $?
done
for command in $commands; do
	grep -q "^\.SS peerwalk $command$" "$dir/man"
	result "the manual page describes $command" $?
done
grep -q '^\\fBhandshake\\_timeout\|^\\fBhandshake_timeout' "$dir/man"
result "the manual page lists the outcomes" $?
grep -q '^\\fBPEERWALK_CONCURRENCY' "$dir/man"
result "the manual page lists the variables" $?
if command -v groff >/dev/null; then
	groff -man -ww -Tutf8 "$dir/man" >"$dir/out" 2>"$dir/err"
	[ ! -s "$dir/err" ]
	result "groff has nothing to say about the manual page" $?
else
	echo "note: no groff, the manual page is not set"
fi

"$program" help --completion bash >"$dir/bash" 2>"$dir/err"
complete_bash() { # words...; the last one is being typed
	(
		# shellcheck disable=SC1091 # made just now
		source "$dir/bash"
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_peerwalk
		printf '%s\n' "${COMPREPLY[@]}"
	) >"$dir/out" 2>"$dir/err"
}
complete_bash peerwalk cr
[ "$(cat "$dir/out")" = crawl ]
result "bash completes subcommands" $?
complete_bash peerwalk crawl --conc
[ "$(cat "$dir/out")" = --concurrency ]
result "bash completes options" $?
complete_bash peerwalk crawl bitcoin-s
[ "$(cat "$dir/out")" = bitcoin-signet ]
result "bash completes networks" $?
complete_bash peerwalk help --completion = z
[ "$(cat "$dir/out")" = zsh ]
result "bash completes choices after an equals sign" $?
touch "$dir/exclude.txt"
complete_bash peerwalk crawl --exclude excl
[ "$(cat "$dir/out")" = exclude.txt ]
result "bash completes files" $?
for shell in zsh fish; do
	"$program" help --completion $shell >"$dir/$shell" 2>"$dir/err"
	grep -q concurrency "$dir/$shell"
	result "the completions for $shell have the options" $?
	if command -v $shell >/dev/null; then
		$shell -n "$dir/$shell" >"$dir/out" 2>"$dir/err"
		result "$shell reads its completions" $?
	else
		echo "note: no $shell, its completions are not read"
	fi
done

# --- what overrides what ---
# The network of a bare address tells which source won: the JSON of a ping names it,
# although nothing listens on port 1.
cat >conf.ini <<'INI'
; general settings
network = bitcoin-signet
[ping]
connect-timeout = 2s
INI
cat >own.ini <<'INI'
[ping]
network = bitcoin-testnet3
[general]
network = bitcoin-signet
INI
network_of() { # expected network, arguments...
	local expected=$1
	shift
	"$program" ping --json 127.0.0.1:1 "$@" >"$dir/out" 2>"$dir/err"
	[ $? -eq 3 ] && grep -q "\"network\": \"$expected\"" "$dir/out"
	result "the network is $expected with: $*" $?
}
network_of bitcoin
network_of bitcoin-signet --config conf.ini
network_of bitcoin-testnet3 --config own.ini
export PEERWALK_NETWORK=bitcoin-regtest
network_of bitcoin-regtest
network_of bitcoin-regtest --config conf.ini
network_of bitcoin-testnet4 --config conf.ini --network bitcoin-testnet4
PEERWALK_NETWORK='' network_of bitcoin
unset PEERWALK_NETWORK
PEERWALK_CONFIG=conf.ini network_of bitcoin-signet
PEERWALK_CONFIG=conf.ini network_of bitcoin-testnet3 --config own.ini
PEERWALK_JSON=yes "$program" networks >"$dir/out" 2>"$dir/err"
[ "$(head -c 1 "$dir/out")" = '[' ]
result "PEERWALK_JSON=yes asks for JSON" $?
PEERWALK_JSON=yes "$program" networks --json=no >"$dir/out" 2>"$dir/err"
[ "$(head -c 7 "$dir/out")" = NETWORK ]
result "--json=no overrides it" $?
"$program" --json networks >"$dir/out" 2>"$dir/err"
[ "$(head -c 1 "$dir/out")" = '[' ]
result "an option may stand before the subcommand" $?
python3 - "$dir/out" <<'PY'
import json, sys
networks = {n["name"]: n for n in json.load(open(sys.argv[1]))}
bitcoin, sepolia = networks["bitcoin"], networks["sepolia"]
assert bitcoin["magic"] == "f9beb4d9" and bitcoin["discovery"] == "session"
assert bitcoin["boot_nodes"] == [] and bitcoin["chain"] is None and bitcoin["dns_seeds"]
assert sepolia["magic"] is None and sepolia["discovery"] == "discv4"
assert sepolia["chain"] == "sepolia" and sepolia["dns_seeds"] == []
assert all(url.startswith("enode://") for url in sepolia["boot_nodes"])
assert networks["ethereum"]["chain"] is None and networks["ethereum"]["boot_nodes"]
PY
result "networks --json has both kinds of networks" $?
"$program" networks >"$dir/out" 2>"$dir/err"
grep -q '^hoodi  *ethereum  *-  *30303  *-  *3  *discv4 over UDP$' "$dir/out"
result "networks lists Ethereum's without a magic" $?

bad_config() { # text, content
	printf '%b' "$2" >bad.ini
	wrong 2 "$1" ping --config bad.ini 127.0.0.1:1
}
bad_config 'did you mean "network"' 'netwrok = bitcoin\n'
bad_config 'there is no section [pnig]; did you mean [ping]' '[pnig]\ncount = 1\n'
bad_config 'no setting "concurrency" in [ping]' '[ping]\nconcurrency = 1\n'
bad_config 'bad.ini: [ping] count: expected a whole number' '[ping]\ncount = many\n'
bad_config 'bad.ini:2: expected' 'network = bitcoin\nnonsense\n'
bad_config 'no setting "help"' 'help = yes\n'
bad_config 'bad.ini:2: the line is too long' "quiet = no\nnetwork = $(printf 'x%.0s' {1..300})\n"
wrong 1 'cannot read the configuration file nowhere.ini' networks --config nowhere.ini
PEERWALK_COUNT=many wrong 2 'PEERWALK_COUNT: expected a whole number' ping 127.0.0.1:1
# A setting for another subcommand is none of ours.
printf 'concurrency = 5\nquiet = yes\n' >other.ini
right NETWORK networks --config other.ini

# --- results ---
right dnsseed.bluematt.me networks
json networks --json
json ping --json 127.0.0.1:1 '[::1]:1'
json peers --json 127.0.0.1:1
command -v python3 >/dev/null || echo "note: no python3, the JSON is not checked"
wrong 3 'refused' peers 127.0.0.1:1
wrong 3 'refused' listen 127.0.0.1:1
"$program" ping 127.0.0.1:1 >"$dir/out" 2>"$dir/err"
[ $? -eq 3 ] && grep -q 'Check the address' "$dir/out"
result "ping explains a failure and says what to do" $?
if [ -w /dev/full ]; then
	"$program" networks >/dev/full 2>"$dir/err"
	[ $? -eq 1 ] && grep -q 'cannot write the result' "$dir/err"
	result "a full disk is told" $?
fi
"$program" networks >&- 2>"$dir/err"
[ $? -eq 1 ] && grep -q 'cannot write the result' "$dir/err"
result "a closed stdout is told" $?
"$program" node gossip --listen 127.0.0.1:0 --status "$dir/closed" --duration 100ms <&- >&- 2>&-
[ $? -eq 1 ]
result "and no socket takes the place of what is closed" $?

finish 157
