"""Producers, coordinators and workers as a team runs them: started by hand, one Redis, one sink."""
import json
import os
import signal
import subprocess
import time

from sheaf_test import PrivateRedis, SheafTest, main, program, request_line


class ClusterTest(SheafTest):
    def setUp(self):
        super().setUp()
        self.redis = PrivateRedis(self.folder)
        self.sink = "dir:" + self.path("sink")

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
        return process

    def daemons(self, simulator):
        self.daemon("sheaf-coordinator", simulator, "--settle", "1s", "--linger", "50ms")
        self.daemon("sheaf-worker", simulator)
        self.daemon("sheaf-worker", simulator)

    def verb(self, *words, **options):
        return self.sheaf(*words, "--redis", self.redis.url, **options)

    def submit(self, simulator, source, job, *flags, **options):
        return self.verb("submit", source, "--job", job, "--sink", self.sink, "--base-url", simulator.url,
                         "--poll-interval", "100ms", *flags, **options)

    def requests(self, n):
        return [request_line("row-%d" % i, "question %d 问" % i) for i in range(n)]

    def finish(self, job, requests, failed=()):
        code, _, err = self.verb("wait", job, "--timeout", "60s")
        self.assertEqual(code, 3 if failed else 0, err)
        code, _, err = self.verb("results", job, "-o", self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        self.check_output(requests, failed=failed)
        code, _, err = self.verb("audit", job)
        self.assertEqual(code, 0, err)

    def test_a_job_by_reference(self):
        simulator = self.simulator()
        self.daemons(simulator)
        requests = self.requests(300)
        code, _, err = self.submit(simulator, self.write("in.jsonl", requests), "j", "--payload", "ref")
        self.assertEqual(code, 0, err)
        self.finish("j", requests)

    def test_a_job_whose_lines_travel_through_redis(self):
        simulator = self.simulator()
        self.daemons(simulator)
        requests = self.requests(300)
        requests[7] = "not json"
        source = self.write("in.jsonl", requests)
        code, _, err = self.submit(simulator, source, "j")
        self.assertEqual(code, 0, err)
        os.unlink(source)  # nobody needs it any more
        self.finish("j", requests, failed=(7,))

    def test_a_megabyte_of_blank_lines_cannot_travel_through_redis(self):
        source = self.write("in.jsonl", [" " * 1200000, *self.requests(3)])
        code, _, err = self.submit(self.simulator(), source, "j")
        self.assertEqual(code, 11, err)
        self.assertIn("line 1: ", err)

    def test_a_job_from_standard_input(self):
        simulator = self.simulator()
        self.daemons(simulator)
        requests = self.requests(100)
        code, _, err = self.submit(simulator, "-", "piped",
                                   stdin="".join(line + "\n" for line in requests).encode())
        self.assertEqual(code, 0, err)
        self.finish("piped", requests)

    def test_backpressure_holds_the_producer_and_loses_nothing(self):
        simulator = self.simulator()
        requests = self.requests(1000)
        source = self.write("in.jsonl", requests)
        producer = self.start("submit", source, "--job", "j", "--sink", self.sink, "--redis", self.redis.url,
                              "--base-url", simulator.url, "--poll-interval", "100ms", "--max-requests", "40",
                              "--max-inflight-shards", "5")
        time.sleep(1)
        self.assertIsNone(producer.poll(), "the producer did not wait")
        self.daemons(simulator)
        self.assertEqual(producer.wait(60), 0)
        self.finish("j", requests)

    def test_two_producers_on_one_job_help_each_other(self):
        simulator = self.simulator()
        requests = self.requests(2000)
        source = self.write("in.jsonl", requests)
        words = ("submit", source, "--job", "j", "--sink", self.sink, "--redis", self.redis.url, "--base-url",
                 simulator.url, "--poll-interval", "100ms", "--payload", "ref", "--max-requests", "40")
        both = [self.start(*words), self.start(*words)]
        self.assertEqual([p.wait(60) for p in both], [0, 0])
        self.daemons(simulator)
        self.finish("j", requests)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_two_jobs_at_once_are_both_served(self):
        simulator = self.simulator("--delay", "200ms")
        self.daemons(simulator)
        first, second = self.requests(300), self.requests(20)
        self.submit(simulator, self.write("a.jsonl", first), "a", "--max-requests", "20", "--max-batches", "2")
        self.submit(simulator, self.write("b.jsonl", second), "b")
        self.finish("b", second)
        os.rename(self.path("out.jsonl"), self.path("b.out.jsonl"))
        os.unlink(self.path("out.errors.jsonl"))
        os.unlink(self.path("out.report.json"))
        self.finish("a", first)

    def test_a_frozen_worker_wakes_up_and_harms_nothing(self):
        simulator = self.simulator("--fault", "slow-download=20000")
        self.daemon("sheaf-coordinator", simulator, "--linger", "50ms")
        frozen = self.daemon("sheaf-worker", simulator)
        requests = self.requests(200)
        self.submit(simulator, self.write("in.jsonl", requests), "j")
        self.wait_until("the worker downloads", lambda: '"FETCH"' in self.verb("status", "j", "--json")[1])
        frozen.send_signal(signal.SIGSTOP)
        self.daemon("sheaf-worker", simulator)
        code, _, err = self.verb("wait", "j", "--timeout", "60s")
        self.assertEqual(code, 0, err)
        frozen.send_signal(signal.SIGCONT)
        time.sleep(1)
        self.finish("j", requests)

    def test_reading_verbs(self):
        simulator = self.simulator("--delay", "1s")
        code, out, err = self.verb("list")
        self.assertEqual(code, 0, err)
        self.assertEqual(self.verb("status", "nobody")[0], 5)
        self.assertEqual(self.verb("wait", "nobody", "--timeout", "1s")[0], 5)
        self.daemons(simulator)
        requests = self.requests(20)
        self.submit(simulator, self.write("in.jsonl", requests), "j", "--note", "a note")
        self.assertEqual(self.verb("wait", "j", "--timeout", "100ms")[0], 7)
        self.assertIn("j", self.verb("list")[1])
        self.assertEqual(self.verb("status", "j")[0], 0)
        json.loads(self.verb("status", "j", "--json")[1])
        self.assertEqual(self.verb("results", "j", "-o", self.path("early.jsonl"))[0], 7)
        self.finish("j", requests)
        self.assertIn("20", self.verb("report", "j")[1])
        json.loads(self.verb("report", "j", "--json")[1])

    def test_standard_input_with_other_lines_is_another_job(self):
        simulator = self.simulator()
        self.daemons(simulator)
        requests = self.requests(60)
        text = ["".join(line + "\n" for line in requests[:n]).encode() for n in (30, 60)]
        self.assertEqual(self.submit(simulator, "-", "piped", stdin=text[0])[0], 0)
        self.assertEqual(self.submit(simulator, "-", "piped", stdin=text[0])[0], 0)
        code, _, err = self.submit(simulator, "-", "piped", stdin=text[1])
        self.assertEqual(code, 12, err)
        code, _, err = self.submit(simulator, "-", "piped", stdin=text[0].replace(b"question 3", b"question x"))
        self.assertEqual(code, 12, err)
        self.finish("piped", requests[:30])

    def test_dead_letters_still_count_as_failed_after_redis_was_lost(self):
        simulator = self.simulator()
        self.daemons(simulator)
        requests = self.requests(40)
        requests[5] = request_line("bad", "q", sim_status=400)
        source = self.write("in.jsonl", requests)
        self.submit(simulator, source, "j", "--payload", "ref")
        self.assertEqual(self.verb("wait", "j", "--timeout", "60s")[0], 3)
        self.redis.command("FLUSHALL")
        self.submit(simulator, source, "j", "--payload", "ref")
        self.finish("j", requests, failed=(5,))
        self.assertEqual(json.loads(self.verb("status", "j", "--json")[1])["rows"]["failed"], 1)

    def test_redis_that_loses_everything_in_the_middle(self):
        simulator = self.simulator("--delay", "300ms")
        self.daemons(simulator)
        requests = self.requests(400)
        source = self.write("in.jsonl", requests)
        flags = ("--payload", "ref", "--max-requests", "40", "--max-batches", "3")
        self.submit(simulator, source, "j", *flags)
        self.wait_until("some work is done",
                        lambda: json.loads(simulator.admin("state"))["batches_created"] >= 5)
        self.redis.command("FLUSHALL")
        code, _, err = self.submit(simulator, source, "j", *flags)
        self.assertEqual(code, 0, err)
        self.finish("j", requests)


if __name__ == "__main__":
    main()
