#!/bin/sh
# The simulation, a few runs of each kind; and one error put in on purpose, which it has to find.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
/usr/bin/python3 "$here/run.py" --runs 6
/usr/bin/python3 "$here/run.py" --runs 40 --mode plain --mutant checkpoint-first
