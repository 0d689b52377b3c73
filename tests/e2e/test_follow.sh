#!/bin/bash
# test_follow.sh: peerwalk listen --follow at a peer that does not always give what it announces.
#
#     tests/e2e/test_follow.sh PROGRAM SOURCE
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "there is no python3 here"; exit 77; }

# Listens to such a peer; what it was asked is in asked.
follow() { # options...
	local seconds
	# A busy machine may need longer for the seven lines.
	for seconds in 1 4 16; do
		: >asked # before it is there, the file has what the last one said
		python3 "$source_dir/tests/e2e/announcing_peer.py" >asked 2>peer.err &
		within test -s asked || { cat peer.err; return 1; }
		run 0 listen --follow --duration ${seconds}s "$@" \
			"bitcoin-regtest://127.0.0.1:$(head -n 1 asked)" || return 1
		[ "$(wc -l <asked)" -lt 7 ] || return 0
	done
	return 1
}

hash_of() { # a digit, 32 times as a byte
	printf "0$1%.0s" $(seq 32)
}

check "listen --follow" follow
cp err said
cp asked out
check "asks for all four transactions, without witness" [ "$(grep -c '^getdata 1 ' asked)" = 4 ]
check "in one order" [ "$(tail -n +2 asked | cut -d' ' -f1 | uniq -c | tr -s ' \n' ' ')" = \
	' 4 getdata 2 getheaders ' ]
check "and once each" [ -z "$(sort asked | uniq -d)" ]
check "listen --follow again" follow
check "what was asked for is said to be that" \
	grep -q '^      as asked for  txid [0-9a-f]\{64\}  63 bytes, weight 252$' out
check "with inputs" grep -q '^      in 0  0\{64\}:4294967295  sequence 0xffffffff  script 6162$' out
check "and outputs" grep -q '^      out 0  50.00000000 BTC  script 51$' out
check "what was not is said to be something else" grep -q '^      not what was asked for  txid ' out
check "what is not there" grep -q "^      the peer does not have: tx $(hash_of 3)" out
check "a header" grep -q '^      as asked for  block [0-9a-f]\{64\}$' out
check "and one that is not there" grep -q "^      the peer does not have: block $(hash_of 5)" out
check "how it went" grep -q '6 announced, 6 asked for, 2 came; 2 not there, .* 1 not asked for$' err

check "listen --follow --json" follow --json
check "is what it should be" python3 - <<'PYTHON'
import json

messages = [json.loads(line) for line in open('out')]
txs = [m['tx'] for m in messages if 'tx' in m]
assert [tx['asked'] for tx in txs] == [True, False], txs
assert txs[0]['outputs'] == [{'value': 5000000000, 'script': '51'}]
assert txs[0]['inputs'] == [{'txid': 64 * '0', 'index': 4294967295, 'script': '6162',
                             'sequence': 4294967295, 'witness': []}]
assert txs[0]['txid'] == txs[0]['wtxid'] and txs[0]['size'] == 63 and txs[0]['weight'] == 252
assert txs[0]['txid'] in [line.split()[-1] for line in open('asked')]
blocks = [b for m in messages for b in m.get('blocks', [])]
assert len(blocks) == 1 and blocks[0]['asked'] and blocks[0]['nonce'] == 9, blocks
assert blocks[0]['time'] == '2027-01-15T08:00:00Z' and blocks[0]['bits'] == 0x207fffff
missing = [x for m in messages for x in m.get('missing', [])]
assert missing == [{'type': 'tx', 'hash': 32 * '03'}, {'type': 'block', 'hash': 32 * '05'}], missing
PYTHON
finish 15
