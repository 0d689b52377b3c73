#!/bin/bash
# test_seeding.sh: exports for those who run seeds, read back by the tools that they are for.
#
#     tests/e2e/test_seeding.sh PROGRAM SOURCE
#
# A watched network of Bitcoin peers and one of Ethereum nodes, on loopback: the zone by
# named-checkzone and ldns-read-zone where they are installed, the table by the rules of
# makeseeds.py (which tests/e2e/makeseeds_rules.py has in words of its own), the tree's records
# by `enr`. Then what may go wrong.
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
rules=$source_dir/tests/e2e/makeseeds_rules.py
touch in
says() {
	grep -qF -- "$1" err
}

# --- a DNS seed ---

simulate bitcoin --peers 120 --ghosts 20 --liars 0 --latency 5ms || exit 1
check "a network is watched" run 0 crawl bitcoin "${how[@]}" --quiet --db btc.db --every 1s \
	--duration 3s --timeout 3s
end_simulation TERM
zone=(export --db btc.db --format zone --origin seed.example.org --port "$port" --allow-private)
check "a zone" run 0 "${zone[@]}" --ns ns.example.net --ns ns2.example.net --serial 7 \
	--contact host.master@example.org --output seed.zone
check "says how many are good" says 'peers are good enough for a zone'
check "is whole" grep -q '^@ 3600 IN SOA ns.example.net. host\\.master.example.org. 7 ' seed.zone
check "and has names for services" grep -q '^x9 IN A 127\.' seed.zone
check "it is drawn by its serial" run 0 "${zone[@]}" --serial 8 --quiet
check "another has others" [ "$(grep -c ' IN A ' out)" -gt 0 ]
grep ' IN A ' seed.zone >7.txt
grep ' IN A ' out >8.txt
check "that is" [ "$(sort 7.txt 8.txt | uniq -d | wc -l)" -lt "$(wc -l <7.txt)" ]
check "the same one" run 0 "${zone[@]}" --serial 7 --quiet
check "has the same" [ "$(grep ' IN A ' out | cmp - 7.txt)" = '' ]
check "without name servers there are addresses alone" \
	[ "$(grep -cvE ' IN A{1,4} |^[$](ORIGIN|TTL) ' out)" = 0 ]
for checker in "named-checkzone -q seed.example.org" "ldns-read-zone -c" \
	"nsd-checkzone seed.example.org"; do
	if command -v "${checker%% *}" >/dev/null; then
		# shellcheck disable=SC2086 # a command and its options
		$checker seed.zone >zone.out 2>err
		check "${checker%% *} takes it" [ $? -eq 0 ]
	else
		echo "note: no ${checker%% *}: its check of zones is left out"
	fi
done

check "a table for makeseeds" run 0 export --db btc.db --format seeds --output dnsseed.dump
if command -v python3 >/dev/null; then
	python3 "$rules" dnsseed.dump truth.csv btc.db seed.zone >python.out 2>err
	check "makeseeds' rules, and the truth, agree" [ $? -eq 0 ]
	"$program" export --db btc.db --format seeds >month.dump 2>err
	python3 "$rules" --month month.dump truth.csv >python.out 2>err
	check "after a month makeseeds takes those that were up" [ $? -eq 0 ]
else
	echo "note: no python3: the check by the rules of makeseeds.py is left out"
fi

# --- a tree ---

simulate ethereum --peers 60 --ghosts 10 --liars 0 --latency 5ms || exit 1
check "nodes" run 0 crawl ethereum "${how[@]}" --quiet --db eth.db --no-session
end_simulation TERM
check "a key" run 0 key tree.key
check "a tree" run 0 export --db eth.db --format enrtree --origin nodes.example.org --key tree.key \
	--ns ns.example.net --output tree.zone --seq 3
check "its URL is told" grep -qE 'enrtree://[A-Z2-7]{53}@nodes.example.org$' err
check "its number" grep -q '^@ 60 IN TXT "enrtree-root:v1 e=[A-Z2-7]* l=[A-Z2-7]* seq=3 sig=' tree.zone
sed -n 's/^.* IN TXT "\(enr:.*\)"$/\1/p' tree.zone | sed 's/" "//' >leaves.txt
check "its leaves" [ "$(wc -l <leaves.txt)" -gt 40 ]
check "are records" run 0 enr leaves.txt
"$program" export --db eth.db --format enrs >enrs.txt 2>err
check "of this network" [ "$(sort leaves.txt enrs.txt | uniq -d | wc -l)" = "$(wc -l <leaves.txt)" ]
for checker in "named-checkzone -q nodes.example.org" "ldns-read-zone -c"; do
	command -v "${checker%% *}" >/dev/null || continue
	# shellcheck disable=SC2086 # a command and its options
	$checker tree.zone >zone.out 2>err
	check "${checker%% *} takes the tree" [ $? -eq 0 ]
done

# --- what may go wrong ---

cp seed.zone before.zone
check "nobody good is a failure" run 1 "${zone[@]}" --min-uptime 100% --height-within 0 \
	--max-age 1ms --output seed.zone
check "that says why" says 'peers are good enough for a zone'
check "and leaves the zone" cmp -s seed.zone before.zone
check "without a trace" [ ! -e seed.zone.new ]
check "nor does a wrong port pass" run 1 export --db btc.db --format zone --origin a.b --allow-private
check "which is named" says 'at another port than 8333'
"$program" "${zone[@]}" --quiet >/dev/full 2>err
check "a full disk is a failure" [ $? -eq 1 ]
mkfifo pipe
cat pipe >piped &
"$program" "${zone[@]}" --quiet --serial 7 --output pipe 2>err
wait $!
check "a pipe is written to as it is" [ "$(grep ' IN A ' piped | cmp - 7.txt)" = '' ]
ln -s linked.zone link
check "so is a link" run 0 "${zone[@]}" --quiet --output link
check "which stays one" [ -L link -a -s linked.zone ]

complains 'an origin is needed' 2 '--format zone needs --origin' export --db btc.db --format zone
complains 'a name' 2 '--origin: expected a DNS name' export --format zone --origin seed
complains 'nothing but a name' 2 '--origin: expected' export --format zone --origin $'a.b\n@ IN A 6.6.6.6'
complains 'name servers, too' 2 '--ns: expected' export --format zone --origin a.b --ns 'x y.z'
complains 'a contact' 2 '--contact: expected' export --format zone --origin a.b --contact 'a b@c.d'
complains 'names of services' 2 '--filter: expected' export --format zone --origin a.b --filter x1,9
complains 'each once' 2 'is there twice' export --format zone --origin a.b --filter x1,x9,x1
complains 'a time to live' 2 '--ttl: expected' export --format zone --origin a.b --ttl 10ms
complains 'of now' 2 'not of a --crawl' export --format zone --origin a.b --crawl 1
complains 'seeds, too' 2 'not of a --crawl' export --format seeds --crawl 1
complains 'an origin is for zones' 2 'is for --format zone and enrtree' export --origin a.b
complains 'a tree needs a key' 2 'needs --key FILE' export --format enrtree --origin a.b
complains 'that is there' 1 'no.key' export --format enrtree --origin a.b --key no.key
complains 'a link is a tree' 2 '--link: expected' export --format enrtree --origin a.b \
	--key tree.key --link enrtree://x@a.b
complains 'a zone is of Bitcoin' 1 'choose another with --network' \
	export --db eth.db --format zone --origin a.b
complains 'a tree is of Ethereum' 1 'none of 0 nodes' \
	export --db btc.db --format enrtree --origin a.b --key tree.key

finish 45
