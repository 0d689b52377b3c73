#!/bin/bash
# test_docs.sh: what the documents show is true.
#
#     tests/e2e/test_docs.sh PROGRAM SOURCE
#
# Commands and options that docs/cli.md and README.md name exist; links between documents
# lead somewhere; the list of outcomes is that of the code; the manual page has every
# option that --help has.
# shellcheck disable=SC2013,SC2016 # words without blanks; backquotes are Markdown's
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
export NO_COLOR=1 COLUMNS=100

"$program" help --man >"$dir/man" 2>"$dir/err"
result 'the manual page is printed' $?
# roff writes a hyphen as \- .
sed 's/\\-/-/g; s/\\f[A-Z]//g' "$dir/man" >"$dir/man.txt"
if command -v groff >/dev/null; then
	groff -man -Tascii -ww "$dir/man" 2>&1 >/dev/null | tee "$dir/warnings"
	[ ! -s "$dir/warnings" ]
	result 'groff has no warnings about the manual page' $?
fi

"$program" --help >"$dir/help" 2>&1
result 'help' $?
commands=$(sed -n 's/^\.SS "\{0,1\}\(peerwalk \)\{0,1\}\([a-z]*\).*/\2/p' "$dir/man" | sort -u)
[ -n "$commands" ] || commands=$(sed -n 's/^  \([a-z]\{4,\}\)  .*/\1/p' "$dir/help")
[ -n "$commands" ]
result 'the manual page lists subcommands' $?
for command in $commands; do
	"$program" "$command" --help >"$dir/help.$command" 2>"$dir/err"
	result "$command --help" $?
	for option in $(grep -oE '(^|[ ,])--[a-z][a-z-]+' "$dir/help.$command" | tr -d ' ,' | sort -u); do
		grep -qF -- "$option" "$dir/man.txt"
		result "the manual page has $command's $option" $?
	done
done

# Options in the documents: in the section or the command line of a subcommand.
options_of() { # command, file
	awk -v command="$1" '
		/^## / { inside = 0; n = split(substr($0, 4), words, /[ ,]+/)
			for (i = 1; i <= n; i++) if (words[i] == command) inside = n == 1 || words[2] == "NETWORK" ? 1 : 2 }
		# A section on several commands has an item for each.
		inside == 2 && /^- / { item = index($0, "- `" command " ") == 1 || index($0, "- `" command "`") == 1 }
		!/^(- |  )/ { item = 0 }
		inside == 1 || (inside == 2 && item) || $0 ~ "^(\\$ )?peerwalk " command " " { print }
	' "$2" | grep -oE -- '--[a-z][a-z-]+' | sort -u
}
for command in $commands; do
	for file in docs/cli.md README.md; do
		for option in $(options_of "$command" "$source_dir/$file"); do
			grep -qF -- "$option" "$dir/help.$command"
			result "$file: $command has $option" $?
		done
	done
done

# One list of outcomes.
sed -n 's/.*\tX([A-Z_]*, "\([a-z_]*\)", "[^"]*").*/\1/p' "$source_dir/src/base/peer.h" |
	sort >"$dir/outcomes.code"
sed -n '/^## Outcomes/,/^## /s/^| `\([a-z_]*\)` |.*/\1/p' "$source_dir/docs/cli.md" |
	sort >"$dir/outcomes.docs"
[ -s "$dir/outcomes.code" ] && diff "$dir/outcomes.code" "$dir/outcomes.docs"
result 'docs/cli.md has the outcomes of the code' $?

# Links inside the repository.
for file in README.md CONTRIBUTING.md docs/*.md; do
	[ -f "$source_dir/$file" ] || continue
	for link in $(grep -oE '\]\([^)#: ]+' "$source_dir/$file" | sed 's/](//'); do
		[ -e "$source_dir/$(dirname "$file")/$link" ]
		result "$file: the link to $link" $?
	done
	# Targets of make and files that are named.
	for target in $(grep -oE '(^|`)make [a-z]+' "$source_dir/$file" | sed 's/.*make //' | sort -u); do
		grep -qE "^([a-z]+ )*$target( [a-z]+)*:" "$source_dir/Makefile"
		result "$file: make $target" $?
	done
done

# The queries of docs/database.md and docs/monitoring.md, on a database of the program's own making.
if command -v python3 >/dev/null && "$program" crawl --help >/dev/null 2>&1; then
	"$program" crawl bitcoin --no-default-seeds --seed 127.0.0.1:1 --allow-private --quiet \
		--db "$dir/a.db" >/dev/null 2>&1
	python3 - "$dir/a.db" "$source_dir/docs/database.md" "$source_dir/docs/monitoring.md" <<-'END'
		import re, sqlite3, sys
		db = sqlite3.connect(sys.argv[1])
		text = open(sys.argv[2]).read()
		for file in sys.argv[2:]:
		    queries = ";".join(re.findall(r"```sql\n(.*?)```", open(file).read(), re.S)).split(";")
		    queries = [q for q in queries if q.strip()]
		    assert len(queries) >= 3
		    for query in queries:
		        db.execute(query).fetchall()
		tables = {row[0] for row in db.execute("SELECT name FROM sqlite_schema")}
		columns = {row[1] for table in ("nodes", "node_visits", "watch")
		           for row in db.execute("PRAGMA table_info(%s)" % table)}
		for names in re.findall(r"^\| (`[^|]+) \|", text, re.M):
		    for name in re.findall(r"`([a-z_]+)`", names):
		        assert name in tables | columns, name
	END
	result 'the queries in docs/database.md and docs/monitoring.md' $?
fi

finish 31
