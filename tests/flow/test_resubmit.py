"""Failed rows are sent again: by cause, by window, all; killed at each step; with Redis lost."""
import json
import os
import shutil
import signal
import subprocess
import time

from sheaf_test import PrivateRedis, SheafTest, main, program, request_line


class ResubmitTest(SheafTest):
    run_flags = ("--max-attempts", "1", "--max-requests", "40")
    again_flags = ("--poll-interval", "100ms", "--settle", "1s", "--lease", "2s", "-y")

    def requests(self, n):
        return [request_line("row-%d" % i, "question %d 问" % i) for i in range(n)]

    def state_dir(self):
        return ("--state-dir", self.path("out.jsonl.sheaf"))

    def first_run(self, requests, *faults, code=3, flags=()):
        """A job of which some rows failed, and a simulator that from now on answers everything."""
        simulator = self.simulator()
        for fault in faults:
            simulator.arm(fault)
        got, _, err = self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"),
                                   *self.run_flags, *flags)
        self.assertEqual(got, code, err)
        for fault in faults:
            simulator.arm(fault.split("=")[0] + "=off")
        return simulator

    def again(self, *words, env=None):
        return self.sheaf("resubmit", "in.jsonl", *self.state_dir(), *self.again_flags, *words, env=env)

    def failed(self):
        """Positions of the failed rows by the cause they have."""
        found = {}
        for line in self.lines("out.errors.jsonl"):
            row = json.loads(line)
            code = (row["response"] or {}).get("status_code") or row["error"]["code"]
            if row["custom_id"] is not None:
                found.setdefault(code, []).append(int(row["custom_id"].split("-")[1]))
        return found

    def good(self):
        return {json.loads(line)["custom_id"]: line for line in self.lines("out.jsonl")}

    def check_audit(self):
        code, out, err = self.sheaf("audit", "in.jsonl", *self.state_dir(), "-o", self.path("out.jsonl"))
        self.assertEqual(code, 0, out + err)

    def test_all_failed_rows_get_their_results_and_nothing_is_paid_again(self):
        requests = self.requests(200)
        requests[17] = request_line("row-17", "never", sim_status=400)
        requests[23] = "no request"
        simulator = self.first_run(requests, "rows-500=0.3:always")
        before = self.good()
        self.assertGreater(len(self.failed()[500]), 20)
        billed = simulator.ledger()["rows_billed"]
        code, _, err = self.again()
        self.assertEqual(code, 3, err)
        self.check_output(requests, failed=(17, 23))
        after = self.good()
        for custom_id, line in before.items():
            self.assertEqual(after[custom_id], line)  # an earlier success stays, byte for byte
        ledger = simulator.ledger()
        self.assertEqual(ledger["billed_twice"], 0)
        self.assertEqual(ledger["rows_billed"] - billed, len(after) - len(before))
        report = self.report("out.report.json")
        self.assertEqual(report["generation"], 1)
        self.assertEqual(report["paid_twice"], 0)
        self.assertEqual((report["ok"], report["failed"], report["invalid"]), (198, 2, 1))
        self.check_audit()
        # the first run stays in the sink
        sink = self.path("out.jsonl.sheaf", "sink")
        job = os.path.join(sink, next(name for name in os.listdir(sink) if name.startswith("in.jsonl.")))
        self.assertTrue({"dead", "dead.g1", "out", "out.g1", "gen-1"} <= set(os.listdir(job)))
        # the same command as before is still a finished job
        stamp = os.stat(self.path("out.jsonl")).st_mtime_ns
        code, _, err = self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"), *self.run_flags)
        self.assertEqual(code, 3, err)
        self.assertEqual(os.stat(self.path("out.jsonl")).st_mtime_ns, stamp)
        self.assertEqual(json.loads(simulator.admin("state"))["files"], 0)

    def test_by_code_and_then_by_another(self):
        requests = self.requests(200)
        self.first_run(requests, "rows-500=0.2:always", "rows-policy=0.2:always")
        before = self.failed()
        self.assertEqual(set(before), {400, 500})
        code, _, err = self.again("--code", "500")
        self.assertEqual(code, 3, err)
        self.assertEqual(self.failed(), {400: before[400]})
        self.check_output(requests, failed=before[400])
        code, _, err = self.again("--code", "content_filter")
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertEqual(self.report("out.report.json")["generation"], 2)
        self.check_audit()

    def test_by_shard(self):
        requests = self.requests(200)  # windows of ten lines
        simulator = self.first_run(requests, "rows-500=0.5:always")
        before = self.failed()[500]
        code, _, err = self.again("--shard", "3-7,9")
        self.assertEqual(code, 3, err)
        kept = [i for i in before if not 30 <= i < 80 and not 90 <= i < 100]
        self.assertLess(len(kept), len(before))
        self.assertEqual(self.failed(), {500: kept})
        self.check_output(requests, failed=kept)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_a_plan_changes_nothing(self):
        requests = self.requests(100)
        simulator = self.first_run(requests, "rows-500=0.5:always")
        count = len(self.failed()[500])
        created = json.loads(simulator.admin("state"))["batches_created"]
        code, out, err = self.again("--plan")
        self.assertEqual(code, 0, err)
        self.assertIn("%d of %d failed rows" % (count, count), out)
        self.assertIn("price          about $0.0", out)
        self.assertEqual(json.loads(simulator.admin("state"))["batches_created"], created)
        sink = self.path("out.jsonl.sheaf", "sink")
        for name in os.listdir(sink):
            self.assertNotIn("gen-1", os.listdir(os.path.join(sink, name)))

    def test_rows_that_fail_again_have_the_newer_failure(self):
        requests = self.requests(60)
        simulator = self.first_run(requests, "rows-500=0.5:always")
        before = self.failed()[500]
        simulator.arm("rows-policy=1:always")
        code, _, err = self.again()
        self.assertEqual(code, 3, err)
        self.assertEqual(self.failed(), {400: before})
        simulator.arm("rows-policy=off")
        code, _, err = self.again()
        self.assertEqual(code, 0, err)
        self.check_output(requests)

    def test_after_a_cancel(self):
        requests = self.requests(200)
        simulator = self.simulator("--delay", "60s")
        source = self.write("in.jsonl", requests)
        run = self.start(*self.run_words(simulator, source, self.path("out.jsonl"), *self.run_flags,
                                         "--max-batches", "2"))
        self.wait_until("batches", lambda: json.loads(simulator.admin("state"))["batches_created"] >= 2)
        code, _, err = self.sheaf("cancel", "in.jsonl", *self.state_dir(), "-y")
        self.assertEqual(code, 0, err)
        self.assertEqual(run.wait(60), 3)
        self.assertGreater(len(self.lines("out.errors.jsonl")), 100)
        simulator.stop()
        simulator = self.simulator(port=simulator.port)
        code, _, err = self.again()
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.check_audit()

    def sink_folder(self):
        sink = self.path("out.jsonl.sheaf", "sink")
        return os.path.join(sink, next(name for name in os.listdir(sink) if name.startswith("in.jsonl.")))

    # Where a process dies. SHEAF_CHAOS_SWEEP=full: everywhere.
    places = ("sink.link:kill@1", "resubmit.published:kill", "merge.frozen:kill", "publish.report:kill")
    if os.environ.get("SHEAF_CHAOS_SWEEP") == "full":
        places += ("sink.linked:kill@1", "worker.part_published:kill", "merge.out:kill", "merge.dead:kill",
                   "merge.bad:kill", "publish.errors:kill", "publish.output:kill")

    def test_killed_anywhere_the_same_command_ends_it(self):
        self.needs_failpoints()
        requests = self.requests(60)
        for i, place in enumerate(self.places):
            with self.subTest(place=place):
                simulator = self.first_run(requests, "rows-500=0.3:always")
                marks = self.path("marks-%d" % i)
                os.mkdir(marks)
                code, _, err = self.again(env={"SHEAF_FP": place, "SHEAF_FP_ONCE": marks})
                # a worker is started again; of `sheaf` itself the same command goes on
                self.assertIn(code, (0, -signal.SIGKILL), err)
                self.assertNotEqual(os.listdir(marks), [], "nobody died")
                if code != 0:
                    code, _, err = self.again()
                    self.assertEqual(code, 0, err)
                self.check_output(requests)
                self.assertEqual(self.report("out.report.json")["generation"], 1)
                self.assertEqual(simulator.ledger()["billed_twice"], 0)
                simulator.stop()
                for name in os.listdir(self.folder):
                    if name.startswith("out"):
                        path = self.path(name)
                        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)

    def test_killed_before_output_is_written_nothing_is_sent_a_second_time(self):
        self.needs_failpoints()
        requests = self.requests(200)
        simulator = self.first_run(requests, "rows-500=0.3:always", "rows-policy=0.2:always")
        code, _, err = self.again("--code", "500", env={"SHEAF_FP": "publish.report:kill"})
        self.assertEqual(code, -signal.SIGKILL, err)
        created = json.loads(simulator.admin("state"))["batches_created"]
        code, out, err = self.again("--code", "500", "--plan", "--json")
        self.assertEqual((code, json.loads(out)["plan"]["generation"]), (0, 1), err)
        code, _, err = self.again("--code", "400")  # one at a time
        self.assertEqual(code, 12, err)
        self.assertIn("not in OUTPUT yet", err)
        code, _, err = self.again("--code", "500")
        self.assertEqual(code, 3, err)
        self.assertIn("resubmission 1 of job in.jsonl has ended", err)
        self.assertEqual(json.loads(simulator.admin("state"))["batches_created"], created)
        self.assertNotIn("gen-2", os.listdir(self.sink_folder()))
        self.assertEqual(self.report("out.report.json")["generation"], 1)
        failed = self.failed()
        self.assertEqual(set(failed), {400})
        self.check_output(requests, failed=failed[400])
        self.check_audit()
        code, _, err = self.again("--code", "400")  # now the next may begin
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertEqual(self.report("out.report.json")["generation"], 2)

    def test_rows_that_fail_again_are_not_sent_a_third_time_after_a_crash(self):
        self.needs_failpoints()
        requests = self.requests(200)
        simulator = self.first_run(requests, "rows-500=0.3:always")
        before = self.failed()[500]
        # they fail in the same way: OUTPUT stays the same, byte for byte
        simulator.arm("rows-500=0.3:always")
        for place in ("publish.errors:kill", "publish.report:kill"):
            code, _, err = self.again(env={"SHEAF_FP": place})
            self.assertEqual(code, -signal.SIGKILL, err)
        code, _, err = self.again()
        self.assertEqual(code, 3, err)
        self.assertNotIn("gen-2", os.listdir(self.sink_folder()))
        self.assertEqual(self.failed(), {500: before})
        self.check_output(requests, failed=before)
        simulator.arm("rows-500=off")
        code, _, err = self.again()
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertEqual(self.report("out.report.json")["generation"], 2)

    def test_what_resubmit_has_begun_a_run_ends(self):
        self.needs_failpoints()
        requests = self.requests(60)
        simulator = self.first_run(requests, "rows-500=0.3:always")
        code, _, err = self.again(env={"SHEAF_FP": "resubmit.published:kill"})
        self.assertEqual(code, -signal.SIGKILL)
        self.assertIn("gen-1", os.listdir(self.sink_folder()))
        code, _, err = self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"), *self.run_flags)
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertEqual(self.report("out.report.json")["generation"], 1)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_another_choice_waits_until_the_first_has_ended(self):
        self.needs_failpoints()
        requests = self.requests(60)
        self.first_run(requests, "rows-500=0.5:always")
        code, _, err = self.again("--shard", "0-2", env={"SHEAF_FP": "resubmit.published:kill"})
        self.assertEqual(code, -signal.SIGKILL)
        code, _, err = self.again("--shard", "3-5")
        self.assertEqual(code, 12, err)
        code, _, err = self.again("--shard", "0-2")
        self.assertEqual(code, 3, err)
        code, _, err = self.again("--shard", "3-5")
        self.assertEqual(code, 0, err)
        self.check_output(requests)

    def lose_redis(self):
        shutil.rmtree(self.path("out.jsonl.sheaf", "redis"))

    def test_redis_is_lost_in_the_middle(self):
        requests = self.requests(200)
        simulator = self.first_run(requests, "rows-500=0.5:always")
        created = json.loads(simulator.admin("state"))["batches_created"]
        port = simulator.port
        simulator.stop()
        simulator = self.simulator("--delay", "1s", port=port)
        process = self.start("resubmit", "in.jsonl", *self.state_dir(), *self.again_flags)
        self.wait_until("a batch", lambda: json.loads(simulator.admin("state"))["batches_created"] >= 1)
        self.assertGreater(created, 0)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.3)
        self.lose_redis()
        code, _, err = self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"), *self.run_flags)
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertEqual(self.report("out.report.json")["generation"], 1)
        self.check_audit()

    def test_redis_is_lost_after_the_end(self):
        requests = self.requests(100)
        simulator = self.first_run(requests, "rows-500=0.5:always")
        code, _, err = self.again()
        self.assertEqual(code, 0, err)
        billed = simulator.ledger()["rows_billed"]
        self.lose_redis()
        code, _, err = self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"), *self.run_flags)
        self.assertEqual(code, 0, err)
        self.assertEqual(simulator.ledger()["rows_billed"], billed)
        self.check_output(requests)

    def test_an_input_that_has_changed_is_not_sent(self):
        requests = self.requests(40)
        simulator = self.first_run(requests, "rows-500=0.5:always")
        executed = simulator.ledger()["rows_executed"]
        self.write("in.jsonl", [request.replace("question", "QUESTION") for request in requests])
        code, _, err = self.again()
        self.assertEqual(code, 11, err)
        self.assertIn("has changed", err)
        self.assertEqual(simulator.ledger()["rows_executed"], executed)
        self.write("in.jsonl", requests)
        code, _, err = self.again()
        self.assertEqual(code, 0, err)
        self.check_output(requests)

    def test_a_lost_redis_says_what_brings_the_job_back(self):
        requests = self.requests(60)
        simulator = self.first_run(requests, "rows-500=0.5:always")
        self.lose_redis()
        code, _, err = self.again()
        self.assertEqual(code, 5, err)
        self.assertIn("the same `sheaf run`", err)
        code, _, err = self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"), *self.run_flags)
        self.assertEqual(code, 3, err)
        code, _, err = self.again()
        self.assertEqual(code, 0, err)
        self.check_output(requests)

    def test_a_code_that_no_row_failed_with_is_refused_also_when_none_fails(self):
        requests = self.requests(20)
        self.first_run(requests, "rows-500=0.5:always")
        code, _, err = self.again("--code", "500")
        self.assertEqual(code, 0, err)
        code, _, err = self.again("--code", "500")  # one that some had failed with may be repeated
        self.assertEqual(code, 0, err)
        code, _, err = self.again("--code", "bogus")
        self.assertEqual(code, 2, err)
        self.assertIn("bogus", err)
        code, out, err = self.again("--code", "500", "--plan", "--json")
        self.assertEqual(code, 0, err)
        plan = json.loads(out)["plan"]
        known = ("rows", "windows", "batches", "bytes", "input_tokens", "output_tokens", "price_nano")
        self.assertEqual([plan[name] for name in known], [0] * len(known))
        self.assertEqual(plan["lanes"], [])

    def test_nothing_failed_nothing_is_sent(self):
        requests = self.requests(20)
        simulator = self.first_run(requests, code=0)
        code, _, err = self.again()
        self.assertEqual(code, 0, err)
        self.assertIn("no row failed", err)
        self.assertEqual(json.loads(simulator.admin("state"))["batches_created"], 1)


