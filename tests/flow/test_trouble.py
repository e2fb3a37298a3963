"""What goes wrong around a job: each has its exit code, its clear line, and loses nothing."""
import json
import os
import shutil
import signal
import stat
import time

from sheaf_test import SheafTest, main, request_line


class TroubleTest(SheafTest):
    def requests(self, n):
        return [request_line("row-%d" % i, "question %d" % i) for i in range(n)]

    def source(self, n=20):
        return self.write("in.jsonl", self.requests(n))

    def check(self, result, code, *words):
        got, out, err = result
        self.assertEqual(got, code, err)
        for word in words:
            self.assertIn(word, err)
        self.assertNotIn("Traceback", err)
        return err

    def nothing_was_made(self):
        self.assertEqual([n for n in os.listdir(self.folder) if n.startswith("out")], [])

    def test_input_that_is_missing(self):
        self.check(self.run_job(self.simulator(), self.path("no.jsonl"), self.path("out.jsonl")), 11, "no.jsonl")
        self.nothing_was_made()

    def test_input_that_is_a_folder(self):
        os.mkdir(self.path("in.jsonl"))
        self.check(self.run_job(self.simulator(), self.path("in.jsonl"), self.path("out.jsonl")), 11, "in.jsonl")
        self.nothing_was_made()

    def test_output_in_a_folder_that_is_not_there(self):
        code, _, err = self.run_job(self.simulator(), self.source(), self.path("nowhere", "out.jsonl"))
        self.assertIn(code, (2, 9), err)
        self.assertIn("nowhere", err)

    def test_output_that_somebody_else_made_is_refused_unless_told(self):
        requests = self.requests(5)
        source = self.write("in.jsonl", requests)
        self.write("out.jsonl", ["precious"])
        simulator = self.simulator()
        self.check(self.run_job(simulator, source, self.path("out.jsonl")), 12, "out.jsonl")
        self.assertEqual(self.lines("out.jsonl"), ["precious"])
        self.check(self.run_job(simulator, source, self.path("out.jsonl"), "-y"), 0)
        self.check_output(requests)

    def test_the_same_job_with_another_input_is_a_conflict(self):
        simulator = self.simulator()
        self.check(self.run_job(simulator, self.source(5), self.path("out.jsonl")), 0)
        before = self.lines("out.jsonl")
        self.check(self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"), "--model", "x"), 12, "--model")
        self.source(6)
        self.check(self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl")), 12)
        self.assertEqual(self.lines("out.jsonl"), before)

    def test_touching_the_input_changes_nothing(self):
        simulator = self.simulator()
        self.check(self.run_job(simulator, self.source(5), self.path("out.jsonl")), 0)
        os.utime(self.path("in.jsonl"), (1, 1))
        self.check(self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl")), 0)

    def test_a_second_run_in_the_same_state_directory_names_the_first(self):
        simulator = self.simulator("--delay", "20s")
        first = self.start(*self.run_words(simulator, self.source(), self.path("out.jsonl")))
        self.wait_until("the first run has the lock",
                        lambda: os.path.exists(self.path("out.jsonl.sheaf", "lock")))
        time.sleep(0.3)
        self.check(self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl")), 12, str(first.pid))
        first.send_signal(signal.SIGTERM)
        self.assertEqual(first.wait(20), 143)

    def test_a_wrong_key_ends_within_ten_seconds(self):
        started = time.monotonic()
        self.check(self.run_job(self.simulator("--key", "right"), self.source(), self.path("out.jsonl")), 4)
        self.assertLess(time.monotonic() - started, 10)

    def test_after_a_wrong_key_the_right_one_goes_on(self):
        requests = self.requests(20)
        source = self.write("in.jsonl", requests)
        simulator = self.simulator("--key", "right")
        self.check(self.run_job(simulator, source, self.path("out.jsonl")), 4)
        code, _, err = self.run_job(simulator, source, self.path("out.jsonl"), env={"OPENAI_API_KEY": "right"})
        self.assertEqual(code, 0, err)
        self.check_output(requests)

    def test_no_key_at_all(self):
        self.check(self.run_job(self.simulator(), self.source(), self.path("out.jsonl"),
                                env={"OPENAI_API_KEY": None}), 4, "OPENAI_API_KEY")

    def test_the_key_is_nowhere_to_be_found(self):
        key = "sk-very-secret-4711"
        code, out, err = self.run_job(self.simulator(), self.source(), self.path("out.jsonl"), "-v",
                                      env={"OPENAI_API_KEY": key})
        self.assertEqual(code, 0, err)
        self.assertNotIn(key, out + err)
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                if stat.S_ISREG(os.stat(path).st_mode):
                    with open(path, "rb") as f:
                        self.assertNotIn(key.encode(), f.read(), path)

    def test_no_server_gives_up_and_the_same_command_goes_on(self):
        requests = self.requests(20)
        source = self.write("in.jsonl", requests)
        simulator = self.simulator()
        port = simulator.port
        simulator.stop()
        self.check(self.run_job(simulator, source, self.path("out.jsonl"), "--give-up", "1s"), 8)
        again = self.simulator(port=port)
        code, _, err = self.run_job(again, source, self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        self.check_output(requests)

    def test_an_unknown_provider_and_a_misspelt_flag(self):
        self.check(self.run_job(self.simulator(), self.source(), self.path("out.jsonl"), "--provider", "opnai"), 2,
                   "opnai")
        self.check(self.sheaf("run", self.source(), "-o", "out.jsonl", "--max-request", "3"), 2, "--max-requests")

    def test_no_redis_server_names_the_package(self):
        simulator = self.simulator()
        empty = self.path("empty-path")
        os.mkdir(empty)
        self.check(self.run_job(simulator, self.source(), self.path("out.jsonl"), env={"PATH": empty}), 9,
                   "redis-server")

    def test_interrupt_stops_cleanly_and_the_same_command_goes_on(self):
        requests = self.requests(200)
        source = self.write("in.jsonl", requests)
        simulator = self.simulator("--delay", "2s")
        first = self.start(*self.run_words(simulator, source, self.path("out.jsonl"), "--max-requests", "50"))
        self.wait_until("batches are alive",
                        lambda: json.loads(simulator.admin("state"))["batches_created"] >= 2)
        first.send_signal(signal.SIGINT)
        self.assertEqual(first.wait(20), 130)
        self.assertFalse(os.path.exists(self.path("out.jsonl")))
        code, _, err = self.run_job(simulator, source, self.path("out.jsonl"), "--max-requests", "50")
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_input_that_changes_while_the_job_runs_is_noticed(self):
        simulator = self.simulator("--delay", "1s")
        requests = self.requests(400)
        source = self.write("in.jsonl", requests)
        run = self.start(*self.run_words(simulator, source, self.path("out.jsonl"), "--max-requests", "40",
                                         "--max-batches", "1"))
        self.wait_until("a batch is alive",
                        lambda: json.loads(simulator.admin("state"))["batches_created"] >= 1)
        with open(source, "r+b") as f:
            f.seek(os.path.getsize(source) - 30)
            f.write(b"#")
        self.assertEqual(run.wait(60), 12)

    def test_redis_killed_in_the_middle_is_started_again(self):
        requests = self.requests(400)
        source = self.write("in.jsonl", requests)
        simulator = self.simulator("--delay", "300ms")
        run = self.start(*self.run_words(simulator, source, self.path("out.jsonl"), "--max-requests", "40",
                                         "--max-batches", "3"))
        for created in (1, 4, 7):
            self.wait_until("batch %d" % created,
                            lambda: json.loads(simulator.admin("state"))["batches_created"] >= created)
            with open(self.path("out.jsonl.sheaf", "redis", "redis.pid")) as f:
                os.kill(int(f.read()), signal.SIGKILL)
            time.sleep(0.5)
        self.assertEqual(run.wait(90), 0)
        self.check_output(requests)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_the_state_directory_on_another_filesystem(self):
        if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(self.folder).st_dev:
            self.skipTest("no other filesystem here")
        requests = self.requests(50)
        state = "/dev/shm/" + os.path.basename(self.folder)
        self.addCleanup(shutil.rmtree, state, True)
        self.check(self.run_job(self.simulator(), self.write("in.jsonl", requests), self.path("out.jsonl"),
                                "--state-dir", state), 0)
        self.check_output(requests)

    def test_a_disk_that_is_full_while_results_are_written(self):
        self.needs_failpoints()
        requests = self.requests(100)
        os.mkdir(self.path("marks"))
        self.check(self.run_job(self.simulator(), self.write("in.jsonl", requests), self.path("out.jsonl"),
                                env={"SHEAF_FP": "sink.write:err=ENOSPC", "SHEAF_FP_ONCE": self.path("marks")}), 0)
        self.assertEqual(os.listdir(self.path("marks")), ["sink.write"])
        self.check_output(requests)
        with open(self.path("out.jsonl.sheaf", "sheaf.log")) as f:
            self.assertIn("No space left", f.read())

    def test_a_disk_that_is_full_when_the_output_is_written(self):
        self.needs_failpoints()
        requests = self.requests(100)
        source = self.write("in.jsonl", requests)
        simulator = self.simulator()
        self.check(self.run_job(simulator, source, self.path("out.jsonl"),
                                env={"SHEAF_FP": "publish.write:err=ENOSPC"}), 9, "No space left")
        self.assertEqual([n for n in os.listdir(self.folder) if n.startswith("out") and n != "out.jsonl.sheaf"], [])
        self.check(self.run_job(simulator, source, self.path("out.jsonl")), 0)
        self.check_output(requests)

    def test_no_money_at_the_provider_is_said_and_ends_with_8(self):
        simulator = self.simulator("--fault", "insufficient-quota")
        self.check(self.run_job(simulator, self.source(), self.path("out.jsonl"), "--give-up", "1s"), 8,
                   "takes no more")
        simulator.arm("insufficient-quota=off")

    def test_an_input_that_goes_away_is_said_and_ends_with_11(self):
        requests = self.requests(400)
        source = self.write("in.jsonl", requests)
        simulator = self.simulator("--delay", "500ms")
        run = self.start(*self.run_words(simulator, source, self.path("out.jsonl"), "--max-requests", "40",
                                         "--max-batches", "1", "--give-up", "1s"))
        self.wait_until("a batch is alive", lambda: json.loads(simulator.admin("state"))["batches_created"] >= 1)
        os.rename(source, self.path("elsewhere"))
        self.assertEqual(run.wait(60), 11)
        self.check(self.run_job(simulator, self.path("elsewhere"), self.path("out.jsonl"), "--max-requests", "40",
                                "--job", "in.jsonl"), 11, "put it back")
        os.rename(self.path("elsewhere"), source)
        self.check(self.run_job(simulator, source, self.path("out.jsonl"), "--max-requests", "40"), 0)
        self.check_output(requests)

    def test_a_state_directory_that_was_moved_is_refused(self):
        simulator = self.simulator()
        os.mkdir(self.path("a"))
        source = self.source()
        self.check(self.run_job(simulator, source, self.path("a", "out.jsonl")), 0)
        os.rename(self.path("a"), self.path("b"))
        os.unlink(self.path("b", "out.jsonl"))
        created = json.loads(simulator.admin("state"))["batches_created"]
        self.check(self.run_job(simulator, source, self.path("b", "out.jsonl")), 12, "move them back")
        self.assertEqual(json.loads(simulator.admin("state"))["batches_created"], created)

    def test_a_producer_that_dies_while_it_registers_a_lost_job_again_pays_for_nothing(self):
        self.needs_failpoints()
        requests = self.requests(400)
        source = self.write("in.jsonl", requests)
        simulator = self.simulator()
        flags = ("--max-requests", "40")
        self.check(self.run_job(simulator, source, self.path("out.jsonl"), *flags), 0)
        created = json.loads(simulator.admin("state"))["batches_created"]
        shutil.rmtree(self.path("out.jsonl.sheaf", "redis"))
        (sink,) = os.listdir(self.path("out.jsonl.sheaf", "sink"))
        for folder in ("rep", "in", "out", "dead"):  # only the segments are left
            shutil.rmtree(self.path("out.jsonl.sheaf", "sink", sink, folder))
        os.unlink(self.path("out.jsonl"))
        os.mkdir(self.path("marks"))
        self.check(self.run_job(simulator, source, self.path("out.jsonl"), "-y", *flags,
                                env={"SHEAF_FP": "producer.put:kill@3", "SHEAF_FP_ONCE": self.path("marks")}), 0)
        self.assertEqual(os.listdir(self.path("marks")), ["producer.put"])
        self.check_output(requests)
        self.assertEqual(json.loads(simulator.admin("state"))["batches_created"], created)

    def test_broken_redis_data_is_named_with_the_way_out(self):
        requests = self.requests(50)
        source = self.write("in.jsonl", requests)
        simulator = self.simulator()
        self.check(self.run_job(simulator, source, self.path("out.jsonl")), 0)
        os.unlink(self.path("out.jsonl"))
        folder = self.path("out.jsonl.sheaf", "redis", "appendonlydir")
        for name in os.listdir(folder):
            if name.endswith(".aof"):
                with open(os.path.join(folder, name), "r+b") as f:
                    f.seek(60)
                    f.write(b"#" * 24)
        self.check(self.run_job(simulator, source, self.path("out.jsonl"), "-y"), 9, "append only file", "remove redis/")
        shutil.rmtree(self.path("out.jsonl.sheaf", "redis"))
        self.check(self.run_job(simulator, source, self.path("out.jsonl"), "-y"), 0)
        self.check_output(requests)

    def test_redis_data_lost_after_the_end_costs_nothing(self):
        requests = self.requests(100)
        source = self.write("in.jsonl", requests)
        simulator = self.simulator()
        self.check(self.run_job(simulator, source, self.path("out.jsonl")), 0)
        shutil.rmtree(self.path("out.jsonl.sheaf", "redis"))
        os.unlink(self.path("out.jsonl"))
        before = json.loads(simulator.admin("state"))["batches_created"]
        code, _, err = self.run_job(simulator, source, self.path("out.jsonl"), "-y")
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertEqual(json.loads(simulator.admin("state"))["batches_created"], before)


if __name__ == "__main__":
    main()
