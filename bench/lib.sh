# lib.sh: what the benchmarks that crawl a simulated network share: start it, crawl it, read numbers.
# Sourced, with the folder of the build as $1; PEERS and RUNS in the environment change the size.
# shellcheck shell=bash disable=SC2034 # used by who sources this
set -euo pipefail

build=${1:?usage: $0 BUILD-FOLDER}
peers=${PEERS:-10000}
runs=${RUNS:-5}
peerwalk=$build/peerwalk
work=$(mktemp -d)
simulator=

finish() {
	[ -z "$simulator" ] || kill -INT "$simulator" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

# The number that a key has in a JSON document on stdin.
number() {
	sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" | head -n 1
}

simulate() { # NETWORK GHOSTS LIARS [OPTIONS]
	"$peerwalk" simulate "$1" --peers "$peers" --ghosts "$2" --liars "$3" --seed 1 \
		--latency 50ms --truth "$work/truth.csv" --seeds-out "$work/seeds" "${@:4}" \
		>"$work/simulator.json" 2>"$work/simulator.log" &
	simulator=$!
	for _ in $(seq 300); do
		grep -q ready "$work/simulator.json" && return
		kill -0 "$simulator" 2>/dev/null || { cat "$work/simulator.log" >&2; exit 1; }
		sleep 0.1
	done
	echo "the simulator did not get ready" >&2
	exit 1
}

stop_simulator() {
	kill -INT "$simulator"
	wait "$simulator" || true
	simulator=
}

crawl() { # NETWORK [OPTIONS]: the final JSON, on stdout
	rm -f "$work"/crawl.db*
	"$peerwalk" crawl "$1" --no-default-seeds --allow-private --seeds "$work/seeds" \
		--db "$work/crawl.db" --json --quiet "${@:2}"
}

score() { # a number of the newest crawl against the truth
	"$peerwalk" score --truth "$work/truth.csv" --db "$work/crawl.db" --json | number "$1"
}

heading() {
	printf '\n%s\n' "$1"
}
