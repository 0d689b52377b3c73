#!/bin/bash
# test_html.sh: a report as a page, of several crawls of a network that changes, read back by
# parsers of Python's own. All of it stays on loopback.
#
#     tests/e2e/test_html.sh PROGRAM SOURCE
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8 NO_COLOR=1

says() { # what stderr must hold
	grep -qF -- "$1" err
}

# The same numbers as the JSON, and nothing that a browser would fetch or run.
reads() { # page, options of report...
	"$program" report "${@:2}" --json >page.json 2>err &&
		python3 "$source_dir/tests/support/read_page.py" "$1" page.json >out 2>err
}

# What a crawl has kept of itself is what its visits say; but for what only kept reports know of
# the crawls before.
kept_as_walked() { # database
	python3 - "$program" "$1" 2>err <<'PYTHON'
import json, sqlite3, subprocess, sys

def report():
    text = subprocess.run([sys.argv[1], 'report', '--json', '--db', sys.argv[2]],
                          stdout=subprocess.PIPE, check=True).stdout
    doc = json.loads(text)
    for crawl in doc['history']:
        crawl.pop('values')
    return doc

kept = report()
copy = sqlite3.connect(':memory:')
with sqlite3.connect(sys.argv[2]) as db:
    db.backup(copy)
    assert db.execute('DELETE FROM reports').rowcount == db.execute(
        'SELECT count(*) FROM crawls').fetchone()[0], 'a report for each crawl'
db.close()
assert report() == kept, 'as the visits say'
# And without them.
with sqlite3.connect(sys.argv[2]) as db:
    copy.backup(db)
    db.execute('DELETE FROM node_visits')
    db.execute('DELETE FROM visits')
db.close()
assert report() == kept, 'as it was kept'
assert kept['reached'] > 0
PYTHON
}

refuses() { # what is to be done to the page, in sed's words
	sed -E "$1" two.html >changed.html
	! cmp -s two.html changed.html && ! reads changed.html --db one.db
}

# Each on ports of its own: by the second crawl all of the first ones have gone, and others came.
for peers in 150 120; do
	simulate bitcoin --peers $peers --ghosts 100 --seed 5 --latency 10ms || exit 1
	crawl bitcoin --connect-timeout 1s --timeout 3s --quiet --db one.db >out 2>err ||
		{ cat err; echo "the crawl failed"; exit 1; }
	[ -e one.html ] || check "one crawl" run 0 report --db one.db --html one.html
	end_simulation TERM
done
check "two crawls" run 0 report --db one.db --html two.html
check "leaves stdout alone" [ ! -s out ]
check "it says where the page is" says 'two.html'
check "quiet" run 0 report --db one.db --html two.html --quiet
check "it does not" [ ! -s err ]
check "the first crawl has no history" bash -c '! grep -q "id=\"history\"" one.html'
check "the second one has" grep -q 'id="history"' two.html
check "it asks for nothing" bash -c '! grep -qE "(src|href|action|data)=|url\(|@import" two.html'
check "--json has the history" run 0 report --db one.db --json
check "of both" [ "$(grep -c '"came":' out)" = 2 ]
check "who came are those that were reached" \
	[ "$(json_value came out)" = null -a "$(grep '"came":' out | tail -1 | tr -dc 0-9)" = \
	"$(json_value reached out)" ]

if command -v python3 >/dev/null; then
	check "Python reads the same" reads two.html --db one.db
	check "also of the first crawl" run 0 report --db one.db --crawl 1 --html one.html
	check "as it was" reads one.html --db one.db --crawl 1
	check "all rows" run 0 report --db one.db --top 0 --html all.html
	check "are there" reads all.html --db one.db --top 0
	cp one.db kept.db
	check "a kept report is what a walk says" kept_as_walked kept.db
	# It would notice.
	check "another number" refuses '0,/<td>[0-9]/s/<td>[0-9]/<td>7,77/'
	check "a script" refuses 's/<main>/<main><script>1<\/script>/'
	check "an attribute that runs" refuses 's/<main>/<main onclick="x">/'
	check "a picture from elsewhere" refuses 's/<main>/<main><img src="x"\/>/'
	check "another style" refuses 's/<\/style>/ <\/style>/'
	check "a mark that turns the writing around" refuses $'s/<h1>/<h1>\u202e/'
	check "an element that does not end" refuses 's/<\/main>//'

	simulate ethereum --peers 60 --ghosts 20 --seed 4 --latency 5ms || exit 1
	crawl ethereum --quiet --db nodes.db >out 2>err || { cat err; echo "the crawl failed"; exit 1; }
	check "of Ethereum" run 0 report --db nodes.db --html nodes.html
	check "Python reads the same of nodes" reads nodes.html --db nodes.db
	cp nodes.db kept.db
	check "a kept report is what a walk says of nodes" kept_as_walked kept.db
	check "one chain" run 0 report --db nodes.db --fork mainnet --html fork.html
	check "Python reads the same of it" reads fork.html --db nodes.db --fork mainnet
	check "it says which" grep -q '<h1><bdi>ethereum</bdi>: <bdi>mainnet</bdi></h1>' fork.html
else
	echo "note: no python3: the pages are not read back"
fi

check "--html or --json" run 2 report --db one.db --html x.html --json
check "is said" says '--html'
check "nor of books" run 2 report --db one.db --html x.html --what book
check "no such crawl" run 1 report --db one.db --crawl 77 --html x.html
check "makes no page" [ ! -e x.html ]
check "- is the standard output" run 0 report --db one.db --html -
check "which has the page" grep -q '^<!DOCTYPE html>' out
check "and is no file" [ ! -e ./- ]
check "nor is it of an export" run 0 export --db one.db --output -
check "which has the rows" grep -q '^network,peer,' out
check "a missing folder" run 1 report --db one.db --html none/x.html
check "is named" says 'none/x.html'
if [ -w /dev/full ]; then
	check "a full disk" run 1 report --db one.db --html /dev/full
	check "is said, too" says 'No space'
	echo old >kept.html
	ln -s /dev/full kept.html.new
	check "a disk that gets full" run 1 report --db one.db --html kept.html
	check "is said with the remedy" says 'name another file with --html'
	check "and leaves the old page" [ "$(cat kept.html)" = old ]
fi
if command -v python3 >/dev/null; then finish 45; else finish 27; fi