class ClusterResubmitTest(SheafTest):
    def setUp(self):
        super().setUp()
        self.redis = PrivateRedis(self.folder)

    def tearDown(self):
        self.redis.stop()
        super().tearDown()

    def daemon(self, name, simulator, *flags):
        log = open(self.path("daemons.log"), "ab")
        process = subprocess.Popen(
            [program(name), "--redis", self.redis.url, "--base-url", simulator.url, "--lease", "2s", *flags],
            env=self.environment(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.processes.append(process)

    def verb(self, *words, **options):
        return self.sheaf(*words, "--redis", self.redis.url, **options)

    def submit(self, simulator, source):
        return self.verb("submit", source, "--job", "j", "--sink", "dir:" + self.path("sink"), "--base-url",
                         simulator.url, "--poll-interval", "100ms", "--max-attempts", "1", "--max-requests", "40")

    def results(self, requests, failed=()):
        code, _, err = self.verb("wait", "j", "--timeout", "60s")
        self.assertEqual(code, 3 if failed else 0, err)
        code, _, err = self.verb("results", "j", "-o", self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        self.check_output(requests, failed=failed)

    def first_run(self, requests):
        simulator = self.simulator()
        simulator.arm("rows-500=0.3:always")
        self.daemon("sheaf-coordinator", simulator, "--settle", "1s", "--linger", "50ms")
        self.daemon("sheaf-worker", simulator)
        self.daemon("sheaf-worker", simulator)
        source = self.write("in.jsonl", requests)
        code, _, err = self.submit(simulator, source)
        self.assertEqual(code, 0, err)
        code, _, err = self.verb("wait", "j", "--timeout", "60s")
        self.assertEqual(code, 3, err)
        code, _, err = self.verb("results", "j", "-o", self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        simulator.arm("rows-500=off")
        return simulator

    def requests(self, n):
        return [request_line("row-%d" % i, "question %d" % i) for i in range(n)]

    def test_a_job_whose_lines_travelled_through_redis(self):
        requests = self.requests(200)
        simulator = self.first_run(requests)
        os.unlink(self.path("in.jsonl"))  # the sink has kept the lines
        code, _, err = self.verb("resubmit", "j", "-y")
        self.assertEqual(code, 0, err)
        self.results(requests)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)
        code, _, err = self.verb("audit", "j")
        self.assertEqual(code, 0, err)

    def test_whoever_looks_after_a_crash_tells_redis_what_is_decided(self):
        self.needs_failpoints()
        requests = self.requests(200)
        self.first_run(requests)
        code, _, err = self.verb("resubmit", "j", "-y", env={"SHEAF_FP": "resubmit.published:kill"})
        self.assertEqual(code, -signal.SIGKILL, err)
        for verb in (("results", "j", "-o", self.path("out.jsonl")), ("report", "j"), ("audit", "j")):
            code, out, err = self.verb(*verb)
            self.assertIn(code, (0, 7), out + err)  # not yet, or the workers were quick
        self.results(requests)  # `wait` waits for the resubmission
        self.assertEqual(self.report("out.report.json")["generation"], 1)
        code, _, err = self.verb("audit", "j")
        self.assertEqual(code, 0, err)

    def test_each_look_tells_redis_what_is_decided(self):
        self.needs_failpoints()
        requests = self.requests(200)
        simulator = self.first_run(requests)
        looks = (("wait", "j", "--timeout", "60s"), ("watch", "j"), ("status", "j", "--json"), ("failures", "j", "--json"),
                 ("report", "j"))
        for generation, look in enumerate(looks, 1):
            with self.subTest(look=look[0]):
                simulator.arm("rows-500=%s" % ("off" if generation == len(looks) else "1:always"))
                code, _, err = self.verb("resubmit", "j", "-y", env={"SHEAF_FP": "resubmit.published:kill"})
                self.assertEqual(code, -signal.SIGKILL, err)
                code, out, err = self.verb(*look)
                self.assertIn(code, (0, 3, 7), out + err)
                self.wait_until("its end", lambda: self.is_published(generation))
                self.assertIn(self.verb("wait", "j", "--timeout", "60s")[0], (0, 3))
        self.results(requests)
        self.assertEqual(self.report("out.report.json")["generation"], len(looks))

    def is_published(self, generation):
        sink = self.path("sink")
        job = os.path.join(sink, next(name for name in os.listdir(sink) if name.startswith("j.")))
        return os.path.isdir(os.path.join(job, "rep.g%d" % generation))

    def test_lines_that_the_sink_has_lost_are_submitted_again(self):
        requests = self.requests(200)
        simulator = self.first_run(requests)
        sink = self.path("sink")
        job = os.path.join(sink, next(name for name in os.listdir(sink) if name.startswith("j.")))
        for name in os.listdir(os.path.join(job, "req")):
            os.unlink(os.path.join(job, "req", name))
        code, _, err = self.verb("resubmit", "j", "-y")
        self.assertEqual(code, 0, err)

        def is_held():
            _, out, _ = self.verb("status", "j")
            return "submit the same input again" in out
        self.wait_until("the hold", is_held)
        code, _, err = self.submit(simulator, self.path("in.jsonl"))
        self.assertEqual(code, 0, err)
        self.results(requests)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_a_job_cut_short_stays_as_long_as_it_was(self):
        requests = self.requests(400)
        simulator = self.simulator()
        source = self.write("in.jsonl", requests)
        producer = self.start("submit", source, "--job", "j", "--sink", "dir:" + self.path("sink"), "--redis",
                              self.redis.url, "--base-url", simulator.url, "--max-requests", "40",
                              "--poll-interval", "100ms", "--max-inflight-shards", "5")
        time.sleep(1)
        os.killpg(producer.pid, signal.SIGKILL)  # behind its fifth window of ten lines
        code, _, err = self.verb("cancel", "j", "-y")
        self.assertEqual(code, 0, err)
        self.daemon("sheaf-coordinator", simulator, "--settle", "1s", "--linger", "50ms")
        self.daemon("sheaf-worker", simulator)
        self.results(requests[:50], failed=range(50))
        code, _, err = self.verb("resubmit", "j", "-y")
        self.assertEqual(code, 0, err)
        self.results(requests[:50])
        self.assertEqual(self.redis.command("FLUSHALL"), b"+OK\r\n")
        code, _, err = self.submit(simulator, source)
        self.assertEqual(code, 0, err)
        self.results(requests[:50])
        self.assertEqual(simulator.ledger()["rows_executed"], 50)
        code, _, err = self.verb("audit", "j")
        self.assertEqual(code, 0, err)

    def test_a_resubmission_can_be_cancelled_and_made_again(self):
        requests = self.requests(200)
        simulator = self.first_run(requests)
        failed = [int(json.loads(line)["custom_id"].split("-")[1]) for line in self.lines("out.errors.jsonl")]
        port = simulator.port
        simulator.stop()
        simulator = self.simulator("--delay", "60s", port=port)
        code, _, err = self.verb("resubmit", "j", "-y")
        self.assertEqual(code, 0, err)
        self.wait_until("a batch", lambda: json.loads(simulator.admin("state"))["batches_created"] >= 1)
        code, _, err = self.verb("cancel", "j", "-y")
        self.assertEqual(code, 0, err)
        self.results(requests, failed=failed)
        codes = {json.loads(line)["error"]["code"] for line in self.lines("out.errors.jsonl")}
        self.assertTrue(codes <= {"batch_cancelled", "job_cancelled"}, codes)
        simulator.stop()
        self.simulator(port=port)
        code, _, err = self.verb("resubmit", "j", "-y")
        self.assertEqual(code, 0, err)
        self.results(requests)


if __name__ == "__main__":
    main()
