#!/bin/sh
# spin.sh [--long]: check exactly_once.pml, and that its seeded errors are found. Needs spin and a C compiler.
# Without --long only what takes seconds; with it also runs with a rollback (minutes, up to 6 GB).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

# row WANT PROPERTY TITLE [-Dname=value]...: WANT is "holds" or "violated".
row() {
    want=$1 property=$2 title=$3
    shift 3
    spin -a "$@" "$here/exactly_once.pml" >spin.log 2>&1 || { cat spin.log; exit 1; }
    ${CC:-cc} -O2 -DCOLLAPSE -DSAFETY -DVECTORSZ=2048 -w -o pan pan.c
    ./pan -m400000 -w24 -N "$property" >pan.log 2>&1 || echo "pan ended with $?" >>pan.log # the verdict is in its log
    if grep -Eq 'max search depth too small|out of memory|aborted' pan.log; then
        got=incomplete
    elif grep -q 'errors: 0' pan.log; then
        got=holds
    elif grep -q 'errors: [1-9]' pan.log; then
        got=violated
    else
        got=broken
    fi
    mark=ok
    [ "$got" = "$want" ] || { mark=WRONG failed=1; }
    printf '%-5s %-44s %-13s %s\n' "$mark" "$title" "$property" "$got"
}

row holds settled "the design"
row holds nothing_lost "the design"
row holds billed_once "the design"
row violated never_ends "the design can come to its end"
row violated billed_once "seeded: the input file is not deleted" -DFENCE=0
row violated settled "seeded: the checkpoint before the sink" -DSINK_FIRST=0
if [ "${1:-}" = --long ]; then
    row holds settled "the design, one rollback" -DROLLBACKS=1 -DCLAIMS=4
    row holds nothing_lost "the design, one rollback" -DROLLBACKS=1 -DCLAIMS=4
    row violated never_ends "the design, one rollback, can end" -DROLLBACKS=1 -DCLAIMS=4
fi
row violated settled "seeded: leases from a counter, one rollback" -DROLLBACKS=1 -DNONCE=0 -DCLAIMS=4
exit $failed
