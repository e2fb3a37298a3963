#!/usr/bin/env python3
"""What sheaf-simulator says under each --profile, fact by fact. Standard library only.

usage: test_dialects.py [Class.test]; SHEAF_BIN names the folder of sheaf-simulator.
"""

import http.client
import json
import os
import signal
import subprocess
import time
import unittest
import urllib.parse

BIN = os.environ.get("SHEAF_BIN", os.path.join(os.path.dirname(__file__), "../../build/bin"))
FINAL = ("completed", "failed", "expired", "cancelled")
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class Sim:
    """A simulator of one dialect."""

    def __init__(self, name, base, *args, headers=None):
        self.base = base
        self.headers = {"Authorization": "Bearer k"} if headers is None else headers
        self.process = subprocess.Popen(
            [os.path.join(BIN, "sheaf-simulator"), "--profile", name, *args],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.process.stdout.close()
        if self.process.returncode != 0:
            raise AssertionError(f"the simulator ended with {self.process.returncode}")

    def raw(self, method, path, body=None, headers=None, own=None):
        """(status, headers, bytes)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            sent = {**(self.headers if own is None else own), **(headers or {})}
            connection.request(method, self.base + path, body, sent)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def json(self, method, path, body=None):
        status, _, text = self.raw(method, path, None if body is None else json.dumps(body),
                                   {"Content-Type": "application/json"})
        return status, json.loads(text)

    def post_file(self, data, fields=(("purpose", "batch"),), name="in.jsonl"):
        """(status, bytes)"""
        mark = "boundary-of-test-dialects"
        parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode()
                 for k, v in fields]
        parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"'
                     "\r\nContent-Type: application/jsonl\r\n\r\n".encode() + data + b"\r\n")
        status, _, text = self.raw("POST", "/files", b"".join(parts) + f"--{mark}--\r\n".encode(),
                                   {"Content-Type": "multipart/form-data; boundary=" + mark})
        return status, text

    def upload(self, data, fields=(("purpose", "batch"),)):
        status, text = self.post_file(data, fields)
        if status not in (200, 201):
            raise AssertionError((status, text))
        return json.loads(text)

    def create(self, file_id, endpoint="/v1/chat/completions", **more):
        order = {"input_file_id": file_id, "endpoint": endpoint, "completion_window": "24h"}
        order.update(more)
        return self.json("POST", "/batches", {k: v for k, v in order.items() if v is not None})

    def wait(self, batch_id, until=FINAL):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            batch = self.json("GET", "/batches/" + batch_id)[1]
            if batch["status"] in until:
                return batch
            time.sleep(0.02)
        raise AssertionError(f"{batch_id} does not end: {batch}")

    def run(self, data, **more):
        status, batch = self.create(self.upload(data)["id"], **more)
        if status not in (200, 201) or "id" not in batch:
            raise AssertionError((status, batch))
        return self.wait(batch["id"])

    def lines(self, file_id):
        status, _, text = self.raw("GET", f"/files/{file_id}/content")
        if status != 200:
            raise AssertionError((status, text))
        return [json.loads(line) for line in text.splitlines()]


def line(custom_id, url="/v1/chat/completions", method="POST", **body):
    request = {"model": "m", "messages": [{"role": "user", "content": custom_id}], **body}
    return json.dumps({"custom_id": custom_id, "method": method, "url": url,
                       "body": request}).encode() + b"\n"


def rows(count, url="/v1/chat/completions"):
    return b"".join(line(f"request-{i:04}", url) for i in range(count))


def codes(batch):
    """(code, line) of each error of a failed batch."""
    return [(e["code"], e["line"]) for e in batch["errors"]["data"]]


class Case(unittest.TestCase):
    name = base = None
    headers = None

    def start(self, *args):
        sim = Sim(self.name, self.base, *args, headers=self.headers)
        self.addCleanup(sim.close)
        return sim


class OpenAI(Case):
    name, base = "openai", "/v1"

    def test_only_the_first_line_is_checked_at_upload(self):
        sim = self.start()
        for data in (b"", b"nonsense\n" + rows(1), b"\xef\xbb\xbf" + rows(1), b"[1]\n"):
            status, text = sim.post_file(data)
            self.assertEqual(status, 400)
            self.assertEqual(json.loads(text)["error"]["message"],
                             "Invalid file format for Batch API. Must be .jsonl")
        self.assertEqual(sim.upload(rows(1) + b"nonsense\n")["status"], "processed")

    def test_every_bad_line_is_named_with_its_code(self):
        sim = self.start()
        # (line, code, param, message)
        table = [
            (line("a"), None, None, None),
            (b"\n", None, None, None),
            (b"{broken\n", "invalid_json_line", None,
             "This line is not parseable as valid JSON."),
            (b'{"method":"POST","url":"/v1/chat/completions","body":{}}\n',
             "missing_required_parameter", "custom_id",
             "Missing required parameter: 'custom_id'."),
            (line("b", url="/v1/embeddings"), "invalid_url", "url",
             "The URL provided for this request does not match the batch endpoint."),
            (line("c", model="no-such-model"), "model_not_found", "body.model",
             "The provided model 'no-such-model' is not supported by the Batch API."),
            (line("d", model=""), "invalid_request", "body.model", "Model parameter is required."),
            (line("e", messages=None), "invalid_request", "body.messages",
             "Messages parameter is required."),
            (line("f", stream=True), "streaming_unsupported", "body.stream",
             "Chat Completions: Streaming is not supported in the Batch API."),
            (line("a"), "duplicate_custom_id", "custom_id",
             "The custom_id for this request is a duplicate of another request. The custom_id "
             "parameter must be unique for each request in a batch."),
        ]
        batch = sim.run(b"".join(data for data, *_ in table))
        self.assertEqual(batch["status"], "failed")
        wanted = [{"code": code, "line": i + 1, "message": message, "param": param}
                  for i, (_, code, param, message) in enumerate(table) if code]
        self.assertEqual(batch["errors"]["data"], wanted)
        self.assertEqual((batch["output_file_id"], batch["error_file_id"]), (None, None))

    def test_two_models_an_empty_file_and_too_many_lines(self):
        sim = self.start("--max-requests", "3")
        self.assertEqual(codes(sim.run(line("a") + line("b", model="n"))), [("model_mismatch", 2)])
        self.assertEqual(codes(sim.run(b"\n\n")), [("empty_file", None)])
        self.assertEqual(codes(sim.run(rows(4))), [("too_many_tasks", None)])

    def test_orders_are_refused_in_openais_words(self):
        sim = self.start()
        file_id = sim.upload(rows(1))["id"]
        # (what is changed, code, param, part of the message)
        table = [
            ({"input_file_id": None}, "missing_required_parameter", "input_file_id",
             "Missing required parameter: 'input_file_id'."),
            ({"endpoint": "/v1/nope"}, "invalid_value", "endpoint", "Supported values are: '/v1/"),
            ({"completion_window": "48h"}, "invalid_value", "completion_window",
             "completion_window"),
            ({"completion_window": None}, "missing_required_parameter", "completion_window",
             "Missing required parameter: 'completion_window'."),
            ({"metadata": {"tags": ["x"]}}, "invalid_type", "metadata.tags",
             "Invalid type for 'metadata.tags': expected a string, but got an array instead."),
            ({"metadata": {str(i): "x" for i in range(17)}}, "object_above_max_properties",
             "metadata", "too many"),
            ({"metadata": {"k" * 65: "x"}}, "string_above_max_length", "metadata", "64"),
            ({"metadata": {"k": "x" * 513}}, "string_above_max_length", "metadata.k", "512"),
        ]
        for more, code, param, message in table:
            with self.subTest(more=more):
                more = {"endpoint": "/v1/chat/completions", **more}
                status, body = sim.create(more.pop("input_file_id", file_id), **more)
                self.assertEqual((status, body["error"]["code"], body["error"]["param"]),
                                 (400, code, param))
                self.assertIn(message, body["error"]["message"])
        ok = {"k" * 64: "x" * 512, **{str(i): "" for i in range(15)}}
        self.assertEqual(sim.create(file_id, metadata=ok)[1]["metadata"], ok)

    def test_a_batch_that_is_not_done_in_its_window_expires(self):
        sim = self.start("--window", "600ms", "--delay", "1200ms")
        batch = sim.run(rows(100))
        self.assertEqual(batch["status"], "expired")
        self.assertIsNotNone(batch["expired_at"])
        done = sim.lines(batch["output_file_id"])
        left = sim.lines(batch["error_file_id"])
        self.assertEqual((len(done), len(left)), (50, 50))
        self.assertEqual({l["error"]["code"] for l in left}, {"batch_expired"})
        self.assertEqual(batch["request_counts"], {"total": 100, "completed": 50, "failed": 50})

    def test_cancelling_takes_its_time(self):
        sim = self.start("--delay", "60s", "--cancel-delay", "500ms")
        batch = sim.create(sim.upload(rows(10))["id"])[1]
        sim.wait(batch["id"], ("in_progress",))
        began = time.monotonic()
        self.assertEqual(sim.json("POST", f"/batches/{batch['id']}/cancel")[1]["status"],
                         "cancelling")
        self.assertEqual(sim.json("GET", "/batches/" + batch["id"])[1]["status"], "cancelling")
        batch = sim.wait(batch["id"])
        self.assertGreater(time.monotonic() - began, 0.4)
        self.assertEqual(batch["status"], "cancelled")
        self.assertEqual({l["error"]["code"] for l in sim.lines(batch["error_file_id"])},
                         {"batch_cancelled"})
        self.assertEqual(sim.json("POST", f"/batches/{batch['id']}/cancel")[0], 200)

    def test_files_expire(self):
        sim = self.start("--file-ttl", "300ms", "--validate-delay", "700ms")
        fields = [("purpose", "batch"), ("expires_after[anchor]", "created_at"),
                  ("expires_after[seconds]", "3600")]
        info = sim.upload(rows(1), fields)
        self.assertLessEqual(info["expires_at"], info["created_at"] + 2)
        batch = sim.create(info["id"])[1]
        time.sleep(0.4)
        self.assertEqual(sim.json("GET", "/files/" + info["id"])[0], 404)
        batch = sim.wait(batch["id"])
        self.assertEqual(batch["errors"]["data"][0]["param"], "file_id")
        self.assertIn("Cannot find file", batch["errors"]["data"][0]["message"])

    def test_bodies_are_those_of_their_endpoint(self):
        sim = self.start()
        def body(endpoint, **request):
            data = line("request-1", endpoint, messages=None, **request)
            batch = sim.run(data, endpoint=endpoint)
            return sim.lines(batch["output_file_id"])[0]["response"]["body"]
        found = body("/v1/embeddings", input=["a", "b"])
        self.assertEqual([d["index"] for d in found["data"]], [0, 1])
        self.assertEqual(found["data"][0]["object"], "embedding")
        found = body("/v1/responses", input="hi")
        self.assertEqual(found["output"][0]["content"][0]["type"], "output_text")
        self.assertEqual(found["usage"]["total_tokens"],
                         found["usage"]["input_tokens"] + found["usage"]["output_tokens"])
        self.assertEqual(body("/v1/completions", prompt="x")["object"], "text_completion")
        found = body("/v1/moderations", input=["a", "b", "c"])
        self.assertEqual([r["flagged"] for r in found["results"]], [False] * 3)


class Zhipu(Case):
    name, base = "zhipu", "/api/paas/v4"
    url = "/v4/chat/completions"

    def order(self, sim, file_id, **more):
        return sim.create(file_id, self.url, completion_window=None, **more)

    def test_objects(self):
        sim = self.start()
        info = sim.upload(rows(3, self.url))
        self.assertRegex(info["id"], rf"^\d{{8}}_{UUID}$")
        self.assertEqual((info["fileName"], "filename" in info, "status" in info),
                         ("in.jsonl", False, False))
        self.assertLess(info["created_at"], 10 ** 11)
        created = self.order(sim, info["id"], auto_delete_input_file=False)[1]
        self.assertRegex(created["id"], r"^batch_\d{19}$")
        self.assertGreater(created["created_at"], 10 ** 12)
        self.assertEqual((created["output_file_id"], created["error_file_id"],
                          created["request_counts"], created["completion_window"]),
                         ("", "", {"total": None, "completed": None, "failed": None}, "24h"))
        self.assertNotIn("completed_at", created)
        self.assertNotIn("errors", created)
        batch = sim.wait(created["id"])
        self.assertEqual(batch["error_file_id"], "")
        self.assertGreater(batch["completed_at"], 10 ** 12)

    def test_result_lines(self):
        sim = self.start()
        data = rows(2, self.url) + line("request-bad", self.url, sim_status=429)
        batch = sim.wait(self.order(sim, sim.upload(data)["id"])[1]["id"])
        for l in sim.lines(batch["output_file_id"]):
            self.assertEqual(list(l), ["response", "custom_id", "id"])
            self.assertEqual(l["id"], batch["id"])
            self.assertEqual(list(l["response"]), ["status_code", "body"])
            self.assertEqual(list(l["response"]["body"]),
                             ["created", "usage", "model", "id", "choices", "request_id"])
            self.assertRegex(l["response"]["body"]["id"], r"^\d+$")
        bad = sim.lines(batch["error_file_id"])[0]
        self.assertEqual((bad["response"]["status_code"], bad["response"]["body"]["error"]["code"]),
                         (429, "1302"))

    def test_lines_are_checked_at_upload(self):
        sim = self.start()
        for data, code in ((line("short", self.url), "1214"), (line("x" * 65, self.url), "1214"),
                           (line("request-1", self.url, model="no-such-model"), "1210"),
                           (rows(1, self.url) + b"nonsense\n", "1210")):
            status, text = sim.post_file(data)
            self.assertEqual((status, json.loads(text)["error"]["code"]), (400, code))
        self.assertEqual(sim.upload(line("x" * 64, self.url) + line("x" * 6, self.url))["bytes"],
                         len(line("x" * 64, self.url) + line("x" * 6, self.url)))

    def test_some_errors_come_inside_a_200(self):
        sim = self.start()
        status, body = sim.json("GET", "/files")
        self.assertEqual((status, body["error"]["code"]), (200, "1213"))
        status, body = sim.create(sim.upload(rows(1, self.url))["id"], "/v1/chat/completions")
        self.assertEqual((status, body["code"], "error" in body), (200, "1214", False))
        self.assertEqual(sim.json("GET", "/batches/batch_1")[0], 404)
        self.assertEqual(sim.raw("GET", "/batches", own={})[0], 401)

    def test_files(self):
        sim = self.start("--max-bytes", "1000")
        self.assertEqual(sim.post_file(rows(20, self.url))[0], 435)
        one, two = (sim.upload(rows(1, self.url))["id"] for _ in range(2))
        page = sim.json("GET", "/files?purpose=batch&limit=1")[1]
        self.assertEqual((page["data"][0]["id"], page["has_more"]), (two, True))
        self.assertEqual([k for k in page if k.endswith("_id")], [])
        page = sim.json("GET", f"/files?purpose=batch&limit=1&after={two}")[1]
        self.assertEqual((page["data"][0]["id"], page["has_more"]), (one, False))
        self.assertEqual(sim.json("GET", "/files/" + one)[0], 404)
        page = sim.json("GET", "/batches")[1]
        self.assertIn("has_more", page)

    def test_the_input_is_deleted_when_the_batch_ends(self):
        sim = self.start()
        file_id = sim.upload(rows(1, self.url))["id"]
        batch = sim.wait(self.order(sim, file_id)[1]["id"])
        self.assertEqual(batch["status"], "completed")
        self.assertEqual(sim.raw("GET", f"/files/{file_id}/content")[0], 404)
        status, second = self.order(sim, file_id)
        self.assertEqual(status, 200)
        second = sim.wait(second["id"])
        self.assertEqual(second["status"], "failed")
        self.assertIn("Cannot find file", second["errors"]["data"][0]["message"])

    def test_after_seven_windows_it_cancels_by_itself(self):
        sim = self.start("--window", "100ms", "--delay", "2800ms")
        began = time.monotonic()
        file_id = sim.upload(rows(100, self.url))["id"]
        batch = sim.wait(self.order(sim, file_id)[1]["id"])
        self.assertGreater(time.monotonic() - began, 0.6)
        self.assertEqual(batch["status"], "cancelled")
        self.assertEqual(batch["request_counts"]["total"], 100)
        self.assertTrue(20 <= batch["request_counts"]["completed"] <= 30, batch)


class Azure(Case):
    name, base = "azure", "/openai/v1"
    headers = {"api-key": "k"}

    def test_the_key_has_its_own_header(self):
        sim = self.start("--key", "k")
        self.assertEqual(sim.raw("GET", "/batches")[0], 200)
        for own in ({}, {"Authorization": "Bearer k"}, {"api-key": "other"}):
            status, _, text = sim.raw("GET", "/batches", own=own)
            self.assertEqual(status, 401)
            self.assertIn("Access denied", json.loads(text)["error"]["message"])
        sim = self.start()
        self.assertEqual(sim.raw("GET", "/batches", own={"Authorization": "Bearer eyJh.b.c"})[0],
                         200)

    def test_a_new_file_is_pending(self):
        sim = self.start("--file-delay", "400ms")
        info = sim.upload(rows(1))
        self.assertRegex(info["id"], r"^file-[0-9a-f]{32}$")
        self.assertEqual(info["status"], "pending")
        self.assertEqual(sim.json("GET", "/files/" + info["id"])[1]["status"], "pending")
        status, body = sim.create(info["id"])
        self.assertEqual(status, 400)
        time.sleep(0.5)
        self.assertEqual(sim.json("GET", "/files/" + info["id"])[1]["status"], "processed")
        self.assertEqual(sim.create(info["id"])[0], 200)

    def test_expiry_is_asked_for_with_dots(self):
        sim = self.start()
        dots = [("purpose", "batch"), ("expires_after.seconds", "1209600"),
                ("expires_after.anchor", "created_at")]
        info = sim.upload(rows(1), dots)
        self.assertEqual(info["expires_at"], info["created_at"] + 1209600)
        dots[1] = ("expires_after.seconds", "3600")
        self.assertEqual(sim.post_file(rows(1), dots)[0], 400)
        brackets = [(k.replace(".", "[") + "]" if "." in k else k, v) for k, v in dots]
        self.assertNotIn("expires_at", sim.upload(rows(1), brackets))

    def test_objects(self):
        sim = self.start()
        created = sim.create(sim.upload(rows(3))["id"], "/chat/completions")[1]
        self.assertRegex(created["id"], rf"^batch_{UUID}$")
        self.assertEqual((created["status"], created["endpoint"], created["output_file_id"],
                          created["error_file_id"]), ("Validating", None, "", ""))
        self.assertEqual(created["request_counts"],
                         {"total": None, "completed": None, "failed": None})
        self.assertRegex(created["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00$")
        batch = sim.wait(created["id"])
        self.assertEqual(batch["status"], "completed")
        errors = sim.json("GET", "/files/" + batch["error_file_id"])[1]
        self.assertEqual(errors["bytes"], 0)
        self.assertEqual(sim.raw("GET", f"/files/{errors['id']}/content")[2], b"")

    def test_result_lines_have_no_id_and_the_status_last(self):
        sim = self.start()
        data = line("a") + line("b", "/chat/completions") + line("c", sim_status=400)
        batch = sim.run(data, endpoint="/chat/completions")
        for l in sim.lines(batch["output_file_id"]) + sim.lines(batch["error_file_id"]):
            self.assertEqual(list(l), ["custom_id", "response", "error"])
            self.assertEqual(list(l["response"]), ["body", "request_id", "status_code"])

    def test_what_fails(self):
        sim = self.start()
        batch = sim.run(line("a") + line("b", "/v1/responses"))
        self.assertEqual(codes(batch), [("url_mismatch", 2)])
        self.assertIsNone(batch["failed_at"])
        self.assertIsNotNone(batch["completed_at"])
        self.assertTrue(batch["output_file_id"] and batch["error_file_id"])
        batch = sim.run(b"\xef\xbb\xbf" + rows(2))
        self.assertIn("A valid model deployment name couldn't be extracted",
                      batch["errors"]["data"][0]["message"])
        batch = sim.run(rows(1), completion_window="48h")
        self.assertEqual(batch["errors"]["data"][0]["param"], "completion_window")
        self.assertEqual(codes(sim.run(b"")), [("empty_file", None)])

    def test_it_goes_on_past_its_window(self):
        sim = self.start("--window", "200ms", "--delay", "600ms")
        batch = sim.run(rows(10))
        self.assertEqual((batch["status"], batch["request_counts"]["completed"]),
                         ("completed", 10))

    def test_listing(self):
        sim = self.start()
        good = [sim.run(rows(1))["id"] for _ in range(2)]
        bad = sim.run(b"")["id"]
        def ids(query, under="value"):
            status, page = sim.json("GET", "/batches?" + urllib.parse.urlencode(query))
            self.assertEqual(status, 200, page)
            return [b["id"] for b in page[under]]
        self.assertEqual(ids({"limit": 2}, "data"), [bad, good[1]])
        self.assertEqual(ids({"$filter": "status eq 'Completed'",
                              "$orderby": "created_at asc"}), good)
        now = int(time.time())
        self.assertEqual(ids({"$filter": f"created_at gt {now - 60} and created_at lt {now + 60} "
                                         "and status eq 'Failed'"}), [bad])
        self.assertEqual(ids({"$filter": f"created_at gt {now + 60}"}), [])
        self.assertEqual(sim.raw("GET", "/batches?$filter=nonsense")[0], 400)
        self.assertEqual(len(self.start("--list-value").json("GET", "/batches")[1]["value"]), 0)


class DashScope(Case):
    name, base = "dashscope", "/compatible-mode/v1"

    def test_files(self):
        sim = self.start()
        info = sim.upload(rows(1))
        self.assertTrue(info["id"].startswith("file-batch-"))
        status, body = sim.json("GET", f"/files/{info['id']}/content")
        self.assertEqual(status, 400)
        batch = sim.wait(sim.create(info["id"])[1]["id"])
        self.assertTrue(batch["output_file_id"].startswith("file-batch_output-"))
        self.assertEqual(len(sim.lines(batch["output_file_id"])), 1)

    def test_windows(self):
        sim = self.start("--window", "24s")
        file_id = sim.upload(rows(1))["id"]
        for window, seconds in (("24h", 24), ("48h", 48), ("7d", 168), ("14d", 336)):
            status, batch = sim.create(file_id, completion_window=window)
            self.assertEqual((status, batch["completion_window"]), (200, window))
            self.assertEqual(batch["expires_at"] - batch["created_at"], seconds)
        for window in ("23h", "337h", "15d", "24", "24m", ""):
            self.assertEqual(sim.create(file_id, completion_window=window)[0], 400, window)

    def test_lines(self):
        sim = self.start()
        batch = sim.run(rows(1) + line("request-bad", sim_status=500))
        message = sim.lines(batch["output_file_id"])[0]["response"]["body"]["choices"][0]["message"]
        self.assertEqual(list(message), ["content"])
        bad = sim.lines(batch["error_file_id"])[0]
        self.assertEqual(list(bad), ["id", "custom_id", "response", "error"])
        self.assertIsNone(bad["response"])
        self.assertEqual(bad["error"]["code"], "sim_500")
        self.assertIn("500", bad["error"]["message"])
        batch = sim.run(rows(1) + line("request-big", user="x" * 6000000))
        self.assertEqual(codes(batch), [("line_too_long", 2)])

    def test_the_test_model(self):
        sim = self.start()
        url = "/v1/chat/ds-test"
        data = line("request-1", url, model="batch-test-model")
        batch = sim.run(data, endpoint=url)
        body = sim.lines(batch["output_file_id"])[0]["response"]["body"]
        self.assertEqual(body["choices"][0]["message"]["content"], "This is a test result.")
        self.assertEqual(codes(sim.run(rows(1, url), endpoint=url)), [("model_not_found", 1)])
        self.assertEqual(codes(sim.run(line("a", model="batch-test-model"))),
                         [("model_not_found", 1)])
        many = b"".join(line(f"r-{i}", url, model="batch-test-model") for i in range(101))
        self.assertEqual(codes(sim.run(many, endpoint=url)), [("too_many_tasks", None)])
        big = line("r", url, model="batch-test-model", user="x" * 1000000)
        self.assertEqual(codes(sim.run(big, endpoint=url)), [("file_too_large", None)])

    def test_a_batch_is_found_by_its_name_or_input(self):
        sim = self.start()
        one, two = (sim.upload(rows(1))["id"] for _ in range(2))
        first = sim.create(one, metadata={"ds_name": "sheaf-one", "ds_description": "d"})[1]["id"]
        second = sim.create(two)[1]["id"]
        sim.wait(first)
        sim.wait(second)
        def ids(**query):
            return [b["id"] for b in
                    sim.json("GET", "/batches?" + urllib.parse.urlencode(query))[1]["data"]]
        self.assertEqual(ids(ds_name="eaf-o"), [first])
        self.assertEqual(ids(ds_name="nope"), [])
        self.assertEqual(ids(input_file_ids=f"x,{two}"), [second])
        self.assertEqual(ids(status="failed,completed"), [second, first])
        self.assertEqual(ids(status="failed"), [])
        self.assertEqual(ids(create_after="20200101000000"), [second, first])
        self.assertEqual(ids(create_before="20200101000000"), [])
        self.assertEqual(sim.json("GET", "/batches?input_file_ids=" + ",".join("x" * 21))[0], 400)
        self.assertEqual(sim.json("GET", "/batches?create_after=yesterday")[0], 400)
        self.assertEqual(sim.create(one, metadata={"ds_name": "x" * 101})[0], 400)
        self.assertEqual(sim.create(one, metadata={"ds_description": "x" * 201})[0], 400)


class Groq(Case):
    name, base = "groq", "/openai/v1"

    def test_bad_lines_do_not_fail_the_batch(self):
        sim = self.start()
        data = line("a") + b"nonsense\n" + line("b") + line("c", method="GET")
        batch = sim.run(data)
        self.assertEqual(batch["status"], "completed")
        self.assertIsInstance(batch["errors"], list)
        self.assertEqual([(e["code"], e["line"]) for e in batch["errors"]],
                         [("invalid_json_line", 2), ("invalid_method", 4)])
        self.assertEqual((batch["errors"][1]["message"], batch["errors"][1]["param"]),
                         ("Invalid value: 'GET'. Supported values are: 'POST'", "method"))
        self.assertEqual({l["custom_id"] for l in sim.lines(batch["output_file_id"])}, {"a", "b"})
        self.assertEqual(batch["request_counts"]["total"], 2)
        batch = sim.run(b"nonsense\n")
        self.assertEqual(batch["status"], "failed")
        self.assertIsInstance(batch["errors"], list)

    def test_pages_go_by_cursor(self):
        sim = self.start()
        made = [sim.create(sim.upload(rows(1))["id"])[1]["id"] for _ in range(5)]
        found, path = [], "/batches?limit=2"
        while path:
            page = sim.json("GET", path)[1]
            self.assertEqual([k for k in page if k in ("has_more", "first_id", "last_id")], [])
            found += [b["id"] for b in page["data"]]
            cursor = page["paging"]["next_cursor"]
            path = cursor and f"/batches?limit=2&cursor={cursor}"
        self.assertEqual(found, made[::-1])
        page = sim.json("GET", f"/batches?id={made[1]}&id={made[3]}")[1]
        self.assertEqual([b["id"] for b in page["data"]], [made[3], made[1]])
        self.assertEqual(sim.json("GET", "/batches?" + "&".join(["id=x"] * 201))[0], 400)
        files = sim.json("GET", "/files")[1]
        self.assertEqual(set(files), {"object", "data"})
        self.assertEqual(len([f for f in files["data"] if f["purpose"] == "batch"]), 5)

    def test_windows_and_endpoints(self):
        sim = self.start()
        file_id = sim.upload(rows(1))["id"]
        for window, status in (("24h", 200), ("7d", 200), ("168h", 200), ("8d", 400), ("1h", 400)):
            self.assertEqual(sim.create(file_id, completion_window=window)[0], status, window)
        self.assertEqual(sim.create(file_id, "/v1/embeddings")[0], 400)

    def test_models_may_be_mixed_and_ids_may_not(self):
        sim = self.start()
        self.assertEqual(sim.run(line("a") + line("b", model="n"))["status"], "completed")
        self.assertEqual(sim.run(line("a") + line("a"))["status"], "failed")


class Doubleword(Case):
    name, base = "doubleword", "/v1"

    def test_objects_leave_out_what_they_do_not_have(self):
        sim = self.start("--validate-delay", "300ms")
        status, text = sim.post_file(rows(2))
        info = json.loads(text)
        self.assertEqual(status, 201)
        self.assertRegex(info["id"], rf"^{UUID}$")
        self.assertNotIn("expires_at", info)
        status, batch = sim.create(info["id"], metadata={
            "mine": "x", "created_by": "me", "Context-Name": "c", "request_source": "s",
            "DW_User_Agent": "u", "context_type": "t", "created_by_email": "e"})
        self.assertEqual(status, 201)
        self.assertRegex(batch["id"], rf"^{UUID}$")
        self.assertNotIn(None, batch.values())
        self.assertNotIn("output_file_id", batch)
        self.assertEqual(batch["metadata"]["mine"], "x")
        self.assertEqual(batch["metadata"]["request_source"], "api")
        self.assertNotIn("created_by", batch["metadata"])
        self.assertNotIn("Context-Name", batch["metadata"])
        self.assertNotIn("DW_User_Agent", batch["metadata"])
        self.assertEqual(sim.wait(batch["id"])["status"], "completed")
        self.assertEqual(sim.create(info["id"])[1]["metadata"]["request_source"], "api")

    def test_uploads_are_checked_and_refused_in_plain_text(self):
        sim = self.start("--max-bytes", "100kB")
        good = rows(1)
        # (file, status, part of the text)
        table = [
            (good + b"\n" + b"nonsense\n", 400, "Invalid JSON on line 2"),
            (good + b'{"custom_id":"\xff"}\n', 400,
             f"on/near line 2 at byte offset {len(good) + 14}."),
            (line("x" * 65), 400, "on line 1: custom_id is 65 characters"),
            (line("né"), 400, "not a valid HTTP header value"),
            (line("a", url="/v1/nope"), 400, "Unsupported URL path '/v1/nope'"),
            (line("a", model="no-such-model"), 403, "Model 'no-such-model'"),
            (b"\n", 400, "File contains no valid request templates"),
            (rows(2000), 413, "too large"),
        ]
        for data, status, part in table:
            with self.subTest(part=part):
                got, text = sim.post_file(data)
                self.assertEqual(got, status)
                self.assertIn(part, text.decode())
                self.assertRaises(ValueError, json.loads, text)

    def test_errors(self):
        sim = self.start("--max-live", "1", "--delay", "60s")
        file_id = sim.upload(rows(1))["id"]
        status, headers, text = sim.raw("GET", "/batches/nope")
        self.assertEqual((status, headers["content-type"]), (404, "text/plain; charset=utf-8"))
        self.assertRaises(ValueError, json.loads, text)
        order = json.dumps({"input_file_id": "nope", "endpoint": "/v1/chat/completions",
                            "completion_window": "24h"})
        self.assertEqual(sim.raw("POST", "/batches", order)[0], 404)
        self.assertEqual(sim.create(file_id)[0], 201)
        status, headers, text = sim.raw("POST", "/batches", order.replace("nope", file_id))
        body = json.loads(text)
        self.assertEqual((status, body["error"], body["retry_after_seconds"],
                          headers["retry-after"]), (429, "too_many_requests", 30, "60"))

    def test_error_lines_are_bare(self):
        sim = self.start()
        batch = sim.run(rows(1) + line("request-bad", sim_status=503))
        bad = sim.lines(batch["error_file_id"])[0]
        self.assertEqual(list(bad), ["id", "custom_id", "error"])
        batch = sim.run(line("request-bad", sim_status=503))
        self.assertEqual(batch["status"], "failed", "a batch without one success")

    def test_what_is_there_can_be_read_while_it_runs(self):
        sim = self.start("--delay", "2s")
        batch = sim.create(sim.upload(rows(500))["id"])[1]
        batch = sim.wait(batch["id"], ("in_progress",))
        path = f"/files/{batch['output_file_id']}/content"
        time.sleep(1)
        status, headers, early = sim.raw("GET", path)
        self.assertEqual((status, headers["x-incomplete"]), (200, "true"))
        self.assertEqual(int(headers["x-last-line"]), len(early.splitlines()))
        self.assertTrue(100 < len(early.splitlines()) < 490, len(early.splitlines()))
        batch = sim.wait(batch["id"])
        status, headers, whole = sim.raw("GET", path)
        self.assertEqual((headers["x-incomplete"], headers["x-last-line"]), ("false", "500"))
        self.assertTrue(whole.startswith(early))
        self.assertEqual(headers["content-type"], "application/x-ndjson")
        status, headers, part = sim.raw("GET", path + "?skip=10&limit=5",
                                        headers={"Range": "bytes=5-"})
        self.assertEqual((status, headers["x-incomplete"], headers["x-last-line"]),
                         (200, "true", "15"))
        self.assertEqual(part, b"".join(whole.splitlines(True)[10:15]))

    def test_windows(self):
        sim = self.start()
        file_id = sim.upload(rows(1))["id"]
        for window, seconds in (("24h", 86400), ("1h", 3600)):
            batch = sim.create(file_id, completion_window=window)[1]
            self.assertEqual(batch["expires_at"] - batch["created_at"], seconds)
        self.assertNotIn("expires_at", sim.create(file_id, completion_window="background")[1])
        order = {"input_file_id": file_id, "endpoint": "/v1/chat/completions",
                 "completion_window": "2h"}
        self.assertEqual(sim.raw("POST", "/batches", json.dumps(order))[0], 400)

    def test_batches_can_be_deleted_and_searched(self):
        sim = self.start("--delay", "60s")
        file_id = sim.upload(rows(1))["id"]
        one = sim.create(file_id, metadata={"sheaf_bid": "b-one"})[1]["id"]
        two = sim.create(file_id, metadata={"sheaf_bid": "b-two"})[1]["id"]
        def ids(**query):
            return [b["id"] for b in
                    sim.json("GET", "/batches?" + urllib.parse.urlencode(query))[1]["data"]]
        self.assertEqual(ids(search="B-ONE"), [one])
        self.assertEqual(ids(status="in_progress"), [two, one])
        status, _, text = sim.raw("DELETE", "/batches/" + one)
        self.assertEqual((status, text), (204, b""))
        self.assertEqual(sim.raw("GET", "/batches/" + one)[0], 404)
        self.assertEqual(ids(), [two])
        self.assertEqual(sim.raw("DELETE", "/batches/" + one)[0], 404)


if __name__ == "__main__":
    unittest.main(verbosity=1)
