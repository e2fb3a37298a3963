#!/bin/sh
# Usage: check_layers.sh ROOT
# Fails when a source file below ROOT includes a header that its folder may
# not include. The rule is the table in ROOT/tests/layers/allowed.txt; a folder
# without a row is an error too.
set -eu
cd "${1:?usage: check_layers.sh ROOT}"

find common producer coordinator worker cli simulator -name '*.[ch]' | LC_ALL=C sort |
    awk -v table=tests/layers/allowed.txt '
BEGIN {
    while ((getline line < table) > 0) {
        if (line ~ /^[ \t]*(#|$)/) continue
        n = split(line, word, /[ \t]+/)
        known[word[1]] = ok[word[1], word[1]] = 1
        for (i = 2; i <= n; i++) ok[word[1], word[i]] = 1
    }
    third = "^(curl|event2|hiredis|json-c|msgpack|openssl)/|" \
        "^(event|evhttp|libpq-fe|microhttpd|msgpack|xxhash|yaml|zlib|zstd)\\.h$"
}
function folder(path) { return sub("/[^/]*$", "", path) ? path : "" }
function allowed(dir, want) {
    return ((dir, want) in ok) || (want ~ "^common/[^/]+$" && ((dir, "common/*") in ok))
}
# One line of a file: complains when it is an include that the table does not allow.
function check(file, dir, line,    name, want) {
    if (line !~ /^[ \t]*#[ \t]*include[ \t]*["<]/) return
    name = line; sub(/^[^"<]*["<]/, "", name); sub(/[">].*$/, "", name)
    if (line ~ /^[^<]*"/) want = folder(name)
    else if (name !~ third) return
    else if (name ~ "/") { want = name; sub("/.*$", "/", want) }
    else want = name
    if (!allowed(dir, want)) { print file ": may not include " name; bad = 1 }
}
{
    file = $0; dir = folder(file); files++
    if (!(dir in known)) { print file ": no row for " dir " in " table; bad = 1; next }
    while ((getline line < file) > 0) check(file, dir, line)
    close(file)
}
END {
    if (files == 0) { print "no source files found"; bad = 1 }
    exit bad
}
'
