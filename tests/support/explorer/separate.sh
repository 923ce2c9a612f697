#!/bin/sh
# separate.sh IN.o OUT.o: makes an instrumented object safe to link beside a plain one.
#
# Inline functions (std::atomic's members, every template of the library) are in both objects under
# the same name, and a linker keeps one of each: the first. The instrumented code would then run the
# plain copy, and the explorer would see nothing of it; or the plain code the instrumented copy.
# That goes for the names of groups of sections, too (n, as for both constructors of a class).
# So here every such name gets a suffix of its own, the same one in all instrumented objects.
set -eu
names=$(mktemp)
trap 'rm -f "$names"' EXIT
"${NM:-nm}" --defined-only --format=posix "$1" |
  awk '($2 ~ /^[WVu]$/ || ($2 == "n" && $1 ~ /^_Z/)) && $1 !~ /\.explored$/ { print $1, $1 ".explored" }' >"$names"
"${OBJCOPY:-objcopy}" --redefine-syms="$names" "$1" "$2"
