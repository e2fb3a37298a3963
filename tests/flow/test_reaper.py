"""Nothing of ours stays at the provider, and nothing of anybody else's is touched."""
import json
import os
import signal
import subprocess
import time
import urllib.request

from sheaf_test import PrivateRedis, SheafTest, main, program, request_line


class ReaperTest(SheafTest):
    def setUp(self):
        super().setUp()
        self.servers = []

    def tearDown(self):
        for server in self.servers:
            server.stop()
        super().tearDown()

    # What lies at the provider.

    def api(self, simulator, method, path, body=None, content_type="application/json"):
        request = urllib.request.Request(simulator.url + path, data=body, method=method, headers={
            "Authorization": "Bearer test-key", "Content-Type": content_type})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def upload(self, simulator, name):
        body = "".join(
            "--xyz\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n%s\r\n" % part for part in (
                ("purpose", "", "batch"), ("file", "; filename=\"%s\"" % name, request_line("one", "by hand"))))
        answer = self.api(simulator, "POST", "/files", (body + "--xyz--\r\n").encode(),
                          "multipart/form-data; boundary=xyz")
        return answer["id"]

    def create(self, simulator, file_id, bid=None):
        batch = {"input_file_id": file_id, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
        if bid is not None:
            batch["metadata"] = {"sheaf_bid": bid, "sheaf_job": "j", "sheaf_cluster": "0"}
        return self.api(simulator, "POST", "/batches", json.dumps(batch).encode())["id"]

    def files(self, simulator):
        return {f["id"]: f["filename"] for f in self.api(simulator, "GET", "/files?limit=1000")["data"]}

    def batches(self, simulator):
        return {b["id"]: b["status"] for b in self.api(simulator, "GET", "/batches?limit=100")["data"]}

    def left(self, simulator):
        return json.loads(simulator.admin("state"))["files"]

    # A team's set-up.

    def redis(self, name="a"):
        folder = self.path(name)
        os.mkdir(folder)
        self.servers.append(PrivateRedis(folder))
        return self.servers[-1]

    def daemon(self, redis, name, simulator, *flags, **env):
        with open(self.path("daemons.log"), "ab") as log:
            process = subprocess.Popen(
                [program(name), "--redis", redis.url, "--base-url", simulator.url, "--lease", "1s", "--settle", "1s",
                 "--linger", "50ms", "--reap-after", "1s", *flags], env=self.environment(**env), cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def submit(self, redis, simulator, source, job, *flags):
        code, _, err = self.sheaf("submit", source, "--job", job, "--sink", "dir:" + self.path("sink"), "--redis",
                                  redis.url, "--base-url", simulator.url, "--poll-interval", "100ms", "--payload",
                                  "ref", *flags)
        self.assertEqual(code, 0, err)

    def finish(self, redis, job, requests):
        code, _, err = self.sheaf("wait", job, "--timeout", "60s", "--redis", redis.url)
        self.assertEqual(code, 0, err)
        code, _, err = self.sheaf("results", job, "-o", self.path("out.jsonl"), "--redis", redis.url)
        self.assertEqual(code, 0, err)
        self.check_output(requests)

    def requests(self, n, word="question"):
        return [request_line("row-%d" % i, "%s %d" % (word, i)) for i in range(n)]

    def run_leaves_nothing(self, *faults, n=200, **options):
        requests = self.requests(n)
        simulator = self.simulator(*(word for fault in faults for word in ("--fault", fault)))
        code, _, err = self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"),
                                    "--max-requests", "50", **options)
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertEqual(self.left(simulator), 0)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    # A job that runs alone.

    def test_an_upload_whose_reply_is_lost_leaves_nothing(self):
        self.run_leaves_nothing("lost-upload=1")

    def test_every_second_reply_to_an_upload_is_lost(self):
        self.run_leaves_nothing("lost-upload=2@every")

    def test_the_last_look_tries_again(self):
        self.run_leaves_nothing("lost-upload=2@every", "html-502=0.1")

    def test_a_coordinator_that_dies_between_upload_and_intent_leaves_nothing(self):
        self.needs_failpoints()
        marks = self.path("marks")
        os.mkdir(marks)
        self.run_leaves_nothing(env={"SHEAF_FP": "coordinator.uploaded:kill", "SHEAF_FP_ONCE": marks})

    # A cluster.

    def lose_everything(self, simulator, redis, **env):
        """A job whose first batches live on at the provider when Redis forgets them; its requests."""
        requests = self.requests(200)
        source = self.write("in.jsonl", requests)
        flags = ("--max-requests", "40", "--max-batches", "3")
        self.coordinator = self.daemon(redis, "sheaf-coordinator", simulator, **env)
        self.daemon(redis, "sheaf-worker", simulator)
        self.submit(redis, simulator, source, "j", *flags)
        self.wait_until("batches live", lambda: len(self.batches(simulator)) == 3)
        self.lost = set(self.batches(simulator))
        redis.command("FLUSHALL")
        self.submit(redis, simulator, source, "j", *flags)
        return requests

    def lost_are_cancelled(self, simulator):
        batches = self.batches(simulator)
        return all(batches[batch] == "cancelled" for batch in self.lost)

    def test_batches_that_redis_forgot_are_cancelled_and_their_files_deleted(self):
        simulator = self.simulator("--delay", "8s")
        redis = self.redis()
        requests = self.lose_everything(simulator, redis)
        self.wait_until("they are cancelled", lambda: self.lost_are_cancelled(simulator), timeout=8)
        self.finish(redis, "j", requests)
        self.wait_until("nothing is left", lambda: self.left(simulator) == 0)
        with open(self.path("daemons.log")) as log:
            told = [line for line in log if "ev=orphan_batch" in line]
        self.assertEqual(len(told), 3)  # each once

    def die_in_a_round(self, place):
        self.needs_failpoints()
        simulator = self.simulator("--delay", "10s")
        redis = self.redis()
        requests = self.lose_everything(simulator, redis, SHEAF_FP=place)
        self.wait_until("the coordinator dies", lambda: self.coordinator.poll() is not None)
        self.assertEqual(self.coordinator.returncode, -signal.SIGKILL)
        self.daemon(redis, "sheaf-coordinator", simulator)
        self.finish(redis, "j", requests)
        self.wait_until("nothing is left", lambda: self.left(simulator) == 0)

    def test_a_coordinator_killed_when_a_round_begins_harms_nothing(self):
        self.die_in_a_round("coordinator.reap:kill@2")

    def test_a_coordinator_killed_when_it_has_deleted_something_harms_nothing(self):
        self.die_in_a_round("coordinator.reaped:kill@1")
        self.assertTrue(self.lost_are_cancelled(self.simulators[0]))

    def test_what_others_have_there_is_left_alone(self):
        simulator = self.simulator("--delay", "2s")
        names = ("mine.jsonl", "sheaf-notes.jsonl", "sheaf-abcdefghij12-0123456789abcdef.jsonl")
        files = {self.upload(simulator, name): name for name in names}
        batches = [self.create(simulator, next(iter(files))),
                   self.create(simulator, list(files)[2], bid="0123456789abcdef")]
        redis, requests = self.redis(), self.requests(100)
        self.daemon(redis, "sheaf-coordinator", simulator)
        self.daemon(redis, "sheaf-worker", simulator)
        self.submit(redis, simulator, self.write("in.jsonl", requests), "j")
        self.finish(redis, "j", requests)
        time.sleep(3)  # some rounds
        there = self.files(simulator)
        self.assertEqual({k: v for k, v in there.items() if v.endswith(".jsonl") and k in files}, files)
        for batch in batches:
            self.assertEqual(self.batches(simulator)[batch], "completed")
            self.assertIn(self.api(simulator, "GET", "/batches/" + batch)["output_file_id"], there)

    def test_two_clusters_on_one_account_do_not_harm_each_other(self):
        simulator = self.simulator("--delay", "4s")
        sources = {}
        for name in ("a", "b"):
            redis = self.redis(name)
            requests = self.requests(60, word=name)
            self.daemon(redis, "sheaf-coordinator", simulator)
            self.daemon(redis, "sheaf-worker", simulator)
            self.submit(redis, simulator, self.write(name + ".jsonl", requests), name, "--max-requests", "20")
            sources[name] = redis, requests
        for name, (redis, requests) in sources.items():
            self.finish(redis, name, requests)
            for file in ("out.jsonl", "out.errors.jsonl", "out.report.json"):
                os.unlink(self.path(file))
        self.assertEqual(set(self.batches(simulator).values()), {"completed"})
        self.assertEqual(len(self.batches(simulator)), 6)


if __name__ == "__main__":
    main()
