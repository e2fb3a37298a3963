"""Pause, resume, cancel, purge, failures, doctor: what an operator does to a job, on one host and in a cluster."""
import json
import os
import pty
import signal
import subprocess
import time

from sheaf_test import PrivateRedis, SheafTest, main, program, request_line


class OperatorTest(SheafTest):
    def requests(self, n):
        return [request_line("row-%d" % i, "question %d 问" % i) for i in range(n)]

    def check(self, result, code, *words):
        got, out, err = result
        self.assertEqual(got, code, err)
        for word in words:
            self.assertIn(word, out + err)
        return out

    def audit(self, job, *where):
        self.check(self.sheaf("audit", job, *where), 0, "passed")

    def each_line_is_in_one_file(self, requests, output="out.jsonl"):
        """Ids are unique in these tests. The rows with a result, and the codes of the others."""
        wanted = [json.loads(line)["custom_id"] for line in requests]
        good = [json.loads(line)["custom_id"] for line in self.lines(output)]
        rows = [json.loads(line) for line in self.lines(output.replace(".jsonl", ".errors.jsonl"))]
        self.assertEqual(sorted(good + [row["custom_id"] for row in rows]), sorted(wanted))
        self.assertEqual(good, [i for i in wanted if i in set(good)])
        self.check_output(requests, output, failed=[i for i, w in enumerate(wanted) if w not in set(good)])
        return good, [row["error"]["code"] for row in rows]


