#!/usr/bin/env python3
"""The reference: rows -> request lines, and results -> enriched rows, as one would write it in an afternoon.

enrich.py plan ROWS REQUESTS             one analysis: a prompt formatted from each row
enrich.py merge ROWS RESULTS OUTPUT      its answers parsed, checked and put into the rows

Results must be in the order of the rows; nothing survives a crash, no answer is repaired, no token is counted.
"""
import json
import sys

SYSTEM = "你是一名细心的编辑,只用 JSON 回答。"
PROMPT = "判断下面这条帖子的情感极性(1 最消极,5 最积极),只返回 JSON {\"polarity\": n}:\n\n%s\n\n作者:%s"


def plan(source, requests):
    with open(source, encoding="utf-8") as f, open(requests, "w", encoding="utf-8") as out:
        for i, line in enumerate(f):
            row = json.loads(line)
            body = {"model": "glm-4-air", "temperature": 0.2, "max_tokens": 60,
                    "messages": [{"role": "system", "content": SYSTEM},
                                 {"role": "user",
                                  "content": PROMPT % (row["content"], row.get("user", {}).get("name", "匿名"))}]}
            request = {"custom_id": "polarity_%04d" % i, "method": "POST", "url": "/v1/chat/completions", "body": body}
            out.write(json.dumps(request, ensure_ascii=False) + "\n")


def polarity(text):
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    if isinstance(answer, dict) and set(answer) == {"polarity"} and isinstance(answer["polarity"], int) \
            and 1 <= answer["polarity"] <= 5:
        return answer
    return None


def merge(source, results, output):
    with open(source, encoding="utf-8") as f, open(results, encoding="utf-8") as r, \
            open(output, "w", encoding="utf-8") as out:
        for i, line in enumerate(f):
            row = json.loads(line)
            result = json.loads(next(r))
            answer = None
            if result["custom_id"] == "polarity_%04d" % i and result["response"]["status_code"] == 200:
                answer = polarity(result["response"]["body"]["choices"][0]["message"]["content"])
            if answer is not None:
                row["sentiment"] = answer
            row["_sheaf"] = {"polarity": "failed" if answer is None else "ok"}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    {"plan": plan, "merge": merge}[sys.argv[1]](*sys.argv[2:])
