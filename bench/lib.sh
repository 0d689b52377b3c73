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
simulators=()
# Ten of our own, five for each simulator, below those that the kernel gives away: two benchmarks can
# run side by side.
port=$((10000 + $$ % 2000 * 10))

finish() {
	[ ${#simulators[@]} -eq 0 ] || kill -INT "${simulators[@]}" 2>/dev/null || true
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

simulate() { # NETWORK GHOSTS LIARS [OPTIONS]; once more: another network beside the first
	local n=${#simulators[@]}

	"$peerwalk" simulate "$1" --peers "$peers" --ghosts "$2" --liars "$3" --seed $((n + 1)) \
		--port $((port + 5 * n)) --latency 50ms --truth "$work/truth.csv" \
		--seeds-out "$work/seeds" "${@:4}" >"$work/simulator.json" 2>"$work/simulator.log" &
	simulators+=($!)
	for _ in $(seq 300); do
		grep -q ready "$work/simulator.json" && return
		kill -0 "${simulators[n]}" 2>/dev/null || { cat "$work/simulator.log" >&2; exit 1; }
		sleep 0.1
	done
	echo "the simulator did not get ready" >&2
	exit 1
}

stop_simulators() {
	kill -INT "${simulators[@]}"
	wait "${simulators[@]}" || true
	simulators=()
}

crawl() { # NETWORK [OPTIONS]: the final JSON, on stdout
	rm -f "$work"/crawl.db*
	"$peerwalk" crawl "$1" --no-default-seeds --allow-private --seeds "$work/seeds" \
		--db "$work/crawl.db" --json --quiet "${@:2}"
}

# Visits that reached somebody a second, between the tenth and the ninetieth of a hundred: how a crawl
# begins and what it waits for at its end are no work.
rate() {
	local ends='s/.*"started_at":"[^T]*T\(..\):\(..\):\([0-9.]*\)Z"'

	ends+='.*"reached":true.*"total_ms":\([0-9]*\).*/\1 \2 \3 \4/p'
	"$peerwalk" export --what visits --format jsonl --db "$work/crawl.db" | sed -n "$ends" |
		awk '{ print $1 * 3600 + $2 * 60 + $3 + $4 / 1000 }' | sort -g |
		awk '{ t[NR] = $1 }
			END { a = int(NR * 0.1) + 1; b = int(NR * 0.9); print (b - a) / (t[b] - t[a]) }'
}

pinned() { # CORES THREADS NETWORK [OPTIONS]: the rate, with the simulators on the same cores
	local pid

	for pid in "${simulators[@]}"; do
		taskset -acp "$1" "$pid" >/dev/null
	done
	rm -f "$work"/crawl.db*
	taskset -c "$1" "$peerwalk" crawl "$3" --no-default-seeds --allow-private \
		--seeds "$work/seeds" --db "$work/crawl.db" --json --quiet --threads "$2" "${@:4}" \
		>"$work/crawl.json"
	rate
}

# The simulators share the cores, so they are counted in: one core for all, then two for all.
two_to_one() { # NAME NETWORK [OPTIONS of the crawl]
	for _ in 1 2 3; do
		echo "$(pinned 0 1 "${@:2}") $(pinned 0,1 2 "${@:2}")"
	done | awk '{ print $2 / $1, $1, $2 }' | sort -g >"$work/rounds"
	awk '{ printf "  one core %.0f, two cores %.0f: ratio %.2f\n", $2, $3, $1 }' "$work/rounds"
	figure "$1" "$(awk 'NR == 2 { print $3 }' "$work/rounds")" /s \
		"$(awk 'NR == 2 { print $2 }' "$work/rounds")"
}

score() { # a number of the newest crawl against the truth
	"$peerwalk" score --truth "$work/truth.csv" --db "$work/crawl.db" --json | number "$1"
}

heading() {
	printf '\n%s\n' "$1"
}
