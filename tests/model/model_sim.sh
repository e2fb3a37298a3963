#!/bin/sh
# The simulation, a few runs of each kind; and errors put in on purpose, which it has to find.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
/usr/bin/python3 "$here/run.py" --runs 6
for mutant in checkpoint-first any-account leak-requests no-reserve old-cancel-counts forgets-reserved counts-the-living; do
    /usr/bin/python3 "$here/run.py" --runs 40 --mode plain --mutant "$mutant"
done
