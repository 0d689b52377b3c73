#!/bin/bash
# test_enr.sh: peerwalk key and peerwalk enr: keys are made and kept, records read and made.
#
#     tests/e2e/test_enr.sh PROGRAM
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

# name, an expression on the document d in ./out
json() {
	record=$record id=$id public=$public python3 -c 'import json, os, sys
d, env = json.load(open("out")), os.environ
sys.exit(0 if eval("(" + sys.argv[1] + ")") else 1)' "$2" 2>err
	result "$1" $?
}

: >in
umask 022

# EIP-778, "Test Vectors": the key, its node id, and a record.
key=b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291
id=a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7
public=ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138
public+=7574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f
record=enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls
record+=8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1
record+=ZHCCdl8
# Signed with that key. The first has the largest sequence number, Sepolia's fork id before
# Dencun (f7f9bc08, next 1706655072: published in go-ethereum's forkid_test.go) and keys of
# no meaning here; the second a key that turns terminals red, and values that are not what
# their keys promise.
sepolia=enr:-MG4QJ6p3oDH8XWLkxu9Imugr7oy-9SGbpV1-81_kYkP6P52L8REb2br_Fjs033wMv8-C9srjcLlhWg_o86e
sepolia+=-rGJN_WI__________-GY2xpZW50yIRHZXRogjEug2V0aMvKhPf5vAiEZbl9YIJpZIJ2NIJpcITAAAIHiXNlY3A
sepolia+=yNTZrMaEDymNMrg1JrLQB2KTGtv6MVbcNEVv0AHacwUAPMljNMTiEc25hcMCDdGNwgnZgg3VkcIJ2X4N6enqDAQ
sepolia+=L_
strange=enr:-LK4QIP8xD8ErpN6OKh5feHrgfms-adVWohdTwgg5U-dtb9ZVJgB9l3HYSxCdZxdU63E4Zciw4wnUXdWn7Lt
strange+=2T9Y5SUDhRtbMzFteINldGjHxoTerb7vgIJpZIJ2NIJpcIUBAgMEBYNpcDaQIAENuAAAAAAAAAAAAAAAAYlzZWN
strange+=wMjU2azGhA8pjTK4NSay0Adikxrb-jFW3DRFb9AB2nMFADzJYzTE4g3RjcICDdWRwggAB

# --- key ---

printf '%s' $key >geth.key
chmod 600 geth.key
prints "the public key of a known key" 0 "public key  $public" key geth.key
prints "its node id" 0 "node id     $id" key geth.key
prints "its URL" 0 "enode       enode://$public@192.0.2.1:30303" key geth.key --enode 192.0.2.1:30303
prints "IPv6 in brackets" 0 "@[fd00::1]:30303" key geth.key -e '[fd00::1]:30303'
! grep -qF $key out && ! grep -qF $key err
result "the private key is not printed" $?
[ "$(cat geth.key)" = $key ]
result "the file is left as it is" $?

prints "a new key" 0 "node id" key new.key
grep -qF "new.key is new" err
result "a new key is announced" $?
[ "$(stat -c '%a %s' new.key)" = '600 65' ] && grep -qxE '[0-9a-f]{64}' new.key
result "a new key is the owner's alone, 64 digits and a line feed" $?
cp out first
prints "the same key again" 0 "node id" key new.key
cmp -s out first && [ ! -s err ]
result "the same again, and nothing new" $?
prints "another file" 0 "node id" key --quiet other.key
! cmp -s out first && [ ! -s err ]
result "has another key" $?

chmod 644 other.key
complains "a key that others may read" 1 "chmod 600" key other.key
[ ! -s out ]
result "says nothing of it" $?
printf '%063d\n' 1 >short.key
chmod 600 short.key
complains "a digit too few" 1 "expected 64 hexadecimal digits" key short.key
printf '%064d\n' 0 >zero.key
chmod 600 zero.key
complains "no key" 1 "is no private key" key zero.key
complains "no folder" 1 "make the folder" key missing/node.key
complains "a folder" 1 "is no file" key .
[ ! -e missing ]
result "nothing was made" $?
complains "no port" 2 "expected ADDR:PORT" key new.key --enode 192.0.2.1
complains "port 0" 2 "expected ADDR:PORT" key new.key --enode 192.0.2.1:0
complains "a name" 2 "expected ADDR:PORT" key new.key --enode example.org:30303
complains "no host's address" 2 "expected ADDR:PORT" key new.key --enode 224.0.0.1:30303
complains "a wrong command line makes no file" 2 "expected ADDR:PORT" key never.key --enode x
[ ! -e never.key ]
result "no file" $?
complains "no name" 2 "FILE is missing" key

