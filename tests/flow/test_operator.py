"""Pause, resume, cancel, purge, failures, doctor: what an operator does to a job, on one host and in a cluster."""
import glob
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


class OneHostTest(OperatorTest):
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

    def trail_of_the_sink(self):
        folder = self.path("out.jsonl.sheaf", "sink", "trail")
        entries = []
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name)) as f:
                entries.append(json.load(f))
        return entries

    def kill(self, process):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


class OnOneHost(OneHostTest):
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
        self.assertEqual(os.listdir(self.path("out.jsonl.sheaf", "sink")), ["trail"])
        self.assertEqual([(e["verb"], e["what"]["job"], e["what"]["ok"]) for e in self.trail_of_the_sink()],
                         [("purge", "in.jsonl", 10)])
        self.check(self.verb("purge", "in.jsonl", "-y"), 5)
        self.assertEqual(self.lines("out.jsonl"), before)
        self.write("in.jsonl", self.requests(12))  # another input may have the name now
        self.check(self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"), "-y"), 0)
        self.check_output(self.requests(12))


class TrailTest(OneHostTest):
    """Who did what to a job, and when, is in its sink before it is done."""

    def trail(self):
        return self.status()["trail"]

    def verbs_in_the_sink(self):
        """Without a look at Redis, for which the directory's lock would be taken."""
        verbs = set()
        for name in glob.glob(self.path("out.jsonl.sheaf", "sink", "in.jsonl.*", "trail", "*.json")):
            with open(name) as f:
                verbs.add(json.load(f)["verb"])
        return verbs

    def test_every_change_is_noted_and_nothing_else(self):
        simulator = self.simulator("--delay", "1s")
        requests = self.requests(200)
        flags = ("--max-requests", "40", "--max-batches", "1")
        run = self.begin(simulator, requests, *flags)
        self.wait_for_remote()
        self.check(self.verb("pause", "in.jsonl"), 0)
        self.check(self.verb("pause", "in.jsonl"), 0, "already")
        self.check(self.verb("resume", "in.jsonl"), 0)
        self.check(self.verb("resume", "in.jsonl"), 0, "is not held")
        for verb in ("status", "list", "failures"):
            self.check(self.verb(verb), 0)
        self.kill(run)
        run = self.begin(simulator, requests, *flags)
        self.wait_until("it goes on", lambda: "run" in self.verbs_in_the_sink())
        self.check(self.verb("cancel", "in.jsonl", "-y"), 0)
        trail = self.trail()
        self.assertEqual([e["verb"] for e in trail], ["open", "pause", "resume", "run", "cancel"])
        self.assertEqual(trail[0]["what"]["input"], self.path("in.jsonl"))
        self.assertEqual(trail[2]["what"]["hold"], "operator")
        for entry in trail:
            self.assertRegex(entry["at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertRegex(entry["who"], r"^[^@]+@[^@]+$")
            self.assertGreater(entry["pid"], 0)
        self.assertEqual([e["at_ms"] for e in trail], sorted(e["at_ms"] for e in trail))
        self.check(self.verb("status", "in.jsonl"), 0, "cancel", trail[0]["who"])

    def test_a_run_that_only_reports_is_not_noted(self):
        simulator = self.simulator()
        source = self.write("in.jsonl", self.requests(5))
        for _ in range(2):
            self.check(self.run_job(simulator, source, self.path("out.jsonl")), 0)
        self.assertEqual([e["verb"] for e in self.trail()], ["open"])

    def test_without_the_sink_nothing_is_changed(self):
        run = self.begin(self.simulator(), self.requests(20), "--coordinators", "0", "--workers", "0")
        self.wait_for("it is there", lambda s: s.get("state") == "SEALED")
        os.rename(self.path("out.jsonl.sheaf", "sink"), self.path("away"))
        self.check(self.verb("pause", "in.jsonl"), 9, "nothing was changed")
        self.assertIsNone(self.status()["hold"])
        self.assertIsNone(self.status()["trail"])
        self.check(self.verb("purge", "in.jsonl", "-y"), 12)
        os.rename(self.path("away"), self.path("out.jsonl.sheaf", "sink"))
        self.check(self.verb("pause", "in.jsonl"), 0, "is paused")
        run.terminate()
        run.wait(30)

    def test_the_report_has_it(self):
        source = self.write("in.jsonl", self.requests(5))
        self.check(self.run_job(self.simulator(), source, self.path("out.jsonl")), 0)
        self.assertEqual([e["verb"] for e in self.report("out.report.json")["trail"]], ["open"])
        report = json.loads(self.check(self.verb("report", "in.jsonl", "--json"), 0))
        self.assertEqual(report["trail"], self.trail())


class AccountTest(OneHostTest):
    """Batches are seen by the account that made them only."""

    def half_a_job(self, simulator, requests, key):
        source = self.write("in.jsonl", requests)
        run = self.start(*self.run_words(simulator, source, self.path("out.jsonl")), env={"OPENAI_API_KEY": key})
        self.wait_for_remote()
        self.kill(run)

    def go_on(self, simulator, key, *flags):
        return self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"), *flags,
                            env={"OPENAI_API_KEY": key})

    def test_a_run_with_another_accounts_key_names_the_first_and_changes_nothing(self):
        simulator = self.simulator("--delay", "2s")
        requests = self.requests(20)
        self.half_a_job(simulator, requests, "key-a")
        account = self.status()["accounts"][0]["account"]
        made = simulator.ledger()["batches_created"]
        self.check(self.go_on(simulator, "key-b"), 12, account, "--account " + account)
        self.assertEqual([e["verb"] for e in self.status()["trail"]], ["open"])
        self.check(self.go_on(simulator, "key-b", "--account", account), 0)
        self.check_output(requests)
        ledger = simulator.ledger()
        self.assertEqual((ledger["batches_created"], ledger["billed_twice"]), (made, 0))

    def test_a_cancel_with_another_accounts_key_changes_nothing(self):
        simulator = self.simulator("--delay", "2s")
        requests = self.requests(20)
        self.half_a_job(simulator, requests, "key-a")
        account = self.status()["accounts"][0]["account"]
        flags = ("cancel", "in.jsonl", "-y", "--poll-interval", "100ms", "--lease", "2s")
        self.check(self.verb(*flags, env={"OPENAI_API_KEY": "key-b"}), 12, account, "nothing was changed")
        status = self.status()
        self.assertFalse(status["cancelled"])
        self.assertEqual([e["verb"] for e in status["trail"]], ["open"])
        self.assertEqual(glob.glob(self.path("out.jsonl.sheaf", "sink", "*", "cancelled*")), [])
        self.check(self.go_on(simulator, "key-a"), 0)
        self.check_output(requests)

    def test_the_first_accounts_key_goes_on(self):
        simulator = self.simulator("--delay", "2s")
        requests = self.requests(20)
        self.half_a_job(simulator, requests, "key-a")
        self.check(self.go_on(simulator, "key-b"), 12)
        self.check(self.go_on(simulator, "key-a"), 0)
        self.check_output(requests)

    def test_one_name_stands_for_all_keys_of_an_account(self):
        simulator = self.simulator("--delay", "2s")
        requests = self.requests(20)
        source = self.write("in.jsonl", requests)
        run = self.start(*self.run_words(simulator, source, self.path("out.jsonl"), "--account", "team"))
        self.wait_for_remote()
        self.kill(run)
        self.check(self.go_on(simulator, "key-b", "--account", "team"), 0)
        self.check_output(requests)

    def test_a_job_that_has_ended_needs_no_account(self):
        simulator = self.simulator()
        requests = self.requests(20)
        source = self.write("in.jsonl", requests)
        self.check(self.run_job(simulator, source, self.path("out.jsonl")), 0)
        self.check(self.go_on(simulator, "key-b"), 0, "done already")

    def test_after_a_wrong_key_the_right_one_goes_on_at_once(self):
        simulator = self.simulator("--key", "right")
        source = self.write("in.jsonl", self.requests(20))
        self.check(self.run_job(simulator, source, self.path("out.jsonl")), 4)
        started = time.monotonic()
        self.check(self.go_on(simulator, "right"), 0)
        self.assertLess(time.monotonic() - started, 8)
        self.check_output(self.requests(20))

    def test_status_says_whose_batches_there_are(self):
        simulator = self.simulator("--delay", "2s")
        self.half_a_job(simulator, self.requests(20), "key-a")
        status = self.status()
        account = status["accounts"][0]["account"]
        self.assertRegex(account, "^[0-9a-f]{12}$")
        self.assertEqual([b["account"] for b in status["batches"]["list"]], [account])
        self.assertEqual([lane["account"] for lane in status["lanes"]], [account])
        self.assertEqual(status["lanes"][0]["in_use"]["requests"], 20)
        self.check(self.verb("status", "in.jsonl"), 0, account, "gpt-4o-mini /v1/chat/completions")


class KeyTest(OneHostTest):
    """A key is found wherever it may be, and is to be found nowhere else."""

    KEY = "sk-very-secret-4711"

    def sources(self):
        with open(self.path("key-file"), "w") as f:
            f.write(self.KEY + "\n")
        os.makedirs(self.path("credentials"), exist_ok=True)
        with open(self.path("credentials", "sheaf_api_key"), "w") as f:
            f.write(self.KEY)
        none = {"OPENAI_API_KEY": None}
        return {
            "environment": ((), {"OPENAI_API_KEY": self.KEY}),
            "own variable": ((), {**none, "SHEAF_API_KEY": self.KEY}),
            "file in the environment": ((), {**none, "OPENAI_API_KEY_FILE": self.path("key-file")}),
            "flag": (("--api-key-file", self.path("key-file")), none),
            "credentials of systemd": ((), {**none, "CREDENTIALS_DIRECTORY": self.path("credentials")}),
        }

    def arguments_of(self, run):
        """What `ps` shows of it and of all that it has started."""
        said = b""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getpgid(int(pid)) == run.pid:
                    with open("/proc/%s/cmdline" % pid, "rb") as f:
                        said += f.read()
            except OSError:
                pass
        self.assertIn(b"sheaf-worker", said)
        return said

    def assert_nowhere_in(self, folder):
        for path, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(path, name), "rb") as f:
                    self.assertNotIn(self.KEY.encode(), f.read(), os.path.join(path, name))

    def test_each_source_serves_a_job_and_keeps_the_secret(self):
        simulator = self.simulator("--key", self.KEY, "--delay", "300ms")
        for name, (flags, env) in self.sources().items():
            with self.subTest(source=name):
                source = self.write("in.jsonl", self.requests(5))
                words = self.run_words(simulator, source, self.path("out.jsonl"), "-v", *flags)
                run = self.start(*words, env=env)
                self.wait_for_remote()
                self.assertNotIn(self.KEY.encode(), self.arguments_of(run))
                self.assertEqual(run.wait(60), 0)
                for verb in (("status", "--json"), ("report", "--json"), ("list",)):
                    self.assertNotIn(self.KEY, self.check(self.verb(*verb), 0))
                self.assert_nowhere_in(self.path("out.jsonl.sheaf"))  # Redis, sink, trail, log
                with open(self.path("started.log")) as f:
                    self.assertNotIn(self.KEY, f.read())
                self.check(self.verb("purge", "in.jsonl", "-y"), 0)
                self.assert_nowhere_in(self.path("out.jsonl.sheaf"))
                for left in ("out.jsonl", "out.errors.jsonl", "out.report.json"):
                    with open(self.path(left)) as f:
                        self.assertNotIn(self.KEY, f.read())
                    os.unlink(self.path(left))

    def test_a_key_that_is_refused_is_not_told_either(self):
        simulator = self.simulator("--key", "another")
        source = self.write("in.jsonl", self.requests(5))
        code, out, err = self.run_job(simulator, source, self.path("out.jsonl"), "-v", env={"OPENAI_API_KEY": self.KEY})
        self.assertEqual(code, 4)
        self.assertNotIn(self.KEY, out + err)
        self.assert_nowhere_in(self.path("out.jsonl.sheaf"))

    def test_a_provider_that_repeats_the_key_does_not_make_us_tell_it(self):
        for route in ("uploads", "creates"):
            with self.subTest(route=route):
                fault = "status=400:route=%s:message=Bad key %s given" % (route, self.KEY)
                simulator = self.simulator("--fault", fault)
                name = "%s.jsonl" % route
                code, out, err = self.run_job(simulator, self.write(name, self.requests(5)), self.path("out-" + name), "-v",
                                              "--give-up", "1s", env={"OPENAI_API_KEY": self.KEY}, timeout=20)
                self.assertNotIn(self.KEY, out + err)
                self.assertIn("Bad key *******************", out + err)
                self.assert_nowhere_in(self.path("out-%s.sheaf" % name))

    def test_a_key_is_no_flag(self):
        code, _, err = self.sheaf("run", "in.jsonl", "-o", "out.jsonl", "--api-key", self.KEY)
        self.assertEqual(code, 2)
        self.assertNotIn(self.KEY, err)


class ResubmitTest(OneHostTest):
    """What the operator sees of `sheaf resubmit`; test_resubmit.py has what it does to the rows."""

    def resubmit(self, *flags, **options):
        return self.verb("resubmit", "in.jsonl", "--poll-interval", "100ms", "--lease", "2s", "--settle", "1s", *flags,
                         **options)

    def start_resubmit(self, *flags, **options):
        return self.start("resubmit", "in.jsonl", "-y", "--state-dir", self.path("out.jsonl.sheaf"),
                          "--poll-interval", "100ms", "--lease", "2s", "--settle", "1s", *flags, **options)

    def failed_ids(self):
        return {json.loads(line)["custom_id"] for line in self.lines("out.errors.jsonl")}

    def a_job_with_failures(self, requests, *flags):
        """A job that has ended, of a provider that is well again afterwards, and that provider."""
        broken = self.simulator("--fault", "rows-500=0.3:always")
        source = self.write("in.jsonl", requests)
        self.check(self.run_job(broken, source, self.path("out.jsonl"), "--max-attempts", "1", *flags), 3)
        broken.stop()
        self.failed = self.failed_ids()
        self.assertTrue(0 < len(self.failed) < len(requests))
        return self.simulator("--delay", "300ms", port=broken.port)

    def trail(self):
        return [(e["verb"], e["what"]) for e in self.status()["trail"]]

    def sink_folder(self):
        sink = self.path("out.jsonl.sheaf", "sink")
        return os.path.join(sink, [name for name in os.listdir(sink) if name.startswith("in.jsonl.")][0])

    def audit_output(self):
        self.audit("in.jsonl", "--state-dir", self.path("out.jsonl.sheaf"), "-o", self.path("out.jsonl"))

    def test_a_plan_and_a_question_change_nothing(self):
        simulator = self.a_job_with_failures(self.requests(100))
        before = self.trail()
        self.check(self.resubmit("--plan"), 0, "batches", "tokens", "$", "500")
        plan = json.loads(self.check(self.resubmit("--plan", "--json"), 0))
        self.assertEqual((plan["plan"]["rows"], plan["plan"]["generation"]), (len(self.failed), 1))
        self.assertEqual([c["rows"] for c in plan["causes"]], [len(self.failed)])
        self.assertEqual(plan["causes"][0]["about_nano"], plan["plan"]["price_nano"])
        self.check(self.resubmit("--plan", env={"OPENAI_API_KEY": None}), 0)
        self.check(self.resubmit(), 2, "-y", "$")
        self.assertEqual(self.trail(), before)
        self.assertEqual(simulator.ledger()["batches_created"], 0)
        self.assertEqual(self.failed_ids(), self.failed)

    def test_what_it_did_is_in_the_trail_and_a_repeat_does_nothing(self):
        requests = self.requests(100)
        simulator = self.a_job_with_failures(requests)
        self.check(self.resubmit("-y"), 0, "%d rows of job in.jsonl are sent again" % len(self.failed), "0 failed")
        self.check_output(requests)
        verb, what = self.trail()[-1]
        self.assertEqual((verb, what["rows"], what["generation"]), ("resubmit", len(self.failed), 1))
        made = simulator.ledger()["batches_created"]
        self.check(self.resubmit("-y"), 0, "no row failed")
        self.assertEqual(simulator.ledger()["batches_created"], made)
        self.assertEqual(len([v for v, _ in self.trail() if v == "resubmit"]), 1)
        os.unlink(self.path("out.jsonl"))
        self.check(self.resubmit("-y"), 0, "is written anew")
        self.check_output(requests)

    def test_what_is_needed_is_asked_for_before_anything_is_changed(self):
        self.a_job_with_failures(self.requests(50))
        self.check(self.resubmit("-y", env={"OPENAI_API_KEY": None}), 4, "nothing was changed")
        os.rename(self.path("in.jsonl"), self.path("away.jsonl"))
        self.check(self.resubmit("-y"), 11, "in.jsonl", "nothing was changed")
        os.rename(self.path("away.jsonl"), self.path("in.jsonl"))
        self.assertNotIn("gen-1", os.listdir(self.sink_folder()))
        self.check(self.resubmit("-y"), 0)

    def test_a_code_that_no_row_failed_with(self):
        requests = self.requests(40) + [request_line("four", "q", sim_status=400)]
        simulator = self.a_job_with_failures(requests)
        self.check(self.resubmit("--code", "sim_401", "-y"), 2, "did you mean", "sim_400")
        self.check(self.resubmit("--code", "500", "--code", "nonsense", "-y"), 2, "nonsense")
        self.check(self.resubmit("--code", "invalid_request_line", "-y"), 2)
        self.check(self.resubmit("--shard", "x", "-y"), 2)
        self.check(self.resubmit("--shard", "7-9", "-y"), 0, "nothing is sent again")
        self.assertEqual(simulator.ledger()["batches_created"], 0)
        self.check(self.resubmit("--code", "500", "-y"), 3, "1 failed")
        self.check(self.resubmit("--code", "500", "-y"), 0, "nothing is sent again")  # healed: named rightly
        self.check(self.resubmit("--code", "400 sim_400", "-y"), 3, "1 failed")
        self.audit_output()

    def test_what_is_refused_while_another_one_is_under_way_is_not_noted(self):
        requests = self.requests(60) + [request_line("four", "q", sim_status=400)]
        simulator = self.a_job_with_failures(requests)
        simulator.stop()
        slow = self.simulator("--delay", "2s", port=simulator.port)
        process = self.start_resubmit("--code", "500")
        self.wait_until("it is at the provider", lambda: slow.ledger()["batches_live"] > 0)
        self.kill(process)
        before = self.trail()
        self.assertEqual(before[-1][0], "resubmit")
        account = self.status()["accounts"][0]["account"]
        self.check(self.resubmit("--code", "sim_400", "-y"), 12, "resubmission 1", "one at a time")
        self.check(self.resubmit("--code", "sim_400", "--plan"), 12, "resubmission 1", "one at a time")
        self.check(self.resubmit("--code", "500", env={"OPENAI_API_KEY": "other"}), 12, account, "nothing was changed")
        self.assertEqual(self.trail(), before)
        plan = json.loads(self.check(self.resubmit("--code", "500", "--plan", "--json"), 0))
        self.assertEqual(plan["plan"]["generation"], 1)
        _, _, err = result = self.resubmit("--code", "500")
        self.check(result, 3, "resubmission 1 of job in.jsonl is under way already")
        self.assertNotIn("are sent again", err)
        self.audit_output()

    def test_a_price_that_is_not_known(self):
        simulator = self.simulator("--fault", "rows-500=0.3:always")
        source = self.write("in.jsonl", [request_line("r%d" % i, "q%d" % i, model="nobody-knows") for i in range(40)])
        self.check(self.run_job(simulator, source, self.path("out.jsonl"), "--max-attempts", "1"), 3)
        master, slave = pty.openpty()
        asking = subprocess.Popen([program("sheaf"), "resubmit", "in.jsonl", "--state-dir",
                                   self.path("out.jsonl.sheaf")], stdin=slave, stderr=slave,
                                  env=self.environment(), cwd=self.folder)
        os.close(slave)
        os.write(master, b"n\n")
        self.assertEqual(asking.wait(30), 2)
        said = os.read(master, 65536).decode()
        os.close(master)
        self.assertRegex(said, r"Send \d+ rows of job in.jsonl again\? What it would cost is not known\.")

    def test_a_job_that_has_not_ended_is_refused(self):
        run = self.begin(self.simulator(), self.requests(20), "--coordinators", "0")
        self.wait_for("it is there", lambda s: s.get("state") == "SEALED")
        self.check(self.resubmit("-y"), 7, "has not ended")
        run.terminate()
        run.wait(30)
        self.check(self.resubmit("-y"), 7, "has not ended")

    def test_one_that_dies_between_the_sink_and_redis_is_finished(self):
        self.needs_failpoints()
        requests = self.requests(100)
        simulator = self.a_job_with_failures(requests)
        process = self.start_resubmit(env={"SHEAF_FP": "resubmit.published:kill"})
        self.assertEqual(process.wait(30), -signal.SIGKILL)
        self.assertIn("gen-1", os.listdir(self.sink_folder()))
        self.check(self.resubmit(), 0)  # it is decided: there is no question
        self.check_output(requests)
        self.assertEqual(simulator.ledger()["rows_billed"], len(self.failed))
        self.audit_output()

    def test_status_tells_redis_what_it_does_not_know_of(self):
        self.needs_failpoints()
        requests = self.requests(100)
        simulator = self.a_job_with_failures(requests)
        self.start_resubmit(env={"SHEAF_FP": "resubmit.published:kill"}).wait(30)
        self.assertEqual(self.status()["state"], "SEALED")
        self.check(self.verb("report", "in.jsonl"), 7, "has not ended")
        self.check(self.verb("audit", "in.jsonl"), 7, "has not ended")
        self.check(self.resubmit(), 0)
        self.check_output(requests)
        self.assertEqual(simulator.ledger()["rows_billed"], len(self.failed))
        self.audit_output()

    def test_run_goes_on_with_what_redis_does_not_know_of(self):
        self.needs_failpoints()
        requests = self.requests(100)
        simulator = self.a_job_with_failures(requests)
        self.start_resubmit(env={"SHEAF_FP": "resubmit.published:kill"}).wait(30)
        self.check(self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl")), 0)
        self.check_output(requests)
        self.assertEqual(simulator.ledger()["rows_billed"], len(self.failed))
        self.audit_output()

    def test_cancel_ends_what_redis_does_not_know_of(self):
        self.needs_failpoints()
        requests = self.requests(100)
        simulator = self.a_job_with_failures(requests)
        self.start_resubmit(env={"SHEAF_FP": "resubmit.published:kill"}).wait(30)
        self.check(self.verb("cancel", "in.jsonl", "-y", "--poll-interval", "100ms"), 3, "was cancelled")
        self.assertEqual(simulator.ledger()["batches_created"], 0)
        self.assertEqual(self.failed_ids(), self.failed)
        self.check(self.resubmit("-y"), 0)
        self.check_output(requests)
        self.audit_output()

    def test_one_that_was_cancelled_can_be_made_again(self):
        requests = self.requests(200)
        simulator = self.a_job_with_failures(requests)
        simulator.stop()
        slow = self.simulator("--delay", "30s", port=simulator.port)
        process = self.start_resubmit()
        self.wait_until("it is at the provider", lambda: slow.ledger()["batches_live"] > 0)
        self.kill(process)
        self.check(self.verb("cancel", "in.jsonl", "-y", "--poll-interval", "100ms", "--lease", "2s"), 3, "was cancelled")
        self.assertLessEqual(self.failed_ids(), self.failed)
        slow.stop()
        self.simulator(port=simulator.port)
        self.check(self.resubmit("-y"), 0)
        self.check_output(requests)
        self.audit_output()

    def test_a_state_directory_of_another_name_gets_no_new_output(self):
        broken = self.simulator("--fault", "rows-500=0.3:always")
        requests = self.requests(50)
        where = ("--state-dir", self.path("state"))
        self.check(self.run_job(broken, self.write("in.jsonl", requests), self.path("out.jsonl"), "--max-attempts", "1",
                                *where), 3)
        broken.stop()
        self.simulator(port=broken.port)
        before = self.lines("out.jsonl")
        self.check(self.sheaf("resubmit", "in.jsonl", "-y", "--poll-interval", "100ms", *where), 0,
                   "sheaf results in.jsonl")
        self.assertEqual(self.lines("out.jsonl"), before)
        self.check(self.sheaf("results", "in.jsonl", "-o", self.path("out.jsonl"), *where), 0)
        self.check_output(requests)


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

    def test_resubmit_hands_over_to_the_cluster(self):
        broken = self.simulator("--fault", "rows-500=0.3:always")
        self.daemons(broken)
        requests = self.requests(100)
        source = self.write("in.jsonl", requests)
        self.check(self.sheaf(*self.submit_words(broken, source, "--max-attempts", "1", "--payload", "ref")), 0)
        self.check(self.verb("wait", "j", "--timeout", "60s"), 3)
        self.check(self.verb("results", "j", "-o", self.path("out.jsonl")), 0)
        broken.stop()
        well = self.simulator("--delay", "2s", port=broken.port)
        self.check(self.verb("resubmit", "j"), 2, "-y")
        self.check(self.verb("resubmit", "j", "-y"), 0, "sheaf wait j", "this is resubmission 1")
        _, _, err = result = self.verb("resubmit", "j", "-y")
        self.check(result, 0, "resubmission 1 of job j is under way already")
        self.assertNotIn("are sent again", err)
        status = json.loads(self.check(self.verb("status", "j", "--json"), 0))
        self.assertEqual([e["verb"] for e in status["trail"]], ["open", "resubmit"])
        self.check(self.verb("wait", "j", "--timeout", "60s"), 0)
        self.check(self.verb("results", "j", "-o", self.path("out.jsonl")), 0)
        self.check_output(requests)
        self.audit("j", "--redis", self.redis.url)
        self.assertEqual(well.ledger()["billed_twice"], 0)
        self.check(self.verb("resubmit", "j", "-y"), 0, "no row failed")

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
        self.assertEqual([c["class"] for c in result["causes"]], ["bad", "sheaf", "server"])
        self.assertEqual([c["may_pass"] for c in result["causes"]], [False, False, True])
        now_ms = time.time() * 1000
        for cause in (first, last):
            self.assertTrue(now_ms - 60000 < cause["first_seen_ms"] <= cause["last_seen_ms"] < now_ms + 1000)
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


class ModelTest(OneHostTest):
    """A model that the provider does not have is told in the provider's words, and the advice is the same."""

    def test_one_advice_for_all_of_them(self):
        for name, path, code in (("openai", "/v1", "model_not_found"), ("zhipu", "/api/paas/v4", "1210"),
                                 ("doubleword", "/v1", "model_unsupported")):
            with self.subTest(profile=name):
                simulator = self.simulator("--profile", name)
                output = self.path(name, "out.jsonl")
                os.mkdir(self.path(name))
                source = self.write("in.jsonl", [request_line("request-%d" % i, "q", model="no-such-model")
                                                 for i in range(3)])
                words = self.run_words(simulator, source, output, "--provider", name)
                words[words.index("--base-url") + 1] = "http://127.0.0.1:%d%s" % (simulator.port, path)
                self.check(self.sheaf(*words, env={"SHEAF_API_KEY": "k"}), 3)
                where = ("--state-dir", output + ".sheaf")
                cause = json.loads(self.check(self.sheaf("failures", "in.jsonl", "--json", *where), 0))["causes"][0]
                self.assertEqual((cause["code"], cause["count"]), (code, 3))
                self.assertIn("there is no such model for this key", cause["help"])
                plan = self.check(self.sheaf("resubmit", "in.jsonl", "--code", code, "--plan", "--json", *where), 0)
                self.assertEqual(json.loads(plan)["plan"]["rows"], 3)
                simulator.stop()


class ProgressTest(OneHostTest):
    def test_the_providers_words_are_shown_while_it_waits(self):
        simulator = self.simulator("--fault", "status=429:route=creates:code=insufficient_quota:message=top up at once")
        source = self.write("in.jsonl", self.requests(5))
        for form in ("json", "plain"):
            _, _, err = self.run_job(simulator, source, self.path("out.jsonl"), "--give-up", "4s", "--progress", form)
            waiting = [line for line in err.splitlines() if "waiting: quota" in line]
            self.assertTrue(waiting, err)
            self.assertIn("top up at once", waiting[0])
            if form == "json":
                self.assertIn("top up at once", json.loads(waiting[0])["why"])


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

    def test_each_profile_is_looked_at_for_free(self):
        paths = {"openai": "/v1", "zhipu": "/api/paas/v4", "azure": "/openai/v1", "dashscope": "/compatible-mode/v1",
                 "groq": "/openai/v1", "doubleword": "/v1"}
        for name, path in paths.items():
            with self.subTest(profile=name):
                simulator = self.simulator("--profile", name, "--key", "right-key")
                url = "http://127.0.0.1:%d%s" % (simulator.port, path)
                flags = ("--provider", name, "--base-url", url)
                code, checks = self.doctor(*flags, env={"SHEAF_API_KEY": "right-key"})
                self.assertEqual(code, 0, checks)
                self.assertIn("takes the key", checks["provider"]["text"])
                self.assertEqual({checks[c]["level"] for c in ("account", "address", "provider-clock")}, {"ok"})
                code, checks = self.doctor(*flags, env={"SHEAF_API_KEY": "wrong-key"})
                self.assertEqual((code, checks["provider"]["level"]), (4, "fail"))
                ledger = simulator.ledger()
                self.assertEqual((ledger["batches_created"], ledger["rows_executed"]), (0, 0))
                simulator.stop()

    def test_what_the_configuration_overrides_is_shown(self):
        simulator = self.simulator()
        self.write("sheaf.yaml", ["providers:", "  openai:", "    limits:", "      max_requests: 1234",
                                  "  mine:", "    like: groq", "    base_url: " + simulator.url,
                                  "    limits: {poll_min: 2m}"])
        code, out, err = self.sheaf("doctor", "--json", "--base-url", simulator.url)
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out)["limits"]["max_requests"], {"value": 1234, "profile": 50000})
        code, out, err = self.sheaf("doctor", "--base-url", simulator.url)
        self.assertRegex(out, r"max_requests +1234 .*\(the profile has 50000\)")
        code, out, err = self.sheaf("doctor", "--json", "--provider", "mine", env={"SHEAF_API_KEY": "k"})
        self.assertEqual(code, 0, out + err)
        self.assertEqual(json.loads(out)["limits"]["poll_min"], {"value": 120000, "profile": None})

    def test_limits_that_the_configuration_sets_hold_at_any_address(self):
        simulator = self.simulator()
        self.write("sheaf.yaml", ["providers:", "  openai:",
                                  "    limits: {creates_per_hour: 5, enqueued_tokens: 1500, poll_min: 3s}"])
        code, out, err = self.sheaf("doctor", "--json", "--base-url", simulator.url)
        self.assertEqual(code, 0, err)
        limits = json.loads(out)["limits"]
        self.assertEqual([limits[name]["value"] for name in ("creates_per_hour", "enqueued_tokens", "poll_min")],
                         [5, 1500, 3000])
        self.assertIsNone(limits["uploads_per_min"]["value"])  # the vendor's, for its own servers

    def test_an_account_that_is_given_is_shown(self):
        simulator = self.simulator()
        _, checks = self.doctor("--base-url", simulator.url)
        own = checks["account"]["text"].split(",")[0]
        self.assertRegex(own, "^[0-9a-f]{12}$")
        _, checks = self.doctor("--base-url", simulator.url, "--account", own)
        self.assertEqual(checks["account"]["text"], own + ", as given")
        _, checks = self.doctor("--base-url", simulator.url, "--account", "team")
        self.assertIn("team", checks["account"]["text"])

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

    def test_a_mistake_in_a_profile_is_one_of_the_file_and_the_rest_is_looked_at(self):
        simulator = self.simulator()
        self.write("sheaf.yaml", ["providers:", "  openai:", "    limits: {max_request: 1}", "  mine: {like: groq}"])
        code, checks = self.doctor("--base-url", simulator.url)
        self.assertEqual((code, checks["config"]["level"]), (2, "fail"))
        self.assertIn("sheaf.yaml:3:27: unknown key", checks["config"]["text"])
        self.assertEqual({checks[name]["level"] for name in ("key", "address", "account", "provider")}, {"ok"})
        code, checks = self.doctor("--provider", "mine", "--base-url", simulator.url)
        self.assertEqual((code, checks["config"]["level"]), (2, "fail"))
        self.assertNotIn("key", checks)
        self.assertIn("the file", checks["provider"]["advice"])

    def test_an_address_that_is_missing_is_asked_for_once(self):
        code, checks = self.doctor("--provider", "azure", env={"SHEAF_API_KEY": "k"})
        self.assertEqual((code, checks["address"]["level"]), (2, "fail"))
        said = checks["address"]["text"] + "; " + checks["address"]["advice"]
        self.assertEqual((said.count("give --base-url"), said.count("https://")), (1, 1))
        code, checks = self.doctor("--base-url", "nonsense")
        self.assertIn("https://host/v1", checks["address"]["advice"])

    def test_a_place_that_holds_no_files(self):
        simulator = self.simulator()
        code, checks = self.doctor("--base-url", simulator.url, "--sink", "dir:/proc/nope")
        self.assertEqual((code, checks["sink"]["level"]), (9, "fail"))
        self.assertIn("/proc", checks["sink"]["text"])
        self.assertNotIn("room", checks["sink"]["advice"])


if __name__ == "__main__":
    main()
