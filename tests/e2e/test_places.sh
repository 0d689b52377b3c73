#!/bin/bash
# test_places.sh: where peers are (--mmdb, --asmap), in reports and exports, and databases that
# are none. All of it stays on loopback.
#
#     tests/e2e/test_places.sh PROGRAM SOURCE BUILD
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8 NO_COLOR=1

says() { # what stderr must hold
	grep -qF -- "$1" err
}

"$build/tests/e2e/make_places" . || exit 1
simulate bitcoin --peers 80 --ghosts 10 --seed 7 || exit 1
how+=(--connect-timeout 1s --timeout 3s)
crawl bitcoin --quiet --db one.db >out 2>err || { cat err; echo "the crawl failed"; exit 1; }
end_simulation TERM

# --- report ---

check "a report without databases" run 0 report --db one.db
check "has no countries" bash -c '! grep -q "^COUNTRY" out'
check "with a database of countries" run 0 report --db one.db --mmdb country.mmdb
check "it has them" grep -q '^COUNTRY' out
check "by code and name" grep -q '^  DE Germany  ' out
check "and no AS" bash -c '! grep -q "^AUTONOMOUS SYSTEM" out'
check "with two" run 0 report --db one.db --mmdb country.mmdb --mmdb asn.mmdb
check "there are both" grep -q '^AUTONOMOUS SYSTEM' out
check "with names" grep -q '^  AS64500 Example Net, Inc\.  ' out
check "with an asmap alone" run 0 report --db one.db --asmap asmap.dat
check "an AS has its number" grep -qE '^  AS64500  ' out
check "and there are no countries" bash -c '! grep -q "^COUNTRY" out'
PEERWALK_MMDB="country.mmdb asn.mmdb" "$program" report --db one.db --json >out 2>err
result "out of the environment" $?
python3 - >counted 2>err <<'END'
import json
r = json.load(open("out"))
for key in ("countries", "asns"):
    t = r[key]
    assert t["total"] > 0 and sum(row["count"] for row in t["rows"]) + t["others"] == t["total"]
    for row in t["rows"]:
        print(row["value"], row["count"])
        assert row["text"].startswith(row["value"] if key == "countries" else "AS%d" % row["value"])
END
result "the numbers in JSON agree with each other" $?
check "the page has them" run 0 report --db one.db --mmdb country.mmdb --mmdb asn.mmdb --html page.html
check "as tables" grep -q 'id="countries"' page.html

# --- export ---

check "export without databases" run 0 export --db one.db
check "has the columns" bash -c "head -n 1 out | grep -q ',country,asn,as_name\$'"
check "and nothing in them" bash -c '! tail -n +2 out | grep -qv ",,,\$"'
check "export with databases" run 0 export --db one.db --mmdb city.mmdb --mmdb asn.mmdb --output all.csv
check "has countries and systems" grep -q ',DE,64500,"Example Net, Inc\."$' all.csv
check "no formulas" bash -c '! grep -q ",=Formula" all.csv'
"$program" export --db one.db --mmdb city.mmdb --mmdb asn.mmdb --what visits >visits.csv 2>err
python3 - >out 2>err <<'END'
import csv
# Each country counts in the report what the reached peers' visits count in the export.
want = dict(line.split() for line in open("counted"))
have = {}
for row in csv.DictReader(open("visits.csv", newline="", encoding="utf-8")):
    if row["reached"] == "1" and row["country"]:
        have[row["country"]] = have.get(row["country"], 0) + 1
    if row["reached"] == "1" and row["asn"]:
        have[row["asn"]] = have.get(row["asn"], 0) + 1
assert have == {key: int(n) for key, n in want.items()}, (have, want)
END
result "and counts as the report does" $?
check "--country" run 0 export --db one.db --mmdb country.mmdb --country jp --output japan.csv
check "keeps one country" [ "$(tail -n +2 japan.csv | grep -vc ',JP,,$')" = 0 ]
check "and has somebody" [ "$(rows japan.csv)" -gt 0 ]
check "--asn" run 0 export --db one.db --asmap asmap.dat --asn 64503 --output as.csv
check "keeps one system, the same peers" [ "$(rows as.csv)" = "$(rows japan.csv)" ]
check "bitnodes with places" run 0 export --db one.db --mmdb city.mmdb --mmdb asn.mmdb --format bitnodes
check "has them" grep -q '"Berlin", "DE", 52\.5200, 13\.4050, "Europe/Berlin", "AS64500", "Example Net, Inc\."\]' out

# --- what is wrong ---

check "no such file" run 1 report --db one.db --mmdb none.mmdb
check "is named" says 'none.mmdb: No such file'
check "a folder" run 1 report --db one.db --mmdb .
check "is told" says 'is no file'
echo 'a shopping list' >notes.txt
check "another file" run 1 report --db one.db --mmdb notes.txt
check "is told apart" says "no database in MaxMind's format"
head -c 900 city.mmdb >cut.mmdb
check "half a file" run 1 export --db one.db --mmdb cut.mmdb
check "is told, with what to do" says 'get it once more'
check "an asmap that is none" run 1 report --db one.db --asmap notes.txt
check "is told" says 'no asmap file'
head -c 40 asmap.dat >cut.dat
check "half an asmap" run 1 report --db one.db --asmap cut.dat
check "says where" says '(bit '
check "--country without a database" run 2 export --db one.db --country DE
check "says what it needs" says '--mmdb'
check "--country with one of systems" run 2 export --db one.db --mmdb asn.mmdb --country DE
check "a country that is none" run 2 export --db one.db --mmdb country.mmdb --country Germany
check "no letters" run 2 export --db one.db --mmdb country.mmdb --country 12
check "none at all" run 2 export --db one.db --mmdb country.mmdb --country ''
check "--asn without a database" run 2 export --db one.db --asn 5
check "of adverts" run 2 export --db one.db --mmdb country.mmdb --country DE --what adverts
check "of a graph" run 2 export --db one.db --asmap asmap.dat --asn 7 --format dot --what adverts
nine=(--mmdb country.mmdb --mmdb country.mmdb --mmdb country.mmdb)
check "nine databases" run 2 report --db one.db "${nine[@]}" "${nine[@]}" "${nine[@]}"
check "are too many" says '8 at most'

finish 53
