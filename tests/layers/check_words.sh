#!/bin/sh
# Usage: check_words.sh ROOT
# Fails when a file of the project holds a word that says something is unfinished.
set -eu
cd "${1:?usage: check_words.sh ROOT}"

words="TO""DO|FIX""ME|XX""X|not impl""emented"
list=$(mktemp)
trap 'rm -f "$list"' EXIT INT TERM
find . \( -path ./.git -o -path ./build -o -path ./B -o -name '*.sheaf' -o -name fixtures \
    -o -name corpus -o -name __pycache__ -o -name node_modules \) -prune -o -type f -print | LC_ALL=C sort >"$list"

found=0
while IFS= read -r file; do
    if grep -HnIwE "$words" "$file"; then
        found=1
    fi
done <"$list"
exit "$found"
