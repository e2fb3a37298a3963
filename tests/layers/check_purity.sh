#!/bin/sh
# Usage: check_purity.sh NM PATTERNS ARCHIVE...
# Fails when an ARCHIVE needs a symbol that is in none of the archives and
# matches no line of PATTERNS: so a decision cannot read a clock or do I/O.
set -eu
nm=$1 patterns=$2
shift 2

list=$(mktemp)
trap 'rm -f "$list" "$list.own"' EXIT INT TERM
for archive in "$@"; do
    [ -f "$archive" ] || { echo "$archive: not built"; exit 1; }
    "$nm" -P -g --defined-only "$archive" | awk 'NF > 1 { print $1 }' >>"$list.own"
    "$nm" -P -u "$archive" | awk -v from="${archive##*/}" 'NF > 1 { print $1, from }' >>"$list"
done
[ -s "$list.own" ] || { echo "no symbols in $*"; exit 1; }

bad=0
while read -r symbol from; do
    grep -qxF "$symbol" "$list.own" && continue
    allowed=no
    while IFS= read -r pattern; do
        case $pattern in '' | '#'*) continue ;; esac
        # shellcheck disable=SC2254 # patterns are meant as patterns
        case $symbol in $pattern) allowed=yes ;; esac
    done <"$patterns"
    [ $allowed = yes ] || { echo "$from: may not call $symbol"; bad=1; }
done <"$list"
exit $bad
