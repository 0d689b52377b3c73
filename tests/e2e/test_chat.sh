#!/bin/bash
# test_chat.sh: examples/chat.c as it was built: services find each other and talk.
#
#     tests/e2e/test_chat.sh PROGRAM SOURCE BUILD
set -uo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

chat=$build/examples/chat
chat_of_three "$chat" chat

"$chat" >out 2>&1 </dev/null
check "usage" [ $? -eq 1 ]
check "it says what is expected" grep -q '^chat: expected NAME LISTEN' out
"$chat" alice nowhere >out 2>&1 </dev/null
check "no place to listen at" [ $? -eq 1 ]
check "it says what is expected" grep -q '^chat: .*ADDR:PORT' out
"$chat" alice 127.0.0.1:0 '???' >out 2>&1 </dev/null
check "no peer" grep -q '^chat: .*is no peer' out

finish 13
