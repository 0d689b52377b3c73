#!/bin/bash
# test_decode.sh: peerwalk decode: every way in, the listing, JSON, the marked error.
#
#     tests/e2e/test_decode.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

verack=f9beb4d976657261636b000000000000000000005df6e0e2
# An addr with one entry, 95.28.218.61:8333, from a tutorial on the protocol.
addr=016843905c0d0400000000000000000000000000000000ffff5f1cda3d208d
# The genesis block's header and coinbase are in tests/unit/test_blocks.c; the header alone:
genesis=0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c

decodes() { # like prints
	prints "$1" "$2" "$3" decode "${@:4}"
}

refuses() { # like complains
	complains "$1" "$2" "$3" decode "${@:4}"
}

: >in
unhex() { # hex -> binary
	local hex=$1 i
	for ((i = 0; i < ${#hex}; i += 2)); do
		printf "\\x${hex:i:2}"
	done
}

# Every way in says the same.
"$program" decode bitcoin "$verack" >first 2>err
result "hex as an argument" $?
printf '%s\n' "${verack:0:20}" "  ${verack:20}" >verack.hex
unhex "$verack" >verack.bin
for how in argument hex-file binary-file stdin dash; do
	case $how in
	argument) set -- "${verack:0:8} ${verack:8}" ;;
	hex-file) set -- verack.hex ;;
	binary-file) set -- verack.bin ;;
	stdin) set -- && cp verack.hex in ;;
	dash) set -- - && cp verack.bin in ;;
	esac
	"$program" decode bitcoin "$@" >out 2>err <in && cmp -s first out
	result "the same listing: $how" $?
done
: >in

decodes "the command's name" 0 "command                 verack" bitcoin "$verack"
decodes "an address as text" 0 "address                 95.28.218.61" bitcoin --payload addr "$addr"
decodes "services by name" 0 "(NETWORK BLOOM WITNESS NETWORK_LIMITED)" bitcoin -p addr "$addr"
decodes "a time in UTC" 0 "2019-03-19T01:18:32Z" bitcoin -p addr "$addr"
decodes "a hash in reverse" 0 \
	000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f \
	bitcoin -p headers "01${genesis}00"
decodes "another chain" 0 verack bitcoin-regtest "fabfb5da${verack:8}"
decodes "a chain of one's own" 0 verack mychain --magic 01020304 --port 1 "01020304${verack:8}"
# A stranger's text reaches no terminal: ESC ] 0 ; x BEL in a reject's reason.
decodes "escaped text" 0 '\x1b]0;x\x07' bitcoin -p reject 0010061b5d303b7807
! grep -q "$(printf '\033')" out
result "no escape on the terminal" $?

# The first error: its place, its rule, the status.
decodes "the broken field is marked" 1 "<-- here" bitcoin "${verack%e2}e3"
decodes "offset and rule" 1 "error at offset 20: the checksum is wrong; the rule: checksum" \
	bitcoin "${verack%e2}e3"
decodes "another network" 1 "error at offset 0: the magic belongs to another network" \
	bitcoin "0b110907${verack:8}"
decodes "cut short" 1 "error at offset 13: the input ends early; what is cut off: address" \
	bitcoin -p addr "${addr:0:40}"
refuses "the error on stderr, too" 1 "at offset 13" bitcoin -p addr "${addr:0:40}"

# JSON: one document, in which every byte belongs to one field.
"$program" decode bitcoin --json "$verack$verack" >out 2>err &&
	python3 - out <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
assert d["network"] == "bitcoin" and d["length"] == 48 and d["ok"] and d["error"] is None
end = 0
for f in d["fields"]:
    assert f["offset"] == end, f
    end += f["length"]
assert end == 48
assert [f["value"] for f in d["fields"] if f["name"] == "command"] == ["verack"] * 2
PY
result "JSON of two messages" $?
"$program" decode bitcoin --json -p addr fde903 >out 2>err
[ $? -eq 1 ] && python3 - out <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
assert d["ok"] is False and d["error"]["offset"] == 0 and d["error"]["name"] == "LIMIT"
assert "1,000" in d["error"]["rule"]
PY
result "JSON of an error" $?

# Ethereum. EIP-8's ping, EIP-778's record, both of one key.
ping=e9614ccfd9fc3e74360018522d30e1419a143407ffcce748de3e22116b7e8dc92ff74788c0b6663aaa3d67d641936511c8f8d6ad8698b820a7cf9e1be7155e9a241f556658c55428ec0563514365799a4be2be5a685a80971ddcfa80cb422cdd0101ec04cb847f000001820cfa8215a8d790000000000000000000000000000000018208ae820d058443b9a3550102
key=ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd31387574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f
id=a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7
record=enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8
decodes "who signed a packet" 0 "signer                  $key  (computed)" ethereum "$ping"
decodes "a packet's type" 0 "1  (ping)" ethereum "$ping"
decodes "when it expires" 0 "2006-01-02T22:04:05Z" ethereum "$ping"
decodes "the networks share it" 0 "udp port                3322" holesky "$ping"
decodes "a packet of another hash" 1 "the rule: hash: Keccak-256 of all that follows it" \
	ethereum "00${ping:2}"
! grep -q signer out
result "nobody has signed it then" $?
decodes "a record's text" 0 "(node id $id)" ethereum "$record"
decodes "a record's endpoint" 0 "enode://$key@127.0.0.1:0?discport=30303  (computed)" \
	ethereum "$record"
printf '%s\n' "$record" >in
decodes "a record in a file" 0 "(node id $id)" ethereum in
decodes "a record on stdin" 0 "(node id $id)" ethereum -
: >in
decodes "a digit that is none" 1 "error at offset 12: the text is not in the expected form" \
	ethereum "${record:0:12}!"
decodes "an URL" 0 "node id                 $id  (computed)" ethereum \
	"enode://$key@192.0.2.1:30303?discport=30301"
decodes "an URL without a port" 1 "the rule: the address: IP:PORT" ethereum "enode://$key@192.0.2.1"
decodes "any RLP" 0 'item 1                  646f67  (6582119, "dog")' ethereum c88363617483646f67
decodes "RLP that is cut" 1 "error at offset 1: the input ends early" ethereum c28363
"$program" decode ethereum --json "$ping" >out 2>err && python3 - out <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
assert d["ok"] and d["length"] == 143
end = 0
for f in d["fields"]:
    assert f["offset"] == end, f
    end += f["length"]
assert end == 143
assert [f["value"] for f in d["fields"] if f["name"] == "ip"] == ["127.0.0.1", "::1"]
PY
result "JSON of a packet" $?
refuses "records are not Bitcoin's" 1 "neither hex nor a file" bitcoin "$record"

# What can't be decoded at all.
refuses "no network" 2 "NETWORK is missing"
refuses "no such network" 2 "nosuch" nosuch 00
refuses "no such message" 2 "no message is called" bitcoin -p nosuch 00
refuses "an odd digit" 1 "odd number" bitcoin f9b
refuses "no such file" 1 "neither hex nor a file" bitcoin no-such-file
refuses "an empty input" 1 "is empty" bitcoin -
printf 'zz' >in
decodes "neither hex nor a message" 1 "error at offset 0" bitcoin -

finish 46
