"""sheaf run, from a file of requests to a file of results."""
import gzip
import json
import os
import subprocess

from sheaf_test import SheafTest, answer_text, main, request_line


class RunTest(SheafTest):
    def requests(self, n, **options):
        return [request_line("row-%d" % i, "question %d 问题" % i, **options) for i in range(n)]

    def run_to_end(self, requests, *flags, failed=(), end="\n", simulator_flags=(), code=None):
        simulator = self.simulator(*simulator_flags)
        source = self.write("in.jsonl", requests, end)
        got, _, err = self.run_job(simulator, source, self.path("out.jsonl"), *flags)
        self.assertEqual(got, (3 if failed else 0) if code is None else code, err)
        self.check_output(requests, failed=failed)
        return simulator

    def test_one_line(self):
        simulator = self.run_to_end(self.requests(1))
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_a_thousand_lines_in_input_order(self):
        simulator = self.run_to_end(self.requests(1000))
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_small_batches_of_at_most_so_many_requests(self):
        simulator = self.run_to_end(self.requests(1000), "--max-requests", "100", "--max-batches", "3")
        self.assertGreaterEqual(json.loads(simulator.admin("state"))["batches_created"], 10)

    def test_small_batches_of_at_most_so_many_bytes(self):
        self.run_to_end(self.requests(1000), "--max-bytes", "50KB")

    def test_limits_of_one_request_and_one_byte_still_work(self):
        self.run_to_end(self.requests(7), "--max-requests", "1", "--max-bytes", "1")

    def test_mixed_models_and_endpoints_become_several_batches(self):
        requests = []
        for i in range(300):
            requests.append(request_line("row-%d" % i, "q %d" % i, model="model-%d" % (i % 7)))
        simulator = self.run_to_end(requests)
        self.assertGreaterEqual(json.loads(simulator.admin("state"))["batches_created"], 7)

    def test_custom_ids_repeat_are_missing_long_or_chinese(self):
        ids = ["same", "same", None, "长" * 160, "x" * 500, "引号\"和\\", "", " spaced ", "same"]
        self.run_to_end([request_line(id, "q %d" % i) for i, id in enumerate(ids)])

    def test_a_custom_id_that_is_no_string_becomes_null(self):
        line = request_line("a", "q").replace('"custom_id": "a"', '"custom_id": 17')
        self.run_to_end([line])
        self.assertIsNone(json.loads(self.lines("out.jsonl")[0])["custom_id"])

    def test_bodies_reach_the_provider_byte_for_byte(self):
        odd = [r'"\u0000"', r'"\ud800 alone"', "9007199254740993", "1e400", "[" * 200 + "]" * 200,
               '{ "a" :  [ 1 ,2 ]  }', '"tab\\t"', "-0.0", "12345678901234567890123"]
        requests = ['{"custom_id":"odd-%d","method":"POST","url":"/v1/chat/completions","body":'
                    '{"model":"m","messages":[],  "odd":%s }}' % (i, value) for i, value in enumerate(odd)]
        self.run_to_end(requests)  # the answer is a hash of the body's bytes

    def test_answers_come_back_byte_for_byte(self):
        raw = [r'"\u0000 \ud800 中 \/"', "9007199254740993", "1e400", '{ "x" : [ ] }']
        requests = ['{"custom_id":"r%d","method":"POST","url":"/v1/chat/completions","body":{"model":"m",'
                    '"messages":[],"sim_raw_content":%s}}' % (i, value) for i, value in enumerate(raw)]
        simulator = self.simulator()
        code, _, err = self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        for line, value in zip(self.lines("out.jsonl"), raw):
            self.assertIn('"content":' + value, line)

    def test_a_model_is_put_into_bodies_that_have_none(self):
        requests = ['{"custom_id":"a","body":{"messages":[]}}', '{"custom_id":"b","body":{ "messages":[ ]}}',
                    request_line("c", "own model", model="own")]
        simulator = self.simulator()
        code, _, err = self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"),
                                    "--model", "preset")
        self.assertEqual(code, 0, err)
        models = [json.loads(line)["response"]["body"]["model"] for line in self.lines("out.jsonl")]
        self.assertEqual(models, ["preset", "preset", "own"])

    def test_an_empty_input_gives_three_files_and_success(self):
        self.run_to_end([])
        self.assertEqual(os.path.getsize(self.path("out.jsonl")), 0)
        self.assertEqual(os.path.getsize(self.path("out.errors.jsonl")), 0)

    def test_an_input_with_nothing_to_send_fails_every_line(self):
        requests = ["{}", "not json", '{"custom_id":"x","body":{"messages":[]}}', "[1]"]
        self.run_to_end(requests, failed=range(4))
        errors = [json.loads(line)["error"] for line in self.lines("out.errors.jsonl")]
        self.assertEqual({e["code"] for e in errors}, {"invalid_request_line"})
        self.assertIn("line 2", errors[1]["message"])

    def test_bad_lines_do_not_stop_the_good_ones(self):
        good = self.requests(4)
        requests = [good[0], '{"custom_id":"torn","body":{"mod', good[1], '{"custom_id":"no body"}', good[2],
                    '{"custom_id":"no model","body":{}}', good[3]]
        self.run_to_end(requests, failed=(1, 3, 5))
        ids = [json.loads(line)["custom_id"] for line in self.lines("out.errors.jsonl")]
        self.assertEqual(ids, ["torn", "no body", "no model"])

    def test_invalid_utf8_is_one_error_row(self):
        simulator = self.simulator()
        good = self.requests(2)
        with open(self.path("in.jsonl"), "wb") as f:
            f.write(good[0].encode() + b'\n{"custom_id":"x","body":{"model":"\xff\xfe"}}\n' + good[1].encode() + b"\n")
        code, _, err = self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"))
        self.assertEqual(code, 3, err)
        self.assertEqual(len(self.lines("out.jsonl")), 2)
        self.assertIn("line 2", json.loads(self.lines("out.errors.jsonl")[0])["error"]["message"])

    def test_crlf_and_a_byte_order_mark(self):
        requests = self.requests(20)
        requests[0] = "\ufeff" + requests[0]
        simulator = self.simulator()
        code, _, err = self.run_job(simulator, self.write("in.jsonl", requests, "\r\n"), self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        requests[0] = requests[0][1:]
        self.check_output(requests)

    def test_blank_lines_and_no_final_newline(self):
        requests = self.requests(5)
        with open(self.path("in.jsonl"), "w") as f:
            f.write("\n\n" + requests[0] + "\n  \t\n" + "\n".join(requests[1:]))
        code, _, err = self.run_job(self.simulator(), self.path("in.jsonl"), self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        self.check_output(requests)

    def test_a_line_of_50_megabytes_is_one_error_row(self):
        requests = self.requests(3)
        big = request_line("big", "x" * 50_000_000)
        requests.insert(1, big)
        simulator = self.simulator()
        code, _, err = self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"))
        self.assertEqual(code, 3, err)
        self.assertEqual(len(self.lines("out.jsonl")), 3)
        error = json.loads(self.lines("out.errors.jsonl")[0])["error"]
        self.assertEqual(error["code"], "invalid_request_line")
        self.assertIn("line 2", error["message"])

    def test_a_line_longer_than_the_provider_takes_is_one_error_row(self):
        self.write("sheaf.yaml", ["providers:", "  openai:", "    limits: {max_line_bytes: 2kB}"])
        requests = self.requests(4)
        requests[2] = request_line("row-2", "x" * 2000)
        simulator = self.run_to_end(requests, "--config", self.path("sheaf.yaml"), failed=(2,))
        error = json.loads(self.lines("out.errors.jsonl")[0])["error"]
        self.assertEqual(error["code"], "invalid_request_line")
        self.assertIn("line 3: ", error["message"])
        self.assertIn("provider openai takes at most 2000 a line", error["message"])
        self.assertEqual(simulator.ledger()["rows_executed"], 3)

    def test_a_line_of_15_megabytes_is_sent(self):
        self.run_to_end([request_line("big", "x" * 15_000_000), request_line("small", "y")])

    def test_compressed_input_and_standard_input(self):
        requests = self.requests(50)
        text = "".join(line + "\n" for line in requests).encode()
        with gzip.open(self.path("in.jsonl.gz"), "wb") as f:
            f.write(text)
        with open(self.path("plain"), "wb") as f:
            f.write(text)
        subprocess.run(["zstd", "-q", self.path("plain"), "-o", self.path("in.jsonl.zst")], check=True) \
            if os.path.exists("/usr/bin/zstd") else None
        simulator = self.simulator()
        for name in ("in.jsonl.gz", "in.jsonl.zst"):
            if not os.path.exists(self.path(name)):
                continue
            output = name + ".out.jsonl"
            code, _, err = self.run_job(simulator, self.path(name), self.path(output))
            self.assertEqual(code, 0, err)
            self.check_output(requests, output)
        code, _, err = self.run_job(simulator, "-", self.path("stdin.jsonl"), "--job", "piped", stdin=text)
        self.assertEqual(code, 0, err)
        self.check_output(requests, "stdin.jsonl")

    def test_failed_rows_become_dead_letters_with_the_providers_words(self):
        requests = self.requests(3)
        requests.insert(1, request_line("bad", "q", sim_status=400))
        self.run_to_end(requests, failed=(1,))
        line = json.loads(self.lines("out.errors.jsonl")[0])
        self.assertEqual(line["response"]["status_code"], 400)

    def test_a_finished_job_is_reported_and_not_redone(self):
        simulator = self.run_to_end(self.requests(10))
        before = json.loads(simulator.admin("state"))["batches_created"]
        stamp = os.stat(self.path("out.jsonl")).st_mtime_ns
        code, _, err = self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(simulator.admin("state"))["batches_created"], before)
        self.assertEqual(os.stat(self.path("out.jsonl")).st_mtime_ns, stamp)

    def test_nothing_is_left_at_the_provider(self):
        simulator = self.run_to_end(self.requests(300), "--max-requests", "50")
        self.assertEqual(json.loads(simulator.admin("state"))["files"], 0)

    def test_audit_proves_the_result_and_finds_what_was_changed(self):
        self.run_to_end(self.requests(100))
        words = ("audit", "in.jsonl", "--state-dir", self.path("out.jsonl.sheaf"))
        code, out, err = self.sheaf(*words)
        self.assertEqual(code, 0, err)
        code, out, err = self.sheaf(*words, "-o", self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        lines = self.lines("out.jsonl")
        del lines[41]
        self.write("out.jsonl", lines)
        code, out, err = self.sheaf(*words, "-o", self.path("out.jsonl"))
        self.assertEqual(code, 10, err)
        self.assertIn("42", out + err)


if __name__ == "__main__":
    main()