# --- enr: reading ---

prints "its node id" 0 "node id     $id" enr $record
prints "its sequence number" 0 "seq         1" enr $record
prints "its URL" 0 "enode://$public@127.0.0.1:0?discport=30303" enr $record
prints "its text" 0 "record      $record" enr $record
prints "an address" 0 "  ip        127.0.0.1" enr $record
prints "a port" 0 "  udp       30303" enr $record
prints "its key" 0 "  secp256k1 0x03${public:0:64}" enr $record
prints "another TCP port" 0 "@192.0.2.7:30304?discport=30303" enr "$sepolia"
prints "the largest number" 0 "seq         18446744073709551615" enr "$sepolia"
prints "a fork id" 0 "  eth       f7f9bc08, next fork at 1706655072  (sepolia, after 2 of" enr "$sepolia"
prints "an unknown key" 0 "  zzz       0x0102ff" enr "$sepolia"
prints "an unknown list" 0 "  client    0xc8844765746882312e  (an RLP list)" enr "$sepolia"
prints "an unknown chain" 0 "deadbeef, no next fork  (a chain that is not known here)" enr "$strange"
prints "a key with control characters" 0 '  \x1b[31m  0x78' enr "$strange"
! grep -q $'\033' out
result "the terminal stays as it is" $?
prints "an address of five bytes" 0 "  ip        0x0102030405" enr "$strange"
prints "a port with a leading zero" 0 "  udp       0x0001" enr "$strange"
prints "IPv6 alone" 0 "enode6      enode://$public@[2001:db8::1]:" enr "$strange"

printf '# two records\n\n%s # the first\r\n  %s' "$record" "$sepolia" >records
prints "from a file" 0 "seq         18446744073709551615" enr records
[ "$(grep -c '^record ' out)" -eq 2 ]
result "both of the file" $?
cp records in
prints "from the standard input" 0 "$sepolia" enr -
prints "from all ways in" 0 "seq         3" enr records "$strange" -
[ "$(grep -c '^record ' out)" -eq 5 ]
result "five in all" $?
: >in

# What is wrong with a record.
complains "a changed signature" 1 "signature: made of the rest, by the key in the record" enr "${record/HCYrY/HCYrX}"
complains "a changed port" 1 "signature: made of the rest" enr "${record%8}4"
complains "cut short" 1 "the input ends early; what is cut off: " enr "${record:0:80}"
complains "no base64" 1 "URL-safe base64, without padding" enr "$record=="
complains "nothing at all" 1 "what is cut off: record" enr enr:
complains "longer than a record" 1 "no longer than 300 bytes" enr "$record${record:4}${record:4}"
complains "something else" 1 "neither a record (enr:...) nor a file" enr enode://$public@127.0.0.1:1
complains "an empty file" 1 "there is no record" enr /dev/null
complains "no record" 2 "RECORD is missing" enr
printf '%s\nenr:AAAA\n%s\n' "$record" "$sepolia" >mixed
complains "the place in a file" 1 "mixed:2: " enr mixed
[ "$(grep -c '^record ' out)" -eq 2 ]
result "the good ones are printed nevertheless" $?
head -c 5000 /dev/zero | tr '\0' a >long
complains "a file of something else" 1 "long:1: " enr long

# --- enr: making ---

prints "a record as EIP-778 has it" 0 "$record" enr --key geth.key --ip 127.0.0.1 --udp 30303
[ "$(cat out)" = "$record" ]
result "and nothing else" $?
"$program" enr -k new.key --ip 192.0.2.1 --udp 30303 --tcp 30304 --seq 18446744073709551615 \
	--ip6 fd00::1 --udp6 9 --tcp6 10 >made 2>err
