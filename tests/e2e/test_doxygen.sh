#!/bin/bash
# test_doxygen.sh: every function, parameter and member of peerwalk.h is described, and
# the check itself can fail.
#
#     tests/e2e/test_doxygen.sh PROGRAM SOURCE
set -uo pipefail

command -v doxygen >/dev/null || { echo "doxygen is missing: make lint installs it"; exit 77; }
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
status=0

document() { # headers
	cd "$source_dir" || return
	{
		cat docs/Doxyfile
		echo "INPUT = $1"
		echo "OUTPUT_DIRECTORY = $dir/html"
	} | doxygen - >"$dir/out" 2>&1
}

if ! document include; then
	cat "$dir/out"
	echo "FAILED: peerwalk.h has gaps"
	status=1
fi

# name, what is taken out (a sed expression), what has to be said
gap() {
	rm -rf "$dir/include"
	cp -R "$source_dir/include" "$dir/include"
	sed -i "$2" "$dir"/include/peerwalk/*.h
	if diff -r "$dir/include" "$source_dir/include" >/dev/null; then
		echo "FAILED: $1: there is nothing to take out"
		status=1
	elif document "$dir/include" || ! grep -q "$3" "$dir/out"; then
		cat "$dir/out"
		echo "FAILED: $1 was not noticed"
		status=1
	fi
}
gap 'a parameter without a description' '/@param magic/d' "parameter 'magic'"
gap 'a function without one' '/^\/\*\* Frees a session\./,/^ \*  @param/d' 'pw_session_free'
gap 'a member without one' 's|/\*\*< sent to it \*/||' 'bytes_out'
exit $status