class OnOneHost(OperatorTest):
    """A job of `sheaf run`."""

    def begin(self, simulator, requests, *flags):
        source = self.write("in.jsonl", requests)
        return self.start(*self.run_words(simulator, source, self.path("out.jsonl"), *flags))

    def verb(self, *words, **options):
        return self.sheaf(*words, "--state-dir", self.path("out.jsonl.sheaf"), **options)

    def status(self):
        code, out, _ = self.verb("status", "in.jsonl", "--json")
        return json.loads(out) if code == 0 else {}

    def wait_for(self, what, condition):
        self.wait_until(what, lambda: condition(self.status() or {"batches": {"alive": 0, "list": []}}))

    def wait_for_remote(self):
        self.wait_for("a batch runs", lambda s: any(b["state"] == "RUN" for b in s["batches"]["list"]))

    def kill(self, process):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def test_a_paused_job_submits_nothing_until_it_is_resumed(self):
        simulator = self.simulator("--delay", "1s")
        requests = self.requests(200)
        run = self.begin(simulator, requests, "--max-requests", "40", "--max-batches", "1")
        self.wait_for_remote()
        self.check(self.verb("pause", "in.jsonl"), 0, "is paused")
        made = simulator.ledger()["batches_created"]
        self.assertEqual(self.status()["hold"], "operator")
        self.check(self.verb("pause", "in.jsonl"), 0, "is paused already")
        self.wait_for("it is brought home", lambda s: s["rows"]["ok"] == 40 * made)
        time.sleep(1)
        self.assertEqual(simulator.ledger()["batches_created"], made)
        self.assertIsNone(run.poll())
        self.check(self.verb("resume", "in.jsonl"), 0, "goes on", "operator: paused by")
        self.check(self.verb("resume", "in.jsonl"), 0, "is not held")
        self.assertEqual(run.wait(60), 0)
        self.check_output(requests)
        self.check(self.verb("pause", "in.jsonl"), 0, "has ended")
        self.check(self.verb("resume", "in.jsonl"), 0, "has ended")

    def test_a_pause_outlasts_the_run(self):
        simulator = self.simulator()
        requests = self.requests(20)
        run = self.begin(simulator, requests, "--coordinators", "0")
        self.wait_for("it is there", lambda s: s.get("state") == "SEALED")
        self.kill(run)
        self.check(self.verb("pause", "in.jsonl"), 0, "is paused")
        run = self.begin(simulator, requests)
        self.wait_for("the run waits", lambda s: s.get("doing") == "held: operator")
        time.sleep(1)
        self.assertEqual(simulator.ledger()["batches_created"], 0)
        self.assertIsNone(run.poll())
        self.check(self.verb("resume", "in.jsonl"), 0)
        self.assertEqual(run.wait(60), 0)

    def test_what_is_not_there_cannot_be_changed(self):
        simulator = self.simulator()
        self.check(self.run_job(simulator, self.write("in.jsonl", self.requests(3)), self.path("out.jsonl")), 0)
        for verb in ("pause", "resume", "cancel", "purge"):
            self.check(self.verb(verb, "nobody"), 5, "nobody")
            self.check(self.verb(verb), 2)

    def test_a_cancel_while_run_works_ends_it_and_keeps_what_was_paid(self):
        simulator = self.simulator("--delay", "2s")
        requests = self.requests(300)
        run = self.begin(simulator, requests, "--max-requests", "40", "--max-batches", "2")
        self.wait_for("the first is home and another runs",
                      lambda s: s.get("rows", {}).get("ok", 0) > 0
                      and any(b["state"] == "RUN" for b in s["batches"]["list"]))
        self.check(self.verb("cancel", "in.jsonl", "-y"), 0, "is cancelled")
        self.check(self.verb("cancel", "in.jsonl", "-y"), 0)
        self.assertEqual(run.wait(60), 3)
        good, codes = self.each_line_is_in_one_file(requests)
        self.assertGreater(len(good), 0)
        self.assertIn("job_cancelled", codes)
        ledger = simulator.ledger()
        self.assertEqual(len(good), ledger["rows_billed"])
        self.assertEqual((ledger["billed_twice"], ledger["batches_live"]), (0, 0))
        self.audit("in.jsonl", "--state-dir", self.path("out.jsonl.sheaf"), "-o", self.path("out.jsonl"))
        self.check(self.verb("cancel", "in.jsonl", "-y"), 0, "was cancelled and has ended already")
        self.check(self.verb("failures", "in.jsonl"), 0, "job_cancelled")

    def test_a_cancel_without_a_run_does_the_work_itself(self):
        simulator = self.simulator("--delay", "2s")
        requests = self.requests(200)
        run = self.begin(simulator, requests, "--max-requests", "40", "--max-batches", "2")
        self.wait_for_remote()
        self.kill(run)
        self.check(self.verb("cancel", "in.jsonl", "-y", env={"OPENAI_API_KEY": None}), 4, "key")
        self.assertFalse(self.status()["cancelled"])
        self.check(self.verb("cancel", "in.jsonl"), 2, "-y")
        self.assertFalse(self.status()["cancelled"])
        self.check(self.verb("cancel", "in.jsonl", "other.jsonl", "-y"), 2, "INPUT")
        self.check(self.verb("cancel", "in.jsonl", "-y", "--poll-interval", "100ms"), 3, "was cancelled")
        good, codes = self.each_line_is_in_one_file(requests)
        ledger = simulator.ledger()
        self.assertEqual(len(good), ledger["rows_billed"])
        self.assertEqual((ledger["billed_twice"], ledger["batches_live"]), (0, 0))
        self.assertIn("job_cancelled", codes)
        self.audit("in.jsonl", "--state-dir", self.path("out.jsonl.sheaf"), "-o", self.path("out.jsonl"))
        code, _, err = self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"))
        self.assertEqual(code, 3, err)  # reported, not redone
        self.assertEqual(simulator.ledger()["batches_created"], ledger["batches_created"])

    def test_a_cancel_that_is_killed_goes_on(self):
        simulator = self.simulator("--delay", "1s")
        requests = self.requests(200)
        run = self.begin(simulator, requests, "--max-requests", "40", "--max-batches", "2")
        self.wait_for_remote()
        self.kill(run)
        cancel = self.start("cancel", "in.jsonl", "-y", "--state-dir", self.path("out.jsonl.sheaf"),
                            "--poll-interval", "100ms", "--lease", "2s")
        self.wait_for("it is cancelled", lambda s: s.get("cancelled"))
        self.kill(cancel)
        self.check(self.verb("cancel", "in.jsonl", "--poll-interval", "100ms", "--lease", "2s"), 3)
        good, _ = self.each_line_is_in_one_file(requests)
        self.assertEqual(len(good), simulator.ledger()["rows_billed"])
        self.audit("in.jsonl", "--state-dir", self.path("out.jsonl.sheaf"), "-o", self.path("out.jsonl"))

    def test_a_cancel_before_anything_was_sent(self):
        simulator = self.simulator()
        requests = self.requests(50)
        run = self.begin(simulator, requests, "--coordinators", "0")
        self.wait_for("it is there", lambda s: s.get("state") == "SEALED")
        self.kill(run)
        self.check(self.verb("cancel", "in.jsonl", "-y"), 3)
        good, codes = self.each_line_is_in_one_file(requests)
        self.assertEqual((good, set(codes)), ([], {"job_cancelled"}))
        self.assertEqual(simulator.ledger()["batches_created"], 0)
        self.audit("in.jsonl", "--state-dir", self.path("out.jsonl.sheaf"), "-o", self.path("out.jsonl"))

    def test_a_run_after_a_lost_redis_still_knows_of_the_cancel(self):
        simulator = self.simulator()
        requests = self.requests(50)
        run = self.begin(simulator, requests, "--coordinators", "0", "--workers", "0")
        self.wait_for("it is there", lambda s: s.get("state") == "SEALED")
        self.check(self.verb("cancel", "in.jsonl", "-y"), 0)
        self.kill(run)
        for folder, _, files in os.walk(self.path("out.jsonl.sheaf", "redis")):
            for name in files:
                os.unlink(os.path.join(folder, name))
        self.check(self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl")), 3, "was cancelled")
        self.assertEqual(self.each_line_is_in_one_file(requests)[0], [])
        self.assertEqual(simulator.ledger()["batches_created"], 0)

    def test_a_state_directory_of_another_name_gets_no_output(self):
        simulator = self.simulator()
        source = self.write("in.jsonl", self.requests(5))
        run = self.start(*self.run_words(simulator, source, self.path("out.jsonl"), "--coordinators", "0",
                                         "--state-dir", self.path("state")))
        where = ("--state-dir", self.path("state"))
        self.wait_until("it is there", lambda: '"SEALED"' in self.sheaf("status", "--json", *where)[1])
        self.kill(run)
        self.check(self.sheaf("cancel", "in.jsonl", "-y", *where), 3, "sheaf results in.jsonl")
        self.assertFalse(os.path.exists(self.path("out.jsonl")))
        self.check(self.sheaf("results", "in.jsonl", "-o", self.path("out.jsonl"), *where), 0)

    def test_a_question_is_asked_on_a_terminal(self):
        simulator = self.simulator()
        run = self.begin(simulator, self.requests(5), "--coordinators", "0", "--workers", "0")
        self.wait_for("it is there", lambda s: s.get("state") == "SEALED")
        for answer, code, cancelled in ((b"n\n", 2, False), (b"\n", 2, False), (b"y\n", 0, True)):
            ours, theirs = pty.openpty()
            process = subprocess.Popen(
                [program("sheaf"), "cancel", "in.jsonl", "--state-dir", self.path("out.jsonl.sheaf")],
                env=self.environment(), cwd=self.folder, stdin=theirs, stdout=theirs, stderr=theirs)
            os.close(theirs)
            said = b""
            while b"[y/N]" not in said:
                said += os.read(ours, 4096)
            os.write(ours, answer)
            self.assertEqual(process.wait(30), code, said)
            os.close(ours)
            self.assertEqual(self.status()["cancelled"], cancelled)
        run.terminate()
        run.wait(30)

    def test_purge_wants_an_ended_job_and_frees_its_name(self):
        simulator = self.simulator()
        requests = self.requests(10)
        run = self.begin(simulator, requests, "--coordinators", "0")
        self.wait_for("it is there", lambda s: s.get("state") == "SEALED")
        self.check(self.verb("purge", "in.jsonl", "-y"), 12, "has not ended", "running")
        run.terminate()
        run.wait(30)
        self.check(self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl")), 0)
        before = self.lines("out.jsonl")
        self.check(self.verb("purge", "in.jsonl"), 2, "-y")
        self.assertEqual(len(os.listdir(self.path("out.jsonl.sheaf", "sink"))), 1)
        self.check(self.verb("purge", "in.jsonl", "-y"), 0)
        self.assertEqual(os.listdir(self.path("out.jsonl.sheaf", "sink")), [])
        self.check(self.verb("purge", "in.jsonl", "-y"), 5)
        self.assertEqual(self.lines("out.jsonl"), before)
        self.write("in.jsonl", self.requests(12))  # another input may have the name now
        self.check(self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"), "-y"), 0)
        self.check_output(self.requests(12))


class InACluster(OperatorTest):
    def setUp(self):
        super().setUp()
        self.redis = PrivateRedis(self.folder)
        self.sink = "dir:" + self.path("sink")

    def tearDown(self):
        self.redis.stop()
        super().tearDown()

    def verb(self, *words, **options):
        return self.sheaf(*words, "--redis", self.redis.url, **options)

    def daemons(self, simulator):
        for name in ("sheaf-coordinator", "sheaf-worker"):
            with open(self.path("daemons.log"), "ab") as log:
                self.processes.append(subprocess.Popen(
                    [program(name), "--redis", self.redis.url, "--base-url", simulator.url, "--lease", "2s",
                     "--settle", "1s", "--linger", "50ms"],
                    env=self.environment(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def submit_words(self, simulator, source, *flags):
        return ["submit", source, "--job", "j", "--sink", self.sink, "--redis", self.redis.url, "--base-url",
                simulator.url, "--poll-interval", "100ms", *flags]

    def half_a_job(self, simulator, requests, *flags):
        """Its producer was killed before the end of the input: too much was in flight."""
        source = self.write("in.jsonl", requests)
        producer = self.start(*self.submit_words(simulator, source, "--max-requests", "40",
                                                 "--max-inflight-shards", "5", *flags))
        self.wait_until("it waits", lambda: '"cut":50,' in self.verb("status", "j", "--json")[1])
        os.killpg(producer.pid, signal.SIGKILL)
        producer.wait(10)

    def finish(self, requests):
        self.check(self.verb("wait", "j", "--timeout", "60s"), 3)
        self.check(self.verb("results", "j", "-o", self.path("out.jsonl")), 0, "was cancelled")
        good, codes = self.each_line_is_in_one_file(requests)
        self.assertEqual((good, set(codes)), ([], {"job_cancelled"}))
        self.audit("j", "--redis", self.redis.url)

    def test_a_producer_that_is_gone_is_replaced(self):
        simulator = self.simulator()
        requests = self.requests(300)
        self.half_a_job(simulator, requests, "--payload", "ref")
        self.check(self.verb("cancel", "j", "-y"), 0, "is cancelled")
        self.daemons(simulator)
        self.finish(requests)
        self.assertEqual(simulator.ledger()["batches_created"], 0)

    def test_lines_that_travel_through_redis_need_their_input(self):
        simulator = self.simulator()
        requests = self.requests(300)
        self.half_a_job(simulator, requests)
        self.check(self.verb("cancel", "j", self.write("other.jsonl", self.requests(3)), "-y"), 12)
        self.check(self.verb("cancel", "j", self.path("in.jsonl"), "-y"), 0, "is cancelled")
        self.daemons(simulator)
        self.finish(requests)

    def test_without_it_the_job_ends_where_the_producer_stopped(self):
        simulator = self.simulator()
        requests = self.requests(300)
        self.half_a_job(simulator, requests)
        os.unlink(self.path("in.jsonl"))
        self.check(self.verb("cancel", "j", "-y"), 0, "its first 50 rows", "INPUT", "is cancelled")
        self.daemons(simulator)
        self.finish(requests[:50])

    def test_a_producer_that_still_works_goes_on(self):
        simulator = self.simulator()
        requests = self.requests(300)
        source = self.write("in.jsonl", requests)
        producer = self.start(*self.submit_words(simulator, source, "--max-requests", "40",
                                                 "--max-inflight-shards", "5"))
        self.wait_until("it waits", lambda: '"cut":50,' in self.verb("status", "j", "--json")[1])
        self.check(self.verb("cancel", "j", "-y"), 0, "is cancelled")
        self.assertEqual(producer.wait(30), 0)
        self.daemons(simulator)
        self.finish(requests)

    def test_a_redis_that_lost_the_cancel_is_told_again(self):
        simulator = self.simulator()
        requests = self.requests(300)
        source = self.write("in.jsonl", requests)
        self.check(self.sheaf(*self.submit_words(simulator, source, "--payload", "ref")), 0)
        self.check(self.verb("cancel", "j", "-y"), 0)
        self.redis.command("FLUSHALL")
        self.check(self.sheaf(*self.submit_words(simulator, source, "--payload", "ref")), 0)
        self.daemons(simulator)
        self.finish(requests)
        self.assertEqual(simulator.ledger()["batches_created"], 0)

    def test_failures_are_grouped_by_cause(self):
        simulator = self.simulator()
        self.daemons(simulator)
        requests = self.requests(10)
        requests += [request_line("four-%d" % i, "q", sim_status=400) for i in range(5)]
        requests += [request_line("five-%d" % i, "q", sim_status=503) for i in range(2)]
        requests += ["not json", '{"custom_id":"no body"}']
        source = self.write("in.jsonl", requests)
        self.check(self.sheaf(*self.submit_words(simulator, source, "--max-attempts", "1", "--payload", "ref")), 0)
        self.check(self.verb("wait", "j", "--timeout", "60s"), 3)
        result = json.loads(self.check(self.verb("failures", "j", "--json"), 0))
        self.assertEqual([(c["cause"], c["count"], len(c["samples"])) for c in result["causes"]],
                         [("400 sim_400", 5, 3), ("invalid_request_line", 2, 2), ("503 sim_503", 2, 2)])
        self.assertEqual((result["failed"], result["merged"]["rows"], result["not_merged_rows"], result["ended"]),
                         (9, 19, 0, True))
        first, invalid, last = result["causes"]
        self.assertEqual(first["samples"][0]["custom_id"], "four-0")
        self.assertEqual([s["line"] for s in invalid["samples"]], [18, 19])
        self.assertEqual([s["custom_id"] for s in invalid["samples"]], [None, "no body"])
        self.assertIn("send it again", last["help"])
        self.check(self.verb("failures", "j"), 0, "9 of 19 rows failed, 3 causes", "400 sim_400", "line 18")
        self.check(self.verb("failures", "nobody"), 5)

    def test_failures_while_the_job_runs_say_what_is_missing(self):
        simulator = self.simulator()
        source = self.write("in.jsonl", self.requests(30))
        self.check(self.sheaf(*self.submit_words(simulator, source)), 0)
        self.check(self.verb("failures", "j"), 0, "30 rows are not")
        result = json.loads(self.check(self.verb("failures", "j", "--json"), 0))
        self.assertEqual((result["ended"], result["not_merged_rows"], result["failed"]), (False, 30, 0))


class DoctorTest(OperatorTest):
    def doctor(self, *words, **options):
        code, out, err = self.sheaf("doctor", "--json", *words, **options)
        result = json.loads(out)
        self.assertEqual(result["exit_code"], code, err)
        return code, {check["name"]: check for check in result["checks"]}

    def test_all_is_well(self):
        simulator = self.simulator("--key", "right-key")
        redis = PrivateRedis(self.folder)
        try:
            flags = ("--base-url", simulator.url, "--redis", redis.url, "--sink", "dir:" + self.path("sink"))
            env = {"OPENAI_API_KEY": "right-key"}
            code, checks = self.doctor(*flags, env=env)
            self.assertEqual(code, 0)
            self.assertEqual({c["level"] for name, c in checks.items()
                              if name not in ("state-dir", "temporary", "sink", "open-files")}, {"ok"})
            self.assertTrue({"config", "key", "provider", "limits", "redis", "redis-version", "redis-memory",
                             "redis-disk", "redis-clock", "sink", "temporary", "open-files"} <= set(checks))
            code, out, err = self.sheaf("doctor", *flags, env=env)
            self.assertEqual(code, 0, err)
            self.assertNotIn("right-key", out + err)
            self.assertEqual(simulator.ledger()["batches_created"], 0)
        finally:
            redis.stop()

    def test_a_wrong_key_and_no_key(self):
        simulator = self.simulator("--key", "right-key")
        code, checks = self.doctor("--base-url", simulator.url)
        self.assertEqual((code, checks["key"]["level"], checks["provider"]["level"]), (4, "ok", "fail"))
        code, checks = self.doctor("--base-url", simulator.url, env={"OPENAI_API_KEY": None})
        self.assertEqual((code, checks["key"]["level"], checks["provider"]["level"]), (4, "fail", "ok"))

    def test_nobody_at_the_other_end(self):
        code, checks = self.doctor("--base-url", "http://127.0.0.1:1/v1", "--redis", "redis://127.0.0.1:1")
        self.assertEqual((code, checks["provider"]["level"], checks["redis"]["level"]), (8, "fail", "fail"))

    def test_no_redis(self):
        simulator = self.simulator()
        code, checks = self.doctor("--base-url", simulator.url, "--redis", "unix:" + self.path("nowhere"))
        self.assertEqual((code, checks["redis"]["level"]), (9, "fail"))
        code, checks = self.doctor("--base-url", simulator.url, env={"PATH": self.folder})
        self.assertEqual((code, checks["redis-server"]["level"]), (9, "fail"))

    def test_a_redis_that_forgets(self):
        simulator = self.simulator()
        redis = PrivateRedis(self.folder)
        try:
            for words in (("maxmemory", "100mb"), ("maxmemory-policy", "allkeys-lru"), ("appendonly", "no")):
                self.assertEqual(redis.command("CONFIG", "SET", *words), b"+OK\r\n")
            code, checks = self.doctor("--base-url", simulator.url, "--redis", redis.url)
            self.assertEqual((code, checks["redis-memory"]["level"], checks["redis-disk"]["level"]),
                             (9, "fail", "warn"))
        finally:
            redis.stop()

    def test_a_configuration_that_is_wrong(self):
        self.write("sheaf.yaml", ["no_such_setting: 1"])
        self.check(self.sheaf("doctor"), 2, "no_such_setting")
        os.unlink(self.path("sheaf.yaml"))
        code, checks = self.doctor("--provider", "opnai")
        self.assertEqual(code, 2)
        self.assertIn("openai", checks["provider"]["text"])


if __name__ == "__main__":
    main()
