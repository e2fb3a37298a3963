#!/bin/sh
# Usage: layers.sh ROOT
# First shows on a small tree that check_layers.sh finds each kind of breach and
# nothing else, then checks ROOT itself.
set -eu
root=${1:?usage: layers.sh ROOT}
check=$root/tests/layers/check_layers.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT INT TERM

for folder in common/base common/net common/redis producer/core producer coordinator worker cli simulator; do
    mkdir -p "$tree/$folder"
done
mkdir -p "$tree/tests/layers"
cp "$root/tests/layers/allowed.txt" "$tree/tests/layers/"
sample=$tree/clean.c
printf '%s\n' '#include "common/base/err.h"' '#include <string.h>' >"$sample"
cp "$sample" "$tree/common/base/good.c"

# expect FOLDER INCLUDE: a file in FOLDER with that line is refused.
expect()
{
    file=$tree/$1/bad.c
    mkdir -p "$tree/$1"
    printf '#include "common/base/err.h"\n%s\n' "$2" >"$file"
    if sh "$check" "$tree" >"$tree/out"; then
        echo "not noticed in $1: $2"
        exit 1
    fi
    grep -q "^$1/bad.c: " "$tree/out" || { cat "$tree/out"; exit 1; }
    rm "$file"
}

# accept FOLDER INCLUDE: a file in FOLDER with that line is taken.
accept()
{
    file=$tree/$1/good.c
    printf '%s\n' "$2" >"$file"
    sh "$check" "$tree" || { echo "refused in $1: $2"; exit 1; }
    rm "$file"
}

expect common/base '#include "common/net/http_client.h"'  # an arrow that points up
expect common/base '#include <curl/curl.h>'               # a library that is not its own
expect common/base '  #  include   <yaml.h>'
expect common/redis '#include "common/net/http_client.h"' # sideways
expect producer/core '#include <event2/event.h>'          # a core is pure
expect producer/core '#include "common/loop/loop.h"'
expect producer '#include "worker/core/chunk.h"'          # a program in another
expect cli '#include "producer/core/cut.h"'
expect simulator '#include "common/provider/profile.h"'
expect cli '#include "helper.h"'                          # not a path from the root
expect common/unknown '#include <string.h>'               # a folder without a row
accept common/net '#include <curl/curl.h>'
accept producer '#include "common/provider/profile.h"'
accept producer '#include "producer/core/cut.h"'
accept simulator '#include <microhttpd.h>'

sh "$check" "$root"
