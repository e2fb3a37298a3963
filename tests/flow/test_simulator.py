#!/usr/bin/env python3
"""Starts sheaf-simulator and walks through its API. Standard library only.

usage: test_simulator.py PATH_TO_SHEAF_SIMULATOR
"""

import email.utils
import gzip
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM = None
FILE_MISSING = "Cannot find file {}, or organization org-simulator does not have access to it."


class Simulator:
    """One running simulator; use it in a with statement."""

    def __init__(self, *args, base="/v1"):
        self.args = list(args)
        self.base = base
        self.key = "test-key"
        self.start()

    def start(self):
        self.process = subprocess.Popen([PROGRAM, "--port", "0"] + self.args,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        if not first.startswith("PORT "):
            raise RuntimeError(first + self.process.stderr.read())
        self.port = int(first.split()[1])

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(20)
        self.process.stdout.close()
        self.stderr = self.process.stderr.read()
        self.process.stderr.close()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()

    def call(self, method, path, body=None, headers=None, base=None):
        """(status, headers, bytes)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            sent = {"Authorization": "Bearer " + self.key} if self.key else {}
            sent.update(headers or {})
            connection.request(method, (self.base if base is None else base) + path, body, sent,
                               encode_chunked="Transfer-Encoding" in sent)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def json(self, method, path, body=None, base=None):
        data = None if body is None else json.dumps(body)
        status, _, text = self.call(method, path, data, {"Content-Type": "application/json"}, base)
        return status, json.loads(text)

    def upload(self, data, name="in.jsonl", purpose="batch", chunked=False, file_first=False,
               fields=()):
        status, body = self.upload_raw(data, name, purpose, chunked, file_first, fields)
        if status != 200:
            raise AssertionError((status, body))
        return body["id"]

    def upload_raw(self, data, name="in.jsonl", purpose="batch", chunked=False, file_first=False,
                   fields=()):
        boundary = "----simulator-test-boundary"
        parts = []
        for key, value in ([("purpose", purpose)] if purpose else []) + list(fields):
            parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n'
                         f"{value}\r\n".encode())
        if data is not None:
            part = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
                    f'filename="{name}"\r\nContent-Type: application/jsonl\r\n\r\n').encode()
            part += data + b"\r\n"
            parts.insert(0 if file_first else len(parts), part)
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        headers = {"Content-Type": "multipart/form-data; boundary=" + boundary}
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
            body = iter([body[i:i + 7001] for i in range(0, len(body), 7001)])
        status, _, text = self.call("POST", "/files", body, headers)
        return status, json.loads(text)

    def create(self, file_id, endpoint="/v1/chat/completions", **more):
        order = {"input_file_id": file_id, "endpoint": endpoint, "completion_window": "24h"}
        order.update(more)
        return self.json("POST", "/batches", order)

    def wait(self, batch_id, until=("completed", "failed", "expired", "cancelled"), pause=0.02):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            status, batch = self.json("GET", "/batches/" + batch_id)
            if status == 200 and batch["status"] in until:
                return batch
            time.sleep(pause)
        raise AssertionError(f"{batch_id} does not end: {batch}")

    def run(self, data, **more):
        """Upload, create, wait."""
        status, batch = self.create(self.upload(data), **more)
        if status != 200:
            raise AssertionError((status, batch))
        return self.wait(batch["id"])

    def lines(self, file_id):
        if not file_id:
            return []
        status, _, text = self.call("GET", f"/files/{file_id}/content")
        if status != 200:
            raise AssertionError((status, text))
        return [json.loads(line) for line in text.splitlines()]

    def arm(self, *faults):
        return self.call("POST", "/_sim/faults", "\n".join(faults), base="")[0]

    def ledger(self):
        return self.json("GET", "/_sim/ledger", base="")[1]


def line(custom_id, content="hello", url="/v1/chat/completions", **body):
    request = {"model": "sim-model", "messages": [{"role": "user", "content": content}]}
    request.update(body)
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": url,
                       "body": request}).encode() + b"\n"


def rows(count, start=0):
    return b"".join(line(f"row-{i}", f"question {i}") for i in range(start, start + count))


def raw_body(text):
    """The bytes of the body of a line made by line()."""
    return text[text.index(b'"body": ') + 8:-2]


def fnv(text):
    h = 0xcbf29ce484222325
    for byte in text.encode():
        h = (h ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return f"{h:016x}"


class HappyPath(unittest.TestCase):
    def test_a_batch_goes_from_upload_to_results(self):
        with Simulator() as sim:
            data = rows(2500)
            batch = sim.run(data, metadata={"job": "j1", "né": "/ü"})
            self.assertEqual(batch["status"], "completed")
            self.assertEqual(batch["request_counts"],
                             {"total": 2500, "completed": 2500, "failed": 0})
            self.assertEqual(batch["metadata"], {"job": "j1", "né": "/ü"})
            self.assertIsNone(batch["error_file_id"])
            self.assertEqual(batch["expires_at"], batch["created_at"] + 86400)
            self.assertGreater(batch["usage"]["input_tokens"], 0)
            lines = sim.lines(batch["output_file_id"])
            ids = [l["custom_id"] for l in lines]
            wanted = [f"row-{i}" for i in range(2500)]
            self.assertNotEqual(ids, wanted, "the order must be shuffled")
            self.assertEqual(sorted(ids), sorted(wanted))
            one = next(l for l in lines if l["custom_id"] == "row-7")
            digest = hashlib.sha256(raw_body(line("row-7", "question 7"))).hexdigest()
            self.assertEqual(one["response"]["status_code"], 200)
            self.assertIsNone(one["error"])
            self.assertEqual(one["response"]["body"]["choices"][0]["message"]["content"],
                             "sim:" + digest)
            info = sim.json("GET", "/files/" + batch["output_file_id"])[1]
            self.assertEqual(info["purpose"], "batch_output")
            ledger = sim.ledger()
            self.assertEqual((ledger["rows_billed"], ledger["billed_twice"]), (2500, 0))

    def test_results_depend_on_the_body_only(self):
        def results(sim, data):
            lines = sim.lines(sim.run(data)["output_file_id"])
            return sorted(json.dumps({**l, "custom_id": l["custom_id"][-2:]}) for l in lines)
        with Simulator() as a, Simulator("--seed", "1") as b:
            one = b"".join(line(f"one-{i}", f"q{i}") for i in range(10, 30))
            two = b"".join(line(f"two-{i}", f"q{i}") for i in range(29, 9, -1))
            self.assertEqual(results(a, one), results(a, two))
            self.assertNotEqual(results(a, one), results(b, one), "the seed must count")

    def test_uploads_may_be_chunked_and_start_with_the_file(self):
        with Simulator() as sim:
            data = rows(300)
            for chunked in (False, True):
                for file_first in (False, True):
                    file_id = sim.upload(data, chunked=chunked, file_first=file_first)
                    self.assertEqual(sim.call("GET", f"/files/{file_id}/content")[2], data)
            info = sim.json("GET", "/files/" + sim.upload(data, fields=[
                ("expires_after[anchor]", "created_at"), ("expires_after[seconds]", "3600")]))[1]
            self.assertEqual(info["expires_at"], info["created_at"] + 3600)
            self.assertEqual(info["bytes"], len(data))
            self.assertEqual(info["filename"], "in.jsonl")

    def test_other_endpoints_answer_in_their_own_shape(self):
        with Simulator() as sim:
            for url, body, check in (
                    ("/v1/embeddings", {"input": ["a", "b", "c"]},
                     lambda b: len(b["data"]) == 3 and b["data"][2]["index"] == 2),
                    ("/v1/embeddings", {"input": "a"}, lambda b: len(b["data"]) == 1),
                    ("/v1/responses", {"input": "a"},
                     lambda b: b["output"][0]["content"][0]["text"].startswith("sim:")),
                    ("/v1/completions", {"prompt": "a"},
                     lambda b: b["choices"][0]["text"].startswith("sim:")),
                    ("/v1/moderations", {"input": "a"}, lambda b: not b["results"][0]["flagged"])):
                batch = sim.run(line("r-1", url=url, **body), endpoint=url)
                self.assertEqual(batch["status"], "completed", batch)
                got = sim.lines(batch["output_file_id"])[0]["response"]["body"]
                self.assertTrue(check(got), got)

    def test_a_request_can_say_what_its_answer_is(self):
        with Simulator() as sim:
            batch = sim.run(line("r-1", sim_answer='say "ü"\n') + line("r-2", sim_status=503) +
                            line("r-3", sim_raw_content=[{"type": "text"}]) +
                            line("r-4", sim_status=200))
            out = {l["custom_id"]: l["response"]["body"]["choices"][0]["message"]["content"]
                   for l in sim.lines(batch["output_file_id"])}
            self.assertEqual(out["r-1"], 'say "ü"\n')
            self.assertEqual(out["r-3"], [{"type": "text"}])
            self.assertIn("r-4", out)
            bad = sim.lines(batch["error_file_id"])
            self.assertEqual(len(bad), 1)
            self.assertEqual(bad[0]["response"]["status_code"], 503)
            self.assertEqual(bad[0]["response"]["body"]["error"]["code"], "sim_503")
            self.assertEqual(batch["request_counts"], {"total": 4, "completed": 3, "failed": 1})


class Requests(unittest.TestCase):
    def test_a_key_is_needed(self):
        with Simulator("--key", "right") as sim:
            for key, status in ((None, 401), ("wrong", 401), ("right", 200)):
                sim.key = key
                self.assertEqual(sim.json("GET", "/models")[0], status, key)
            sim.key = None
            self.assertEqual(sim.json("GET", "/_sim/state", base="")[0], 200)

    def test_uploads_are_refused_as_the_real_one_does(self):
        with Simulator("--max-bytes", "1000") as sim:
            for what, code, part, arguments in (
                    ("name", 400, "Invalid file format for Batch API. Must be .jsonl",
                     {"data": rows(1), "name": "in.txt"}),
                    ("empty", 400, "Invalid file format", {"data": b""}),
                    ("first line", 400, "Invalid file format", {"data": b"nonsense\n" + rows(1)}),
                    ("bom", 400, "Invalid file format", {"data": b"\xef\xbb\xbf" + rows(1)}),
                    ("big", 400, "File is too large", {"data": rows(50)}),
                    ("purpose", 400, "'purpose'", {"data": rows(1), "purpose": None}),
                    ("bad purpose", 400, "Invalid value", {"data": rows(1), "purpose": "fun"}),
                    ("no file", 400, "'file'", {"data": None}),
                    ("expiry", 400, "expires_after",
                     {"data": rows(1), "fields": [("expires_after[anchor]", "created_at"),
                                                  ("expires_after[seconds]", "5")]})):
                with self.subTest(what):
                    status, body = sim.upload_raw(**arguments)
                    self.assertEqual(status, code)
                    self.assertIn(part, body["error"]["message"])
                    self.assertEqual(body["error"]["type"], "invalid_request_error")
            plain = {"Content-Type": "text/plain"}
            self.assertEqual(sim.call("POST", "/files", b"x", plain)[0], 400)
            cut = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbat'
            self.assertEqual(sim.call("POST", "/files", cut, {
                "Content-Type": "multipart/form-data; boundary=b"})[0], 400)
            self.assertEqual(sim.json("GET", "/_sim/state", base="")[1]["files"], 0)

    def test_orders_are_refused_as_the_real_one_does(self):
        good = {"input_file_id": "f", "endpoint": "/v1/chat/completions",
                "completion_window": "24h"}
        with Simulator() as sim:
            for change, param, code in (
                    ({"input_file_id": None}, "input_file_id", "missing_required_parameter"),
                    ({"endpoint": None}, "endpoint", "missing_required_parameter"),
                    ({"completion_window": None}, "completion_window",
                     "missing_required_parameter"),
                    ({"endpoint": "/v1/no"}, "endpoint", "invalid_value"),
                    ({"completion_window": "48h"}, "completion_window", "invalid_value"),
                    ({"metadata": []}, "metadata", "invalid_type"),
                    ({"metadata": {"tags": ["a"]}}, "metadata.tags", "invalid_type"),
                    ({"metadata": {"a": "x" * 513}}, "metadata.a", "string_above_max_length"),
                    ({"metadata": {str(i): "" for i in range(17)}}, "metadata",
                     "object_above_max_properties"),
                    ({"output_expires_after": {"anchor": "created_at", "seconds": 1}},
                     "output_expires_after", "invalid_value")):
                with self.subTest(str(change)[:60]):
                    order = {k: v for k, v in {**good, **change}.items() if v is not None}
                    status, body = sim.json("POST", "/batches", order)
                    self.assertEqual((status, body["error"]["param"], body["error"]["code"]),
                                     (400, param, code))
            self.assertIn("expected a string, but got an array instead", sim.json(
                "POST", "/batches", {**good, "metadata": {"t": []}})[1]["error"]["message"])
            self.assertEqual(sim.call("POST", "/batches", b"{nope")[0], 400)
            self.assertEqual(sim.json("GET", "/_sim/state", base="")[1]["batches_created"], 0)

    def test_what_is_not_there_is_404(self):
        with Simulator() as sim:
            status, body = sim.json("GET", "/batches/batch_no")
            self.assertEqual((status, body["error"]["message"]),
                             (404, "No batch found with id 'batch_no'."))
            for method, path in (("GET", "/files/file-no"), ("DELETE", "/files/file-no"),
                                 ("GET", "/files/file-no/content"), ("GET", "/nothing"),
                                 ("POST", "/batches/batch_no/cancel"), ("PUT", "/files")):
                self.assertEqual(sim.json(method, path)[0], 404, path)
            file_id = sim.upload(rows(1))
            self.assertEqual(sim.json("DELETE", "/files/" + file_id)[1],
                             {"id": file_id, "object": "file", "deleted": True})
            self.assertEqual(sim.json("GET", "/files/" + file_id)[0], 404)

    def test_ranges(self):
        with Simulator() as sim:
            data = rows(100)
            path = f"/files/{sim.upload(data)}/content"
            end = len(data)
            for header, status, wanted, said in (
                    (None, 200, data, None),
                    ("bytes=0-99", 206, data[:100], f"bytes 0-99/{end}"),
                    ("bytes=500-", 206, data[500:], f"bytes 500-{end - 1}/{end}"),
                    ("bytes=-10", 206, data[-10:], f"bytes {end - 10}-{end - 1}/{end}"),
                    ("bytes=10-999999999", 206, data[10:], f"bytes 10-{end - 1}/{end}"),
                    ("bytes=0-1,5-6", 200, data, None),
                    ("lines=0-1", 200, data, None),
                    (f"bytes={end}-", 416, None, f"bytes */{end}")):
                got = sim.call("GET", path, headers={"Range": header} if header else {})
                self.assertEqual((got[0], got[1].get("Content-Range")), (status, said), header)
                if wanted is not None:
                    self.assertEqual(got[2], wanted, header)
                    self.assertEqual(got[1]["Content-Length"], str(len(wanted)))
            sim.arm("no-range")
            got = sim.call("GET", path, headers={"Range": "bytes=5-9"})
            self.assertEqual((got[0], got[2]), (200, data))

    def test_batches_are_listed_newest_first_in_pages(self):
        with Simulator() as sim:
            made = [sim.create("file-none")[1]["id"] for _ in range(7)]
            seen, after = [], ""
            while True:
                page = sim.json("GET", f"/batches?limit=3{after}")[1]
                seen += [b["id"] for b in page["data"]]
                self.assertEqual((page["first_id"], page["last_id"]),
                                 (page["data"][0]["id"], page["data"][-1]["id"]))
                if not page["has_more"]:
                    break
                after = "&after=" + page["last_id"]
            self.assertEqual(seen, made[::-1])
            for query in ("limit=0", "limit=101", "limit=x", "after=batch_no"):
                self.assertEqual(sim.json("GET", "/batches?" + query)[0], 400, query)

    def test_files_are_listed_by_purpose_and_order(self):
        with Simulator() as sim:
            made = [sim.upload(rows(1), name=f"{i}.jsonl") for i in range(5)]
            sim.upload(b"other", name="x.txt", purpose="assistants")
            page = sim.json("GET", "/files?purpose=batch&limit=2")[1]
            self.assertEqual([f["id"] for f in page["data"]], made[:2:-1])
            self.assertTrue(page["has_more"])
            page = sim.json("GET", "/files?purpose=batch&after=" + page["last_id"])[1]
            self.assertEqual([f["id"] for f in page["data"]], made[2::-1])
            self.assertFalse(page["has_more"])
            page = sim.json("GET", "/files?order=asc")[1]
            self.assertEqual([f["id"] for f in page["data"]][:5], made)
            self.assertEqual(len(page["data"]), 6)


class Memory(unittest.TestCase):
    def test_four_uploads_at_once_take_little_memory(self):
        def resident(sim):
            with open(f"/proc/{sim.process.pid}/status", encoding="ascii") as status:
                return next(int(l.split()[1]) for l in status if l.startswith("VmHWM"))
        with open(PROGRAM, "rb") as program:
            if re.search(rb"__(asan|tsan|msan)_init", program.read()):
                self.skipTest("a sanitizer's memory is not ours")
        data = rows(20) + line("long", "x" * 20_000_000)
        with Simulator() as sim:
            before = resident(sim)
            threads = [threading.Thread(target=sim.upload, args=(data,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(len(sim.json("GET", "/files")[1]["data"]), 4)
            self.assertLess(resident(sim) - before, 8000, "kB")


class Validation(unittest.TestCase):
    def test_bad_lines_fail_the_batch_with_the_real_codes(self):
        def without(name):
            whole = json.loads(line("r-2"))
            del whole[name]
            return json.dumps(whole).encode() + b"\n"
        ok = line("r-1")
        with Simulator() as sim:
            for data, code, param, number in (
                    (ok + b"{nope\n", "invalid_json_line", None, 2),
                    (ok + b"\n" + b'{"a":"\xff"}\n', "invalid_json_line", None, 3),
                    (ok + without("custom_id"), "missing_required_parameter", "custom_id", 2),
                    (ok + without("method"), "missing_required_parameter", "method", 2),
                    (ok + without("url"), "missing_required_parameter", "url", 2),
                    (ok + without("body"), "missing_required_parameter", "body", 2),
                    (ok + line("r-2", url="/v1/embeddings"), "invalid_url", "url", 2),
                    (line("r-1", model="no-such-model"), "model_not_found", "body.model", 1),
                    (line("r-1", model=""), "invalid_request", "body.model", 1),
                    (ok + line("r-2", model="other"), "model_mismatch", "body.model", 2),
                    (ok + line("r-2", messages=None), "invalid_request", "body.messages", 2),
                    (ok + line("r-2", stream=True), "streaming_unsupported", "body.stream", 2),
                    (ok + line("r-1"), "duplicate_custom_id", "custom_id", 2),
                    (ok + ok.replace(b"r-1", b"r\\u002d1"), "duplicate_custom_id", "custom_id", 2),
                    (b"\n \n", "empty_file", None, None)):
                with self.subTest(code + str(param)):
                    batch = sim.run(data)
                    self.assertEqual(batch["status"], "failed")
                    error = batch["errors"]["data"][0]
                    self.assertEqual((error["code"], error["param"], error["line"]),
                                     (code, param, number))
                    self.assertIsNotNone(batch["failed_at"])
            self.assertEqual(sim.ledger()["rows_executed"], 0)
            many = sim.run(b"".join(line("same") for _ in range(4)))
            self.assertEqual([e["line"] for e in many["errors"]["data"]], [2, 3, 4])

    def test_limits(self):
        with Simulator("--max-requests", "3", "--enqueued-tokens", "1000",
                       "--max-live", "1") as sim:
            self.assertEqual(sim.run(rows(3))["status"], "completed")
            self.assertEqual(sim.run(rows(4))["errors"]["data"][0]["code"], "too_many_tasks")
            error = sim.run(line("big", "x" * 8000))["errors"]["data"][0]
            self.assertEqual((error["code"], error["line"]), ("token_limit_exceeded", None))
            self.assertIn("Limit: 1000 enqueued tokens", error["message"])
        with Simulator("--delay", "1m", "--max-live", "1") as sim:
            file_id = sim.upload(rows(3))
            self.assertEqual(sim.create(file_id)[0], 200)
            self.assertEqual(sim.create(file_id)[0], 429)

    def test_a_missing_file_is_found_out_later(self):
        with Simulator() as sim:
            status, batch = sim.create("file-none")
            self.assertEqual((status, batch["status"]), (200, "validating"))
            error = sim.wait(batch["id"])["errors"]["data"][0]
            self.assertEqual((error["code"], error["param"], error["line"], error["message"]),
                             ("invalid_request", "file_id", None, FILE_MISSING.format("file-none")))


class Life(unittest.TestCase):
    def test_states_follow_the_delays(self):
        with Simulator("--validate-delay", "300ms", "--delay", "900ms") as sim:
            batch = sim.create(sim.upload(rows(100)))[1]
            self.assertEqual(batch["status"], "validating")
            self.assertEqual(batch["request_counts"], {"total": 0, "completed": 0, "failed": 0})
            batch = sim.wait(batch["id"], ("in_progress",))
            self.assertEqual(batch["request_counts"]["total"], 100)
            self.assertIsNone(batch["output_file_id"])
            self.assertEqual(sim.wait(batch["id"])["request_counts"]["completed"], 100)

    def test_cancel(self):
        with Simulator("--delay", "2s") as sim:
            batch = sim.create(sim.upload(rows(1000)))[1]
            sim.wait(batch["id"], ("in_progress",))
            time.sleep(0.5)
            path = f"/batches/{batch['id']}/cancel"
            self.assertEqual(sim.json("POST", path)[1]["status"], "cancelling")
            batch = sim.wait(batch["id"], ("cancelled",))
            done = sim.lines(batch["output_file_id"])
            rest = sim.lines(batch["error_file_id"])
            self.assertGreater(len(done), 100)
            self.assertGreater(len(rest), 100)
            self.assertEqual(len(done) + len(rest), 1000)
            self.assertEqual({l["error"]["code"] for l in rest}, {"batch_cancelled"})
            self.assertEqual(sim.json("POST", path)[0], 200, "again is allowed")
            self.assertEqual(sim.ledger()["rows_billed"], len(done))
        with Simulator() as sim:
            batch = sim.run(rows(1))
            status, body = sim.json("POST", f"/batches/{batch['id']}/cancel")
            self.assertEqual((status, body["error"]["message"]),
                             (409, "Cannot cancel a batch with status 'completed'."))

    def test_cancel_and_kill_in_the_middle_of_an_execution(self):
        folder = tempfile.mkdtemp()
        count = 100000
        try:
            with Simulator("--dir", folder, "--max-requests", str(count)) as sim:
                file_id = sim.upload(rows(count))
                batch = sim.create(file_id)[1]
                sim.wait(batch["id"], ("finalizing",), pause=0)
                sim.stop(signal.SIGKILL)
                sim.start()
                batch = sim.wait(batch["id"])
                self.assertEqual(batch["request_counts"]["completed"], count)
                ledger = sim.ledger()
                self.assertEqual((ledger["rows_billed"], ledger["billed_twice"]), (count, 0))
                batch = sim.create(file_id)[1]
                sim.wait(batch["id"], ("finalizing",), pause=0)
                sim.json("POST", f"/batches/{batch['id']}/cancel")
                batch = sim.wait(batch["id"])
                self.assertEqual(batch["status"], "cancelled")
                done, rest = (batch["request_counts"][k] for k in ("completed", "failed"))
                self.assertEqual(done + rest, count)
                self.assertGreater(rest, 0)
                self.assertEqual(sim.ledger()["billed_twice"], done)
        finally:
            shutil.rmtree(folder)

    def test_a_restart_goes_on_cancelling(self):
        folder = tempfile.mkdtemp()
        try:
            with Simulator("--dir", folder, "--delay", "1m") as sim:
                batch = sim.create(sim.upload(rows(3)))[1]
                sim.wait(batch["id"], ("in_progress",))
                sim.stop(signal.SIGKILL)
                path = os.path.join(folder, "batches", batch["id"] + ".json")
                with open(path, encoding="utf-8") as old:
                    record = json.load(old)
                record["status"] = "cancelling"
                record["cancelling"] = record["created"]
                with open(path, "w", encoding="utf-8") as new:
                    json.dump(record, new)
                sim.start()
                batch = sim.wait(batch["id"])
                self.assertEqual(batch["status"], "cancelled")
                self.assertEqual(len(sim.lines(batch["error_file_id"])), 3)
        finally:
            shutil.rmtree(folder)

    def test_outputs_that_no_batch_knows_go_at_a_restart(self):
        folder = tempfile.mkdtemp()
        try:
            with Simulator("--dir", folder) as sim:
                known = sim.run(rows(1))["output_file_id"]
                sim.stop()
                stored = os.path.join(folder, "files", known)
                shutil.copy(stored + ".data", os.path.join(folder, "files", "file-x.data"))
                with open(stored + ".json", encoding="utf-8") as old:
                    record = old.read().replace(known, "file-x")
                with open(os.path.join(folder, "files", "file-x.json"), "w",
                          encoding="utf-8") as new:
                    new.write(record)
                sim.start()
                self.assertEqual(sim.json("GET", "/files/file-x")[0], 404)
                self.assertEqual(sim.json("GET", "/files/" + known)[0], 200)
        finally:
            shutil.rmtree(folder)

    def test_kill_and_restart_keep_everything(self):
        folder = tempfile.mkdtemp()
        try:
            with Simulator("--dir", folder) as sim:
                done = sim.run(rows(1500))
                output = sim.call("GET", f"/files/{done['output_file_id']}/content")[2]
                lying = sim.upload(rows(10))
                sim.args += ["--delay", "500ms"]
                sim.stop(signal.SIGKILL)
                sim.start()
                live = sim.create(lying)[1]
                sim.wait(live["id"], ("in_progress",))
                sim.stop(signal.SIGKILL)
                sim.start()
                self.assertEqual(sim.json("GET", "/batches/" + done["id"])[1], done)
                path = f"/files/{done['output_file_id']}/content"
                self.assertEqual(sim.call("GET", path)[2], output)
                self.assertEqual(sim.wait(live["id"])["status"], "completed")
                self.assertEqual([b["id"] for b in sim.json("GET", "/batches")[1]["data"]],
                                 [live["id"], done["id"]])
                ledger = sim.ledger()
                self.assertEqual((ledger["rows_billed"], ledger["custom_ids"]), (1510, 1500))
                self.assertEqual(ledger["billed_twice"], 10, "row-0 to row-9 ran in both")
                other = subprocess.run([PROGRAM, "--dir", folder], capture_output=True, text=True)
                self.assertEqual(other.returncode, 9)
                self.assertIn("used by another simulator", other.stderr)
        finally:
            shutil.rmtree(folder)

    def test_it_ends_cleanly_and_leaves_nothing(self):
        folder = tempfile.mkdtemp()
        try:
            os.environ["TMPDIR"] = folder
            ledger = os.path.join(folder, "ledger.json")
            with Simulator("--ledger", ledger) as sim:
                sim.run(rows(10))
                self.assertEqual(sim.stop(), 0)
            self.assertIn("made up", sim.stderr)
            self.assertEqual(os.listdir(folder), ["ledger.json"])
            with open(ledger, encoding="utf-8") as text:
                self.assertEqual(json.load(text)["rows_billed"], 10)
        finally:
            del os.environ["TMPDIR"]
            shutil.rmtree(folder)

    def test_a_wrong_command_line_is_one_line_and_2(self):
        for args in (["--port", "x"], ["--fault", "nonsense"], ["--fault", "truncate=2.5"],
                     ["--nope"], ["--delay"], ["--profile", "nonesuch"], ["extra"]):
            got = subprocess.run([PROGRAM] + args, capture_output=True, text=True)
            self.assertEqual((got.returncode, got.stderr.count("\n"), got.stdout), (2, 1, ""), args)
        self.assertEqual(subprocess.run([PROGRAM, "-h"], capture_output=True).returncode, 0)


class Faults(unittest.TestCase):
    def test_a_lost_create_makes_the_batch_and_hangs_up(self):
        with Simulator("--fault", "lost-create=2") as sim:
            file_id = sim.upload(rows(3))
            self.assertEqual(sim.create(file_id)[0], 200)
            with self.assertRaises((http.client.RemoteDisconnected, ConnectionError)):
                sim.create(file_id)
            self.assertEqual(sim.create(file_id)[0], 200)
            ledger = sim.ledger()
            self.assertEqual((ledger["batches_created"], ledger["creates_lost"],
                              ledger["input_files_used_twice"]), (3, 1, 1))

    def test_creates_that_answer_500(self):
        with Simulator("--fault", "create-500=1", "--fault", "create-500-refused=2") as sim:
            self.assertEqual([sim.create("f")[0] for _ in range(3)], [500, 500, 200])
            self.assertEqual(sim.ledger()["batches_created"], 2)

    def test_a_lost_upload_keeps_the_file(self):
        with Simulator("--fault", "lost-upload=1") as sim:
            with self.assertRaises((http.client.RemoteDisconnected, ConnectionError)):
                sim.upload(rows(1))
            sim.upload(rows(1))
            self.assertEqual(len(sim.json("GET", "/files")[1]["data"]), 2)

    def test_answers_in_the_way_of_every_route(self):
        for fault, status, code in (("reject-key", 401, "invalid_api_key"),
                                    ("rate-429", 429, "rate_limit_exceeded")):
            with Simulator("--fault", fault) as sim:
                got, headers, body = sim.call("GET", "/batches")
                self.assertEqual((got, json.loads(body)["error"]["code"]), (status, code))
                self.assertEqual(headers.get("Retry-After"), "1" if status == 429 else None)
        with Simulator("--fault", "html-502=2@every") as sim:
            self.assertEqual([sim.call("GET", "/batches")[0] for _ in range(4)],
                             [200, 502, 200, 502])
        with Simulator("--fault", "insufficient-quota") as sim:
            status, body = sim.create("f")
            self.assertEqual((status, body["error"]["code"]), (429, "insufficient_quota"))
        with Simulator("--fault", "upload-500=1", "--fault", "poll-500=0.5") as sim:
            self.assertEqual(sim.upload_raw(rows(1))[0], 500)
            batch = sim.create(sim.upload(rows(1)))[1]
            seen = [sim.json("GET", "/batches/" + batch["id"])[0] for _ in range(40)]
            self.assertTrue(5 < seen.count(500) < 35, seen)

    def test_downloads_that_break_off(self):
        with Simulator("--fault", "truncate=1") as sim:
            data = rows(2000)
            path = f"/files/{sim.upload(data)}/content"
            with self.assertRaises(http.client.IncompleteRead) as caught:
                sim.call("GET", path)
            part = caught.exception.partial
            self.assertTrue(data.startswith(part))
            rest = sim.call("GET", path, headers={"Range": f"bytes={len(part)}-"})
            self.assertEqual((rest[0], part + rest[2]), (206, data))

    def test_slow_downloads_do_not_stop_the_others(self):
        with Simulator("--fault", "slow-download=100kB") as sim:
            data = rows(500)
            path = f"/files/{sim.upload(data)}/content"
            start = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=30)
            connection.request("GET", sim.base + path, headers={"Authorization": "Bearer k"})
            answer = connection.getresponse()
            self.assertEqual(sim.json("GET", "/batches")[0], 200)
            self.assertLess(time.monotonic() - start, len(data) / 100000 / 2)
            self.assertEqual(answer.read(), data)
            took = time.monotonic() - start
            connection.close()
            self.assertGreater(took, len(data) / 100000 * 0.7)
            connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=30)
            connection.request("GET", sim.base + path, headers={"Authorization": "Bearer k"})
            connection.getresponse().read(10)
            self.assertEqual(sim.stop(), 0, "it stops in the middle of one")
            connection.close()

    def test_what_comes_late(self):
        with Simulator("--fault", "poll-404=2", "--fault", "empty-ids=2", "--fault",
                       "list-lag=1h", "--fault", "file-lag=300ms") as sim:
            file_id = sim.upload(rows(2))
            first = sim.create(file_id)[1]
            polls = [sim.json("GET", "/batches/" + first["id"])[0] for _ in range(3)]
            self.assertEqual(polls, [404, 404, 200])
            self.assertEqual(sim.json("GET", "/batches")[1]["data"], [])
            self.assertEqual(sim.wait(first["id"])["errors"]["data"][0]["param"], "file_id")
            time.sleep(0.3)
            batch = sim.create(file_id)[1]
            seen = []
            while len(seen) < 3:
                status, got = sim.json("GET", "/batches/" + batch["id"])
                if status == 200 and got["status"] == "completed":
                    seen.append(got["output_file_id"] is not None)
            self.assertEqual(seen, [False, False, True])

    def test_batches_that_end_badly(self):
        with Simulator("--fault", "batch-failed=1") as sim:
            batch = sim.run(rows(2))
            self.assertEqual((batch["status"], batch["errors"]["data"]), ("failed", []))
            self.assertEqual(sim.run(rows(2))["status"], "completed")
            sim.arm("batch-expired=1")
            batch = sim.run(rows(2))
            self.assertEqual((batch["status"], batch["output_file_id"]), ("expired", None))
            self.assertEqual({l["error"]["code"] for l in sim.lines(batch["error_file_id"])},
                             {"batch_expired"})
            sim.arm("only-error-file")
            batch = sim.run(rows(2))
            self.assertEqual((batch["status"], batch["output_file_id"]), ("completed", None))
            self.assertEqual(batch["request_counts"], {"total": 2, "completed": 0, "failed": 2})

    def test_rows_that_go_wrong(self):
        data = rows(1000)
        for fault, check in (
                ("rows-failed=0.3", lambda out, err: err and {
                    l["response"]["status_code"] for l in err} == {400}),
                ("rows-500=0.3", lambda out, err: err and {
                    l["response"]["status_code"] for l in err} == {500}),
                ("rows-expired=0.3", lambda out, err: err and {
                    l["error"]["code"] for l in err} == {"batch_expired"}),
                ("rows-missing=0.3", lambda out, err: 500 < len(out) < 900 and not err),
                ("rows-duplicated=0.3", lambda out, err: 1100 < len(out) < 1500 and
                 len({l["custom_id"] for l in out}) == 1000),
                ("rows-alien=0.3", lambda out, err: 1100 < len(out) < 1500 and
                 len({l["custom_id"] for l in out}) == len(out))):
            with self.subTest(fault), Simulator("--fault", fault) as sim:
                batch = sim.run(data)
                self.assertEqual(batch["status"],
                                 "expired" if "expired" in fault else "completed")
                out, err = sim.lines(batch["output_file_id"]), sim.lines(batch["error_file_id"])
                self.assertTrue(check(out, err), (len(out), len(err)))

    def test_a_failing_row_gets_through_when_tried_again(self):
        def tries(fault):
            with Simulator("--fault", fault) as sim:
                left = {f"row-{i}": line(f"row-{i}", f"q{i}") for i in range(200)}
                for count in range(1, 15):
                    batch = sim.run(b"".join(left.values()))
                    for l in sim.lines(batch["output_file_id"]):
                        del left[l["custom_id"]]
                    if not left:
                        return count, sim.ledger()
                return None, sim.ledger()
        for fault in ("rows-failed=0.4", "rows-missing=0.4", "rows-expired=0.4"):
            count, ledger = tries(fault)
            self.assertTrue(1 < count, fault)
            self.assertEqual((ledger["rows_billed"], ledger["billed_twice"]), (200, 0), fault)
        self.assertIsNone(tries("rows-failed=0.4:always")[0])

    def test_faults_can_be_armed_while_it_runs(self):
        with Simulator() as sim:
            self.assertEqual(sim.arm("poll-404=1", "html-502=1.0"), 200)
            self.assertEqual(sim.call("GET", "/models")[0], 502)
            self.assertEqual(sim.arm("html-502=off"), 200)
            self.assertEqual(sim.call("GET", "/models")[0], 200)
            self.assertEqual(sim.arm("poll-404=9", "nonsense=1"), 400, "all or nothing")
            batch = sim.create("f")[1]
            self.assertEqual([sim.json("GET", "/batches/" + batch["id"])[0] for _ in range(2)],
                             [404, 200])
            self.assertEqual(sim.arm("clear"), 200)


class Ledger(unittest.TestCase):
    def test_rows_billed_twice_are_found(self):
        with Simulator() as sim:
            sim.run(rows(20))
            sim.run(rows(20, start=17))
            ledger = sim.json("GET", "/_sim/ledger?rows=1", base="")[1]
            self.assertEqual((ledger["custom_ids"], ledger["rows_billed"], ledger["billed_twice"]),
                             (37, 40, 3))
            counts = {r["custom_id_hash"]: r["billed"] for r in ledger["rows"]}
            self.assertEqual((len(counts), counts[fnv("row-3")], counts[fnv("row-18")]), (37, 1, 2))
            twice = sim.json("GET", "/_sim/ledger?rows=1&min_billed=2", base="")[1]["rows"]
            self.assertEqual({r["custom_id_hash"] for r in twice},
                             {fnv(f"row-{i}") for i in (17, 18, 19)})
            state = sim.json("GET", "/_sim/state", base="")[1]
            self.assertEqual(state["batches_created"], 2)
            self.assertEqual(state["requests"]["POST /files"], 2)


class Wire:
    """A connection whose bytes we see."""

    def __init__(self, sim, port=None):
        self.sim = sim
        self.socket = socket.create_connection(("127.0.0.1", port or sim.port), timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, method, path, body=b"", headers=()):
        head = [f"{method} {self.sim.base + path} HTTP/1.1", "Host: x",
                "Authorization: Bearer " + self.sim.key, f"Content-Length: {len(body)}"]
        self.socket.sendall("\r\n".join(head + list(headers)).encode() + b"\r\n\r\n" + body)

    def rest(self):
        """All that comes until the connection ends."""
        parts = []
        while True:
            part = self.socket.recv(1 << 16)
            if not part:
                return b"".join(parts)
            parts.append(part)

    def quiet(self, seconds):
        """Whether nothing comes for so long."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1) is None
        except socket.timeout:
            return True
        finally:
            self.socket.settimeout(10)


def order(file_id="f"):
    return json.dumps({"input_file_id": file_id, "endpoint": "/v1/chat/completions",
                       "completion_window": "24h"}).encode()


class AnyRequest(unittest.TestCase):
    """Faults around any request."""

    def test_any_status_on_any_route(self):
        with Simulator() as sim:
            file_id = sim.upload(rows(1))
            batch = sim.run(rows(1))
            routes = (("uploads", lambda: sim.upload_raw(rows(1))[0]),
                      ("file-lists", lambda: sim.call("GET", "/files")[0]),
                      ("file-gets", lambda: sim.call("GET", "/files/" + file_id)[0]),
                      ("downloads", lambda: sim.call("GET", f"/files/{file_id}/content")[0]),
                      ("creates", lambda: sim.call("POST", "/batches", order())[0]),
                      ("lists", lambda: sim.call("GET", "/batches")[0]),
                      ("polls", lambda: sim.call("GET", "/batches/" + batch["id"])[0]),
                      ("cancels",
                       lambda: sim.call("POST", f"/batches/{batch['id']}/cancel")[0]),
                      ("models", lambda: sim.call("GET", "/models")[0]),
                      ("file-deletes", lambda: sim.call("DELETE", "/files/" + file_id)[0]))
            for name, ask in routes:
                for status in (402, 408, 413, 429, 503):
                    sim.arm("clear", f"status={status}:route={name}")
                    self.assertEqual(ask(), status, name)
                    for other, ask_other in routes[:1] + routes[3:7]:
                        if other != name:
                            self.assertNotEqual(ask_other(), status, (name, other))
            sim.arm("clear", "status=418")
            self.assertEqual({ask() for _, ask in routes}, {418})
            self.assertEqual(sim.call("GET", "/nothing")[0], 418)

    def test_bodies_of_errors(self):
        with Simulator() as sim:
            for spec, check in (
                    ("status=503", lambda t, b: b["error"]["type"] == "server_error"),
                    ("status=503:body=html", lambda t, b: b is None and b"<title>503" in t),
                    ("status=503:body=text", lambda t, b: b is None and t.startswith(b"The eng")),
                    ("status=503:body=empty", lambda t, b: t == b""),
                    ("status=503:body=flat:code=1234",
                     lambda t, b: b["code"] == "1234" and "message" in b),
                    ("status=503:body=half", lambda t, b: b is None and t.startswith(b'{"err')),
                    ("status=200", lambda t, b: "error" in b),
                    ("status=200:at=after:body=half",
                     lambda t, b: b is None and t.startswith(b'{"object":"list"')),
                    ("status=429:code=billing_hard_limit_reached",
                     lambda t, b: b["error"]["code"] == "billing_hard_limit_reached" and
                     "Billing hard limit" in b["error"]["message"]),
                    ("status=400:message=no such luck",
                     lambda t, b: b["error"]["message"] == "no such luck"),
                    ("status=429:retry-after-seconds=30",
                     lambda t, b: b["retry_after_seconds"] == 30)):
                with self.subTest(spec):
                    self.assertEqual(sim.arm("clear", spec), 200)
                    status, _, text = sim.call("GET", "/batches")
                    self.assertEqual(str(status), spec[7:10])
                    try:
                        body = json.loads(text)
                    except ValueError:
                        body = None
                    self.assertTrue(check(text, body), text)
        with Simulator("--profile", "zhipu", base="/api/paas/v4") as sim:
            for code in ("1113", "1302", "1304", "1308"):
                sim.arm("clear", "status=429:code=" + code)
                self.assertEqual(sim.json("GET", "/batches")[1]["error"]["code"], code)
            sim.arm("clear", "insufficient-quota")
            self.assertEqual(sim.create("f", "/v4/chat/completions")[1]["error"]["code"], "1113")

    def test_headers_about_another_try(self):
        with Simulator() as sim:
            for value in ("5", "0.5", "0", "-1", "86400", "abc"):
                sim.arm("clear", "status=429:retry-after=" + value)
                self.assertEqual(sim.call("GET", "/batches")[1]["Retry-After"], value)
            for spec, offset in (("date+30s", 30), ("date-1h", -3600)):
                sim.arm("clear", "status=503:retry-after=" + spec)
                said = email.utils.parsedate_to_datetime(
                    sim.call("GET", "/batches")[1]["Retry-After"]).timestamp()
                self.assertAlmostEqual(said, time.time() + offset, delta=3)
            sim.arm("clear", "status=429:retry-after-ms=250:should-retry=false:retry-after=60"
                    ":retry-after-seconds=30")
            _, headers, text = sim.call("GET", "/batches")
            self.assertEqual((headers["retry-after-ms"], headers["x-should-retry"],
                              headers["Retry-After"], json.loads(text)["retry_after_seconds"]),
                             ("250", "false", "60", 30))
            sim.arm("clear", "status=307:route=creates")
            status, headers, _ = sim.call("POST", "/batches", order())
            self.assertEqual((status, headers["Location"]),
                             (307, f"http://127.0.0.1:{sim.port}/moved"))

    def test_when_and_how_often(self):
        with Simulator() as sim:
            sim.arm("status=503:route=lists:when=3-4", "status=401:route=lists:when=6",
                    "status=500:route=polls")
            self.assertEqual([sim.call("GET", "/batches")[0] for _ in range(7)],
                             [200, 200, 503, 503, 200, 401, 200])
            sim.arm("status=503:route=lists:when=3-4")
            self.assertEqual([sim.call("GET", "/batches")[0] for _ in range(4)],
                             [200, 200, 503, 503], "the same line starts anew")
            self.assertEqual(sim.arm("status=off"), 200)
            self.assertEqual(sim.call("GET", "/batches/x")[0], 404)
            many = [f"status=503:when={n}" for n in range(1, 34)]
            self.assertEqual(sim.arm(*many[:32]), 200)
            self.assertEqual(sim.arm(*many), 400)

    def test_lost_answers_of_every_kind(self):
        for how, at in ((h, a) for h in ("close", "reset", "half") for a in ("before", "after")):
            with self.subTest(f"{how} {at}"), Simulator(
                    "--fault", f"drop={how}:route=creates:at={at}:when=1") as sim:
                with Wire(sim) as wire:
                    wire.send("POST", "/batches", order())
                    if how == "reset":
                        with self.assertRaises(ConnectionResetError):
                            wire.rest()
                    elif how == "close":
                        self.assertEqual(wire.rest(), b"")
                    else:
                        head, body = wire.rest().split(b"\r\n\r\n")
                        said = int(re.search(rb"Content-Length: (\d+)", head).group(1))
                        self.assertEqual(len(body), said // 2)
                ledger = sim.ledger()
                lost = 1 if at == "after" else 0
                self.assertEqual((ledger["batches_created"], ledger["creates_lost"]), (lost, lost))
                self.assertEqual(sim.create("f")[0], 200)

    def test_silence(self):
        with Simulator("--fault", "drop=silent:route=creates:at=after:when=1") as sim:
            with Wire(sim) as wire:
                wire.send("POST", "/batches", order())
                self.assertTrue(wire.quiet(0.4))
                self.assertEqual(sim.ledger()["batches_created"], 1)
            self.assertEqual(sim.create("f")[0], 200)
            sim.arm("drop=silent")
            with Wire(sim) as wire:
                wire.send("GET", "/batches")
                self.assertTrue(wire.quiet(0.2))
                self.assertEqual(sim.stop(), 0, "it stops all the same")

    def test_a_kept_connection_is_closed_before_the_request_is_read(self):
        with Simulator("--fault", "drop=close:at=head:reused:route=creates:when=1") as sim:
            with Wire(sim) as wire:
                wire.send("GET", "/models")
                self.assertIn(b"200 OK", wire.socket.recv(4096))
                try:
                    wire.send("POST", "/batches", order())
                    self.assertEqual(wire.rest(), b"")
                except ConnectionError:
                    pass
            ledger = sim.ledger()
            self.assertEqual((ledger["batches_created"], ledger["creates_received"],
                              ledger["creates_on_reused"]), (0, 1, 1))
            self.assertEqual(sim.create("f")[0], 200, "the first of its connection")
            with Wire(sim) as wire:
                for _ in range(2):
                    wire.send("POST", "/batches", order())
                    self.assertIn(b"200 OK", wire.socket.recv(4096))
            self.assertEqual(sim.ledger()["creates_per_connection"], 2)

    def test_delays(self):
        with Simulator("--fault", "delay=300ms:route=creates:when=1") as sim:
            start = time.monotonic()
            thread = threading.Thread(target=sim.create, args=("f",))
            thread.start()
            time.sleep(0.1)
            self.assertEqual(sim.ledger()["batches_created"], 1, "carried out at once")
            thread.join()
            self.assertGreater(time.monotonic() - start, 0.28)
            sim.arm("delay=300ms:at=before:route=creates")
            with Wire(sim) as wire:
                wire.send("POST", "/batches", order())
                time.sleep(0.1)
                self.assertEqual(sim.ledger()["batches_created"], 1, "not yet")
            time.sleep(0.4)
            self.assertEqual(sim.ledger()["batches_created"], 2, "though nobody waits any more")

    def test_members_of_answers_can_be_changed(self):
        with Simulator() as sim:
            batch = sim.run(rows(2))
            path = "/batches/" + batch["id"]
            sim.arm('set=status:route=polls:to="napping"', "set=request_counts.failed:to=7",
                    "omit=output_file_id:route=polls:when=1", "set=errors:to={\"a\":[1,2]}")
            got = sim.json("GET", path)[1]
            self.assertEqual((got["status"], got["request_counts"]["failed"], got["errors"]),
                             ("napping", 7, {"a": [1, 2]}))
            self.assertNotIn("output_file_id", got)
            got = sim.json("GET", path)[1]
            self.assertEqual(got["output_file_id"], batch["output_file_id"])
            listed = sim.json("GET", "/batches")[1]["data"][0]
            self.assertEqual((listed["status"], listed["request_counts"]["failed"]),
                             ("completed", 7))
            sim.arm("clear", "set=error_file_id:to=\"\"", "set=request_counts:to=null")
            got = sim.json("GET", path)[1]
            self.assertEqual((got["error_file_id"], got["request_counts"]), ("", None))

    def test_rate_headers(self):
        with Simulator("--rate-headers", "--polls-per-min", "2") as sim:
            headers = sim.call("GET", "/models")[1]
            self.assertEqual(headers["x-ratelimit-remaining-requests"], "9999")
            self.assertRegex(headers["x-ratelimit-reset-requests"], r"^\d+ms$")
            batch = sim.create("f")[1]
            headers = sim.call("GET", "/batches/" + batch["id"])[1]
            self.assertEqual((headers["x-ratelimit-limit-requests"],
                              headers["x-ratelimit-remaining-requests"]), ("2", "1"))
            self.assertRegex(headers["x-ratelimit-reset-requests"], r"^(59|1m0)s$")
            sim.arm("rate-headers=6m:route=lists:when=1")
            headers = sim.call("GET", "/batches")[1]
            self.assertEqual((headers["x-ratelimit-remaining-requests"],
                              headers["x-ratelimit-reset-tokens"]), ("0", "6m0s"))
            self.assertEqual(sim.call("GET", "/batches")[1]["x-ratelimit-remaining-requests"],
                             "9999")


class Uploads(unittest.TestCase):
    def test_slow_reading(self):
        with Simulator("--fault", "slow-upload=200kB") as sim:
            data = rows(600)
            start = time.monotonic()
            file_id = sim.upload(data)
            took = time.monotonic() - start
            self.assertTrue(len(data) / 200000 * 0.6 < took < 5, took)
            self.assertEqual(sim.call("GET", f"/files/{file_id}/content")[2], data)

    def test_expect(self):
        boundary = ["Content-Type: multipart/form-data; boundary=----b", "Expect: 100-continue"]
        body = (b'------b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n------b\r\n'
                b'Content-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n' +
                rows(1) + b"\r\n------b--\r\n")
        head = [f"Content-Length: {len(body)}"]
        with Simulator() as sim:
            def start(wire):
                wire.socket.sendall("\r\n".join(
                    ["POST /v1/files HTTP/1.1", "Host: x", "Authorization: Bearer k"] + head +
                    boundary).encode() + b"\r\n\r\n")
            with Wire(sim) as wire:
                start(wire)
                self.assertIn(b"100 Continue", wire.socket.recv(100))
            sim.arm("expect-ignored")
            with Wire(sim) as wire:
                start(wire)
                self.assertTrue(wire.quiet(0.3))
                wire.socket.sendall(body)
                text = wire.socket.recv(4096)
                if b"200 OK" not in text:
                    text += wire.socket.recv(4096)
                self.assertIn(b"200 OK", text)
            sim.arm("clear", "status=417:at=head:route=uploads")
            with Wire(sim) as wire:
                start(wire)
                self.assertIn(b"417", wire.socket.recv(4096))
            self.assertEqual(sim.json("GET", "/_sim/state", base="")[1]["files"], 1)

    def test_files_that_are_seen_late(self):
        with Simulator("--fault", "file-get-lag=400ms", "--fault", "file-list-lag=1h") as sim:
            file_id = sim.upload(rows(1))
            for path in ("/files/" + file_id, f"/files/{file_id}/content"):
                self.assertEqual(sim.call("GET", path)[0], 404)
            self.assertEqual(sim.json("GET", "/files")[1]["data"], [])
            time.sleep(0.45)
            self.assertEqual(sim.call("GET", "/files/" + file_id)[0], 200)
            sim.arm("file-list-lag=off")
            self.assertEqual(len(sim.json("GET", "/files")[1]["data"]), 1)

    def test_files_that_are_not_ready(self):
        with Simulator("--fault", "file-pending=400ms", "--fault", "file-error=2") as sim:
            file_id = sim.upload(rows(1))
            status = lambda f: sim.json("GET", "/files/" + f)[1]["status"]
            self.assertEqual(status(file_id), "pending")
            self.assertEqual(sim.create(file_id)[0], 400)
            time.sleep(0.45)
            self.assertEqual(status(file_id), "processed")
            self.assertEqual(sim.create(file_id)[0], 200)
            sim.arm("file-pending=off")
            broken = sim.upload(rows(1))
            self.assertEqual(status(broken), "error")
            self.assertIn("'error'", sim.create(broken)[1]["error"]["message"])


class Creates(unittest.TestCase):
    def test_one_that_comes_after_its_answer(self):
        with Simulator("--fault", "late-create=400ms:when=1") as sim:
            self.assertEqual(sim.create("f")[0], 504)
            self.assertEqual(sim.json("GET", "/batches")[1]["data"], [])
            time.sleep(0.45)
            batch = sim.json("GET", "/batches")[1]["data"][0]
            self.assertEqual(sim.call("GET", "/batches/" + batch["id"])[0], 200)
            self.assertEqual(sim.ledger()["creates_lost"], 1)
            self.assertEqual(sim.create("f")[0], 200)

    def test_one_that_is_seen_late(self):
        with Simulator("--fault", "batch-get-lag=300ms") as sim:
            batch = sim.create("f")[1]
            self.assertEqual(sim.call("GET", "/batches/" + batch["id"])[0], 404)
            self.assertEqual(len(sim.json("GET", "/batches")[1]["data"]), 1)
            time.sleep(0.35)
            self.assertEqual(sim.call("GET", "/batches/" + batch["id"])[0], 200)


class Lives(unittest.TestCase):
    def test_stale_polls_go_backwards(self):
        with Simulator("--fault", "stale=2@every", "--delay", "300ms") as sim:
            batch = sim.create(sim.upload(rows(2)))[1]
            path = "/batches/" + batch["id"]
            time.sleep(0.1)
            self.assertEqual([sim.json("GET", path)[1]["status"] for _ in range(2)],
                             ["in_progress", "validating"])
            time.sleep(0.5)
            new, old = (sim.json("GET", path)[1] for _ in range(2))
            self.assertEqual((new["status"], old["status"]), ("completed", "finalizing"))
            self.assertEqual((old["output_file_id"], old["completed_at"]), (None, None))

    def test_batches_that_are_stuck(self):
        for state in ("validating", "in_progress", "finalizing"):
            with self.subTest(state), Simulator("--fault", f"stuck={state}:when=1") as sim:
                file_id = sim.upload(rows(4))
                batch = sim.create(file_id)[1]
                self.assertEqual(sim.wait(sim.create(file_id)[1]["id"])["status"], "completed")
                self.assertEqual(sim.json("GET", "/batches/" + batch["id"])[1]["status"], state)
                sim.json("POST", f"/batches/{batch['id']}/cancel")
                self.assertEqual(sim.wait(batch["id"])["status"], "cancelled")
                sim.arm("stuck=" + state)
                batch = sim.create(file_id)[1]
                sim.wait(batch["id"], (state,))
                time.sleep(0.1)
                sim.wait(batch["id"], (state,))
                sim.arm("stuck=off")
                self.assertEqual(sim.wait(batch["id"])["status"], "completed")
        with Simulator("--fault", "stuck=cancelling", "--delay", "1h") as sim:
            batch = sim.create(sim.upload(rows(4)))[1]
            sim.wait(batch["id"], ("in_progress",))
            sim.json("POST", f"/batches/{batch['id']}/cancel")
            time.sleep(0.2)
            sim.wait(batch["id"], ("cancelling",))
            sim.arm("clear")
            self.assertEqual(sim.wait(batch["id"])["status"], "cancelled")

    def test_batches_that_fail_with_a_reason(self):
        with Simulator() as sim:
            for spec, code, line_number, message in (
                    ("batch-failed:code=billing_hard_limit_reached", "billing_hard_limit_reached",
                     None, "A simulated failure."),
                    ("batch-failed=1.0:code=invalid_json_line:line=7", "invalid_json_line", 7,
                     "A simulated failure."),
                    ("batch-failed:code=invalid_request:message=File is too large.",
                     "invalid_request", None, "File is too large.")):
                sim.arm(spec)
                batch = sim.run(rows(2))
                self.assertEqual(batch["status"], "failed")
                self.assertEqual(batch["errors"]["data"], [{
                    "code": code, "message": message, "param": None, "line": line_number}])
            self.assertEqual(sim.ledger()["rows_executed"], 0)

    def test_batches_that_end_before_they_are_done(self):
        for fault, name in (("batch-expired", "expired"), ("batch-cancelled", "cancelled")):
            with Simulator("--fault", fault + ":done=0.25") as sim:
                batch = sim.run(rows(400))
                self.assertEqual(batch["status"], name)
                done = sim.lines(batch["output_file_id"])
                rest = sim.lines(batch["error_file_id"])
                self.assertEqual((len(done), len(rest)), (100, 300))
                self.assertEqual({l["error"]["code"] for l in rest}, {"batch_" + name})
                self.assertTrue(all(l["response"] is None for l in rest))
                sim.arm(fault)
                self.assertIsNone(sim.run(rows(4))["output_file_id"])

    def test_a_cancel_that_comes_too_late(self):
        with Simulator("--fault", "cancel-loses", "--delay", "1h") as sim:
            batch = sim.create(sim.upload(rows(4)))[1]
            sim.wait(batch["id"], ("in_progress",))
            self.assertEqual(sim.json("POST", f"/batches/{batch['id']}/cancel")[1]["status"],
                             "cancelling")
            batch = sim.wait(batch["id"])
            self.assertEqual((batch["status"], batch["request_counts"]["completed"]),
                             ("completed", 4))

    def test_cancels_that_fail(self):
        for at, status in (("before", "in_progress"), ("after", "cancelled")):
            with Simulator("--fault", f"status=500:route=cancels:at={at}", "--delay",
                           "1h") as sim:
                batch = sim.create(sim.upload(rows(4)))[1]
                sim.wait(batch["id"], ("in_progress",))
                self.assertEqual(sim.json("POST", f"/batches/{batch['id']}/cancel")[0], 500)
                sim.wait(batch["id"], (status,))

    def test_files_that_are_not_there_or_empty(self):
        with Simulator() as sim:
            for fault, output, errors in (("no-files", None, None), ("empty-files", b"", b""),
                                          ("empty-error-file", True, b"")):
                sim.arm("clear", fault)
                batch = sim.run(rows(3))
                self.assertEqual(batch["status"], "completed", fault)
                self.assertEqual(batch["request_counts"]["completed"], 3)
                for file_id, wanted in ((batch["output_file_id"], output),
                                        (batch["error_file_id"], errors)):
                    if wanted is None:
                        self.assertIsNone(file_id, fault)
                    else:
                        text = sim.call("GET", f"/files/{file_id}/content")[2]
                        self.assertEqual(text == b"", wanted == b"", fault)
            self.assertEqual(sim.ledger()["rows_billed"], 3)
            sim.arm("clear", "output-gone=1")
            batch = sim.run(rows(3))
            self.assertEqual(sim.call("GET", f"/files/{batch['output_file_id']}/content")[0], 404)


class Results(unittest.TestCase):
    def test_rows_that_fail_in_other_ways(self):
        data = rows(300)
        for fault, status, code in (("rows-429", 429, "rate_limit_exceeded"),
                                    ("rows-policy", 400, "content_filter"),
                                    ("rows-0", 0, None),
                                    ("rows-timeout", None, "request_timeout"),
                                    ("rows-cancelled", None, "batch_cancelled")):
            with self.subTest(fault), Simulator("--fault", fault + "=0.3") as sim:
                batch = sim.run(data)
                bad = sim.lines(batch["error_file_id"])
                self.assertTrue(50 < len(bad) < 150)
                self.assertEqual(batch["request_counts"]["failed"], len(bad))
                for l in bad:
                    if status is None:
                        self.assertEqual((l["response"], l["error"]["code"]), (None, code))
                    elif status == 0:
                        self.assertEqual((l["response"], l["error"]), (
                            {"status_code": 0, "request_id": "", "body": {}}, None))
                    else:
                        self.assertEqual((l["response"]["status_code"],
                                          l["response"]["body"]["error"]["code"]), (status, code))

    def test_failures_in_the_output_file_that_no_count_knows(self):
        for fault, status in (("rows-failed", 400), ("rows-500", 500), ("rows-429", 429),
                              ("rows-0", 0), ("rows-policy", 400)):
            with self.subTest(fault), Simulator("--fault", fault + "=0.3:in-output") as sim:
                batch = sim.run(rows(300))
                self.assertIsNone(batch["error_file_id"])
                self.assertEqual(batch["request_counts"],
                                 {"total": 300, "completed": 300, "failed": 0})
                lines = sim.lines(batch["output_file_id"])
                bad = [l for l in lines if l["response"]["status_code"] == status]
                self.assertTrue(50 < len(bad) < 150)
                self.assertEqual(sim.ledger()["rows_billed"], 300 - len(bad))

    def raw(self, sim, data):
        return sim.call("GET", f"/files/{sim.run(data)['output_file_id']}/content")[2]

    def test_lines_that_are_broken(self):
        for fault in ("rows-torn", "rows-glued"):
            with self.subTest(fault), Simulator("--fault", fault + "=0.3") as sim:
                lines = self.raw(sim, rows(300)).splitlines()
                self.assertEqual(len(lines), 300)
                good = 0
                for l in lines:
                    try:
                        good += bool(json.loads(l))
                    except ValueError:
                        longer = len(l) > 400
                        self.assertEqual(longer, fault == "rows-glued")
                self.assertTrue(150 < good < 250)
                self.assertEqual(sim.ledger()["rows_billed"], good)

    def test_lines_that_are_strange(self):
        with Simulator("--fault", "rows-string=1.0") as sim:
            for l in sim.lines(sim.run(rows(3))["output_file_id"]):
                self.assertIn("choices", json.loads(l["response"]["body"]))
            sim.arm("clear", "rows-big=1.0")
            lines = sim.lines(sim.run(rows(2))["output_file_id"])
            self.assertEqual([len(l["response"]["body"]["padding"]) for l in lines], [5000000] * 2)
            self.assertIn("choices", lines[0]["response"]["body"])

    def test_layouts(self):
        with Simulator() as sim:
            plain = self.raw(sim, rows(25))
            for fault, wanted in (
                    ("crlf", plain.replace(b"\n", b"\r\n")),
                    ("bom", b"\xef\xbb\xbf" + plain),
                    ("no-final-newline", plain[:-1])):
                sim.arm("clear", fault)
                self.assertEqual(self.raw(sim, rows(25)), wanted, fault)
            sim.arm("clear", "blank-lines", "crlf=1", "no-final-newline=1")
            lines = self.raw(sim, rows(25)).split(b"\r\n")
            self.assertEqual([i for i, l in enumerate(lines) if l == b""], [10, 21])
            self.assertEqual(b"\n".join(l for l in lines if l) + b"\n", plain)


class Downloads(unittest.TestCase):
    def setUp(self):
        self.sim = Simulator("--content-port", "0")
        self.content = int(self.sim.process.stdout.readline().split()[1])
        self.data = rows(2000)
        self.file_id = self.sim.upload(self.data)
        self.path = f"/files/{self.file_id}/content"

    def tearDown(self):
        self.sim.__exit__()

    def get(self, **headers):
        return self.sim.call("GET", self.path, headers={k.replace("_", "-"): v
                                                        for k, v in headers.items()})

    def test_cuts(self):
        for how in ("length", "chunked"):
            self.sim.arm(f"cut={how}:byte=1000")
            with self.assertRaises(http.client.IncompleteRead) as caught:
                self.get()
            if how == "length":
                self.assertEqual(caught.exception.partial, self.data[:1000])
        with Wire(self.sim) as wire:
            self.sim.arm("cut=chunked:byte=1000")
            wire.send("GET", self.path)
            text = wire.rest()
            self.assertIn(b"Transfer-Encoding: chunked", text)
            self.assertFalse(text.endswith(b"0\r\n\r\n"))
        self.sim.arm("cut=close:byte=1000")
        _, headers, text = self.get()
        self.assertEqual((text, "Content-Length" in headers, "Transfer-Encoding" in headers),
                         (self.data[:1000], False, False))
        for how in ("chunked", "close"):
            self.sim.arm(f"cut={how}:byte=100000000")
            self.assertEqual(self.get()[2], self.data, "whole")
        self.sim.arm("cut=stall:byte=1000:when=1")
        with Wire(self.sim) as wire:
            wire.send("GET", self.path)
            got = b""
            while len(got.partition(b"\r\n\r\n")[2]) < 1000:
                got += wire.socket.recv(1 << 16)
            self.assertEqual(got.partition(b"\r\n\r\n")[2], self.data[:1000])
            self.assertTrue(wire.quiet(0.3))
        self.assertEqual(self.get()[2], self.data)

    def test_wrong_lengths(self):
        self.sim.arm("wrong-length=-7")
        _, headers, text = self.get()
        self.assertEqual((headers["Content-Length"], text),
                         (str(len(self.data) - 7), self.data[:-7]))
        self.sim.arm("wrong-length=7")
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.get()
        self.assertEqual(caught.exception.partial, self.data)

    def test_ranges_and_etags(self):
        for spec, status, text in (("range=200", 200, self.data), ("range=416", 416, None),
                                   ("range=shifted", 206, self.data[9:20])):
            self.sim.arm("clear", spec)
            got = self.get(Range="bytes=10-19")
            self.assertEqual(got[0], status)
            if text is not None:
                self.assertEqual(got[2], text)
        self.assertEqual(got[1]["Content-Range"], f"bytes 9-19/{len(self.data)}")
        self.sim.arm("clear", "etag=steady")
        tag = self.get()[1]["ETag"]
        self.assertEqual(tag, self.get()[1]["ETag"])
        self.assertEqual(self.get(Range="bytes=1-2", If_Range=tag)[0], 206)
        self.assertEqual(self.get(Range="bytes=1-2", If_Range='"other"')[0], 200)
        self.sim.arm("etag=changing")
        self.assertNotEqual(self.get()[1]["ETag"], self.get()[1]["ETag"])
        self.assertEqual(self.get(Range="bytes=1-2", If_Range=tag)[0], 200)
        self.sim.arm("etag=weak")
        tag = self.get()[1]["ETag"]
        self.assertTrue(tag.startswith("W/"))
        self.assertEqual(self.get(Range="bytes=1-2", If_Range=tag)[0], 200)

    def test_gzip(self):
        self.sim.arm("gzip=1")
        _, headers, text = self.get(Accept_Encoding="identity", Range="bytes=5-9")
        self.assertEqual(headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(text), self.data)
        self.assertEqual(self.get()[2], self.data)

    def follow(self, **headers):
        """Where one download leads; the key goes everywhere, as it must not."""
        hops = []
        status, said, text = self.get()
        while status in (301, 302, 307):
            url = said["Location"]
            hops.append(url)
            port, path = re.match(r"http://127\.0\.0\.1:(\d+)(/.*)", url).groups()
            connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            status, said, text = answer.status, dict(answer.getheaders()), answer.read()
            connection.close()
        return hops, status, text

    def test_redirects(self):
        self.sim.arm("redirect=1")
        hops, status, text = self.follow()
        self.assertEqual((len(hops), status, text), (1, 200, self.data))
        self.assertIn(f":{self.content}/", hops[0])
        ledger = self.sim.ledger()
        self.assertEqual((ledger["content_requests"], ledger["keys_leaked"]), (1, 0))
        self.sim.arm("redirect=4:status=307:when=1")
        hops, status, text = self.follow(Authorization="Bearer secret")
        self.assertEqual((len(hops), text), (4, self.data))
        self.assertEqual(self.sim.ledger()["keys_leaked"], 4)
        self.sim.arm("redirect=2:to=same")
        hops, status, text = self.follow()
        self.assertEqual((len(hops), status), (1, 401), "the key is needed here")
        hops, status, text = self.follow(Authorization="Bearer k")
        self.assertEqual((len(hops), text), (2, self.data))
        self.sim.arm("redirect=1:to=https")
        self.assertTrue(self.get()[1]["Location"].startswith("https://127.0.0.1:"))
        connection = http.client.HTTPConnection("127.0.0.1", self.content, timeout=10)
        connection.request("GET", "/v1/batches", headers={"Authorization": "Bearer k"})
        self.assertEqual(connection.getresponse().status, 404, "nothing else is there")
        connection.close()

    def test_late_content_and_other_orders(self):
        self.sim.arm("content-lag=400ms")
        batch = self.sim.run(rows(20))
        path = f"/files/{batch['output_file_id']}/content"
        self.assertEqual(self.sim.call("GET", path)[0], 404)
        self.assertEqual(self.get()[0], 200, "an input is not meant")
        time.sleep(0.45)
        plain = self.sim.call("GET", path)[2]
        self.sim.arm("reorder")
        orders = {self.sim.call("GET", path)[2] for _ in range(8)}
        self.assertGreater(len(orders), 2)
        for text in orders:
            self.assertEqual(sorted(text.splitlines()), sorted(plain.splitlines()))


class Quotas(unittest.TestCase):
    def test_rates(self):
        with Simulator("--creates-per-hour", "2", "--uploads-per-min", "3", "--polls-per-min",
                       "4") as sim:
            ids = [sim.upload_raw(rows(1)) for _ in range(4)]
            self.assertEqual([s for s, _ in ids], [200, 200, 200, 429])
            made = [sim.create("f") for _ in range(3)]
            self.assertEqual([s for s, _ in made], [200, 200, 429])
            self.assertIn("batches", made[2][1]["error"]["message"])
            path = "/batches/" + made[0][1]["id"]
            polls = [sim.call("GET", path) for _ in range(5)]
            self.assertEqual([p[0] for p in polls], [200] * 4 + [429])
            self.assertTrue(55 <= int(polls[4][1]["Retry-After"]) <= 60)
            ledger = sim.ledger()
            for name, peak in (("uploads_per_min", 4), ("creates_per_hour", 3),
                               ("polls_per_min", 5)):
                self.assertEqual((ledger["peak_" + name], ledger["refused_" + name]), (peak, 1))

    def test_stores(self):
        with Simulator("--max-files", "2") as sim:
            first = sim.upload(rows(1))
            sim.run(rows(1))
            status, body = sim.upload_raw(rows(1))
            self.assertEqual(status, 400)
            self.assertIn("number of files", body["error"]["message"])
            sim.call("DELETE", "/files/" + first)
            sim.upload(rows(1))
            self.assertEqual(sim.ledger()["refused_storage"], 1)
        with Simulator("--max-storage", "1kB") as sim:
            sim.upload(rows(4))
            status, body = sim.upload_raw(rows(8))
            self.assertEqual(status, 400)
            self.assertIn("storage", body["error"]["message"])

    def test_queues(self):
        with Simulator("--enqueued-requests", "5", "--delay", "600ms") as sim:
            first = sim.create(sim.upload(rows(3)))[1]
            sim.wait(first["id"], ("in_progress",))
            error = sim.run(rows(3))["errors"]["data"][0]
            self.assertEqual(error["code"], "token_limit_exceeded")
            self.assertIn("5 enqueued requests", error["message"])
            sim.wait(first["id"])
            self.assertEqual(sim.run(rows(3))["status"], "completed")
        for option in ("--enqueued-requests", "--enqueued-tokens"):
            limit = "5" if option == "--enqueued-requests" else "100"
            with self.subTest(option), Simulator(option, limit, "--fail-fast", "--delay",
                                                 "400ms") as sim:
                file_id = sim.upload(rows(3))
                status, first = sim.create(file_id)
                self.assertEqual(status, 200)
                status, body = sim.create(file_id)
                self.assertEqual((status, body["error"]["code"]), (400, "token_limit_exceeded"))
                self.assertEqual(sim.wait(first["id"])["status"], "completed")
                self.assertEqual(sim.create(file_id)[0], 200)
                self.assertEqual(sim.ledger()["refused_queue"], 1)


class Measures(unittest.TestCase):
    def test_intents_and_keys(self):
        with Simulator() as sim:
            for name in ("a", "b", "a", None):
                sim.create("f", metadata={"sheaf_bid": name} if name else {})
            sim.key = "other"
            sim.create("f")
            ledger = sim.json("GET", "/_sim/ledger?batches=1", base="")[1]
            self.assertEqual((ledger["intents"], ledger["intents_created_twice"]), (2, 1))
            self.assertEqual(ledger["keys_seen"], {fnv("test-key"): 4, fnv("other"): 1})
            self.assertEqual([b["intent_hash"] for b in ledger["batches"]],
                             [fnv("a"), fnv("b"), fnv("a"), "0" * 16, "0" * 16])

    def test_how_long_batches_lived(self):
        with Simulator("--delay", "400ms") as sim:
            file_id = sim.upload(rows(2))
            first = sim.create(file_id)[1]["id"]
            time.sleep(0.2)
            second = sim.create(file_id)[1]["id"]
            live = sim.ledger()
            self.assertEqual((live["batches_live_peak"], live["last_end_ms"]), (2, 0))
            sim.wait(first)
            sim.wait(second)
            time.sleep(0.2)
            ledger = sim.ledger()
            self.assertTrue(750 < ledger["live_ms"] < 1500, ledger["live_ms"])
            took = ledger["last_end_ms"] - ledger["first_create_ms"]
            self.assertTrue(550 < took < 1200, took)
            time.sleep(0.1)
            self.assertEqual(sim.ledger()["live_ms"], ledger["live_ms"])


class Answers(unittest.TestCase):
    """Answers by the rules of a file, and what is done to them."""

    RULES = {"answers": [
        {"find": "users", "each": "^## (.+)$", "json": {"label": {"$one": ["a", "b"]}}},
        {"find": "number", "json": {"n": {"$int": [1, 5]}}},
        {"find": "word", "text": {"$one": ["甲", "乙"]}}]}
    PACK = "the users\n## u-1\nx\n## u-2\ny"

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="sheaf-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.rules = os.path.join(self.folder, "answers.json")
        with open(self.rules, "w", encoding="utf-8") as out:
            json.dump(self.RULES, out)

    def contents(self, sim, data):
        batch = sim.run(data)
        choices = {l["custom_id"]: l["response"]["body"]["choices"][0]
                   for l in sim.lines(batch["output_file_id"])}
        return {name: choice["message"]["content"] for name, choice in choices.items()}, choices

    def test_the_rule_that_fits_answers_in_each_dialect(self):
        data = line("p", self.PACK) + line("w", "one word") + line("o", "something else") + b"".join(
            line(f"n-{i}", f"number {i}") for i in range(200))
        with Simulator("--answers", self.rules) as sim:
            said, _ = self.contents(sim, data)
            again, _ = self.contents(sim, data)
        self.assertEqual(said, again)
        self.assertEqual([e["id"] for e in json.loads(said["p"])], ["u-1", "u-2"])
        self.assertTrue({e["label"] for e in json.loads(said["p"])} <= {"a", "b"})
        self.assertIn(said["w"], ("甲", "乙"))
        self.assertTrue(said["o"].startswith("sim:"))
        self.assertEqual({json.loads(said[f"n-{i}"])["n"] for i in range(200)}, {1, 2, 3, 4, 5})
        with Simulator("--answers", self.rules, "--profile", "zhipu", base="/api/paas/v4") as sim:
            zhipu = b"".join(line(f"number-{i}", f"number {i}", url="/v4/chat/completions") for i in range(3))
            batch = sim.run(zhipu, endpoint="/v4/chat/completions")
            for l in sim.lines(batch["output_file_id"]):
                content = l["response"]["body"]["choices"][0]["message"]["content"]
                self.assertIn(json.loads(content)["n"], range(1, 6))

    def test_a_file_that_cannot_be_used_ends_it(self):
        with open(self.rules, "w", encoding="utf-8") as out:
            out.write('{"answers": [{"find": 3}]}')
        done = subprocess.run([PROGRAM, "--answers", self.rules], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=20)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("answers[0]: needs either text or json", done.stderr)

    def test_what_models_do_to_answers(self):
        for fault, question, check in (
                ("rows-prose=1", "number", lambda text: "{" not in text and " " in text),
                ("rows-wrapped=1", "number", lambda text: re.fullmatch(
                    r'[A-Z][^{]+\{"n":[1-5]\}[^{]+', text)),
                ("rows-fenced=1", "number", lambda text: re.fullmatch(
                    r'```json\n\{"n":[1-5]\}\n```', text)),
                ("rows-loose=1", "number", lambda text: re.fullmatch(r"\{'n':[1-5],\}", text)),
                ("rows-cut-off=1", "number", lambda text: text == '{"n"'),
                ("rows-wrong-word=1", "number", lambda text: text == '{"n":"three"}'),
                ("rows-wrong-word=1", "word", lambda text: text == "no-such-word"),
                ("rows-extra-key=1", "number", lambda text: re.fullmatch(
                    r'\{"n":[1-5],"comment":"made up"\}', text)),
                ("rows-forgotten=1", self.PACK, lambda text: [
                    e["id"] for e in json.loads(text)] == ["u-1"])):
            with self.subTest(fault), Simulator("--answers", self.rules, "--fault", fault) as sim:
                said, choices = self.contents(sim, line("r", question))
                self.assertTrue(check(said["r"]), said["r"])
                self.assertEqual(choices["r"]["finish_reason"],
                                 "length" if "cut-off" in fault else "stop")
                ledger = sim.ledger()
                self.assertEqual((ledger["rows_spoiled"], ledger["rows_billed"]), (1, 1))

    def test_a_question_that_is_asked_again_gets_another_chance(self):
        data = b"".join(line(f"n-{i}", f"number {i}") for i in range(300))

        def bad(said):
            return {name for name, text in said.items() if "{" not in text}
        with Simulator("--answers", self.rules, "--fault", "rows-prose=0.5") as sim:
            first, second = (bad(self.contents(sim, data)[0]) for _ in range(2))
            self.assertTrue(100 < len(first) < 200, len(first))
            self.assertTrue(30 < len(first & second) < 120, len(first & second))
        with Simulator("--answers", self.rules, "--fault", "rows-prose=1:once") as sim:
            self.assertEqual([len(bad(self.contents(sim, data)[0])) for _ in range(2)], [300, 0])
        with Simulator("--answers", self.rules, "--fault", "rows-prose=0.5:always") as sim:
            first, second = (bad(self.contents(sim, data)[0]) for _ in range(2))
            self.assertEqual(first, second)


class Documentation(unittest.TestCase):
    def test_every_fault_is_documented_and_struck_here(self):
        here = os.path.dirname(os.path.abspath(__file__))
        root = os.path.dirname(os.path.dirname(here))
        with open(os.path.join(root, "docs", "simulator.md"), encoding="utf-8") as text:
            section = text.read().split("## Faults\n")[1].split("\n## ")[0]
        documented = {name for row in re.findall(r"^\| (`.*?) \|", section, re.M)
                      for name in re.findall(r"`([a-z0-9-]+)", row)}
        with open(os.path.join(root, "simulator", "fault_spec.c"), encoding="utf-8") as text:
            known = set(re.findall(r'^    (?:PLAIN|WORDS|ALIAS)\("([a-z0-9-]+)"', text.read(), re.M))
        with open(os.path.abspath(__file__), encoding="utf-8") as text:
            tests = text.read()
        self.assertGreater(len(known), 60)
        self.assertEqual(known - documented, set())
        for name in known:
            self.assertTrue(name in tests, f"no test of {name}")


class Zhipu(unittest.TestCase):
    def setUp(self):
        self.sim = Simulator("--profile", "zhipu", base="/api/paas/v4")

    def tearDown(self):
        self.sim.__exit__()

    def run_batch(self, **more):
        data = b"".join(line(f"request-{i}", url="/v4/chat/completions") for i in range(5))
        file_id = self.sim.upload(data)
        order = {"input_file_id": file_id, "endpoint": "/v4/chat/completions", **more}
        created = self.sim.json("POST", "/batches", order)[1]
        return file_id, created, self.sim.wait(created["id"])

    def test_the_dialect(self):
        file_id, created, batch = self.run_batch()
        self.assertEqual(created["request_counts"],
                         {"total": None, "completed": None, "failed": None})
        self.assertEqual((created["output_file_id"], created["error_file_id"]), ("", ""))
        self.assertGreater(batch["created_at"], 10 ** 12)
        self.assertEqual((batch["status"], batch["error_file_id"]), ("completed", ""))
        for l in self.sim.lines(batch["output_file_id"]):
            self.assertEqual(list(l), ["response", "custom_id", "id"])
            self.assertEqual(l["id"], batch["id"])
            self.assertIn("request_id", l["response"]["body"])
        self.assertEqual(self.sim.call("GET", f"/files/{file_id}/content")[0], 404,
                         "the input is deleted when the batch ends")
        kept = self.run_batch(auto_delete_input_file=False)[0]
        self.assertEqual(self.sim.call("GET", f"/files/{kept}/content")[0], 200)

    def test_files(self):
        info = self.sim.upload_raw(line("request-1"))[1]
        self.assertEqual(info["fileName"], "in.jsonl")
        self.assertLess(info["created_at"], 10 ** 11)
        self.assertEqual(self.sim.json("GET", "/files/" + info["id"])[0], 404)
        self.assertEqual(self.sim.json("GET", "/files")[1]["error"]["code"], "1213")
        page = self.sim.json("GET", "/files?purpose=batch")[1]
        self.assertEqual((len(page["data"]), "first_id" in page), (1, False))
        for data, code in ((line("short"), "1214"),
                           (line("request-1", model="no-such-model"), "1210"),
                           (line("request-1") + b"nonsense\n", "1210")):
            status, body = self.sim.upload_raw(data)
            self.assertEqual((status, body["error"]["code"]), (400, code))

    def test_errors(self):
        self.sim.key = None
        self.assertEqual(self.sim.json("GET", "/batches")[1]["error"]["code"], "1001")
        with Simulator("--profile", "zhipu", "--max-bytes", "100", base="/api/paas/v4") as sim:
            self.assertEqual(sim.upload_raw(line("request-1"))[0], 435)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
