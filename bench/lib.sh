# lib.sh: what the benchmarks that crawl a simulated network share: start it, crawl it, read numbers.
# Sourced, with the folder of the build as $1; PEERS and RUNS in the environment change the size, SHORT
# makes all of it small. What is measured goes to the file FIGURES as well, for bench/table.py.
# shellcheck shell=bash disable=SC2034 # used by who sources this
set -euo pipefail

build=${1:?usage: $0 BUILD-FOLDER}
short=${SHORT-}
peers=${PEERS:-${short:+2000}}
peers=${peers:-10000}
runs=${RUNS:-${short:+3}}
runs=${runs:-5}
peerwalk=$build/peerwalk
work=$(mktemp -d)
simulator=
# Of our own, below those that the kernel gives away: two can run side by side.
port=$((10000 + $$ % 2000 * 10))

finish() {
	[ -z "$simulator" ] || kill -INT "$simulator" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

# A row of the table. FLOOR may be null; the ratio is that of both, where it isn't given.
figure() { # NAME VALUE UNIT FLOOR [RATIO]
	printf '{"name": "%s", "value": %s, "unit": "%s", "floor": %s, "ratio": %s}\n' \
		"$1" "$2" "$3" "$4" "${5:-null}" >>"${FIGURES:-/dev/null}"
}

# The middle one of several numbers.
median() {
	sort -g | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'
}

# The number that a key has in a JSON document on stdin.
number() {
	sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" | head -n 1
}

simulate() { # NETWORK GHOSTS LIARS [OPTIONS]
	"$peerwalk" simulate "$1" --peers "$peers" --ghosts "$2" --liars "$3" --seed 1 \
		--port "$port" --latency 50ms --truth "$work/truth.csv" --seeds-out "$work/seeds" "${@:4}" \
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

pinned() { # CORES THREADS NETWORK [OPTIONS]: peers a second, with the simulator on the same cores
	taskset -cp "$1" "$simulator" >/dev/null
	rm -f "$work"/crawl.db*
	taskset -c "$1" "$peerwalk" crawl "$3" --no-default-seeds --allow-private \
		--seeds "$work/seeds" --db "$work/crawl.db" --json --quiet --threads "$2" "${@:4}" \
		>"$work/crawl.json"
	awk -v seconds="$(number seconds <"$work/crawl.json")" \
		-v reached="$(number reached <"$work/crawl.json")" 'BEGIN { print reached / seconds }'
}

# The simulator shares the cores, so it is counted in: one core for both, then two for both.
two_to_one() { # NAME NETWORK [OPTIONS of the crawl]
	local one two

	one=$(pinned 0 1 "${@:2}")
	two=$(pinned 0,1 2 "${@:2}")
	awk -v one="$one" -v two="$two" 'BEGIN {
		printf "  one core %.0f, two cores %.0f: ratio %.2f\n", one, two, two / one
	}'
	figure "$1" "$two" /s "$one"
}

score() { # a number of the newest crawl against the truth
	"$peerwalk" score --truth "$work/truth.csv" --db "$work/crawl.db" --json | number "$1"
}

heading() {
	printf '\n%s\n' "$1"
}
