#!/usr/bin/env python3
"""The reference: results in any order -> one file in input order, as one would write it in an afternoon.

integrate.py INPUT RESULTS OUTPUT: everything in memory, nothing survives a crash, nothing is checked.
"""
import json
import sys

results = {}
with open(sys.argv[2], encoding="utf-8") as f:
    for line in f:
        row = json.loads(line)
        results[row["custom_id"]] = row
with open(sys.argv[1], encoding="utf-8") as f, open(sys.argv[3], "w", encoding="utf-8") as out:
    for line in f:
        row = results.get(json.loads(line)["custom_id"])
        if row is not None:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