result "with everything" $?
cp made in
prints "can be read again" 0 "seq         18446744073709551615" enr -
for line in 'ip        192.0.2.1' 'udp       30303' 'tcp       30304' 'ip6       fd00::1' \
	'udp6      9' 'tcp6      10'; do
	grep -qxF "  $line" out
	result "with $line" $?
done
[ "$(grep '^node id' out)" = "$(grep '^node id' first)" ]
result "by that key" $?
: >in
complains "no key" 1 '"peerwalk key FILE" makes one' enr --key never.key
[ ! -e never.key ]
result "no key is made" $?
complains "others may read the key" 1 "chmod 600" enr --key other.key
complains "a port without a key" 2 "--key FILE" enr --udp 1
complains "IPv6 for IPv4" 2 "--ip: expected an IPv4 address" enr --key geth.key --ip fd00::1
complains "IPv4 for IPv6" 2 "--ip6: expected an IPv6 address" enr --key geth.key --ip6 192.0.2.1
complains "an address with a port" 2 "without a port" enr --key geth.key --ip 192.0.2.1:1
complains "everybody's address" 2 "--ip: expected" enr --key geth.key --ip 0.0.0.0
complains "no port" 2 "--tcp: expected a whole number" enr --key geth.key --tcp 65536
# A key that the environment names is for all commands; reading needs none.
PEERWALK_KEY=never.key "$program" enr $record >out 2>err
result "a key of the environment does not matter to reading" $?

# --- JSON ---

if command -v python3 >/dev/null; then
	"$program" key geth.key --json >out 2>err
	json "key" 'd == {"file": "geth.key", "created": False, "public_key": env["public"],
		"node_id": env["id"], "enode": None}'
	"$program" key json.key --json --enode 192.0.2.1:1 >out 2>err
	json "a new key" 'd["created"] and d["enode"].endswith("@192.0.2.1:1")'
	"$program" enr --json "$record" "$strange" >out 2>err
	json "records" 'len(d) == 2 and d[0]["record"] == env["record"] and d[0]["bytes"] == 134 and
		d[0]["seq"] == 1 and d[0]["node_id"] == env["id"] and d[0]["ok"] is True and
		d[0]["error"] is None and d[0]["eth"] is None and d[0]["enode6"] is None and
		d[0]["enode"].endswith("@127.0.0.1:0?discport=30303") and len(d[0]["signature"]) == 128'
	json "pairs" '[p["key"] for p in d[0]["pairs"]] == ["id", "ip", "secp256k1", "udp"] and
		d[0]["pairs"][1]["value"] == "127.0.0.1" and
		d[0]["pairs"][3] == {"key": "udp", "value": 30303, "rlp": "82765f"}'
	json "strange pairs" 'd[1]["enode"] is None and d[1]["pairs"][0]["key"] == "\\x1b[31m" and
		d[1]["eth"] == {"hash": "deadbeef", "next": 0, "chain": None, "forks_passed": None}'
	"$program" enr --json "$sepolia" >out 2>err
	json "a fork id" 'd[0]["seq"] == "18446744073709551615" and d[0]["eth"] == {"hash": "f7f9bc08",
		"next": 1706655072, "chain": "sepolia", "forks_passed": 2}'
	json "a list" 'd[0]["pairs"][0] == {"key": "client", "value": None, "rlp": "c8844765746882312e"}'
	"$program" enr --json mixed >out 2>err
	json "a wrong one among them" '[r["ok"] for r in d] == [True, False, True] and
		d[1]["source"] == "mixed:2" and sorted(d[1]) == ["error", "ok", "source"] and
		all(d[1]["error"][k] for k in ("name", "message", "rule"))'
	"$program" enr --json /dev/null >out 2>err
	json "none" 'd == []'
	"$program" enr --json --key geth.key --ip 127.0.0.1 --udp 30303 >out 2>err
	json "a made one" 'd["record"] == env["record"]'
else
	echo "note: no python3, the JSON is not checked"
fi

finish 81
