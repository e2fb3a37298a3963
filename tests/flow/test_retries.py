"""Each failure at each step, as docs/retries.md has it: what the provider does, and what must come of it.

A row is one job against a simulator that fails in one way. Whatever happens: every request has its row, in order,
with its own answer, and nothing is paid for twice unless the provider itself lost what was paid for.
"""
import json
import os
import subprocess
import time
import urllib.request

from sheaf_test import PrivateRedis, SheafTest, main_in_slices, program, request_line

N = 100
PER_FILE = 48  # of --max-requests 50: four windows of 12 requests

# name, faults and flags of the simulator, and what is expected:
#   flags       of sheaf run            config   limits of the profile, as in sheaf.yaml
#   again       requests sent again for nothing: 0, or "some"
#   uploads     POST /files             batches  created
#   failed      how many rows end in the errors file, and `code` of each
#   logged      words of the log
#   twice       rows that may be paid for twice: the provider lost what it had taken money for
ROWS = [
    # ---- upload
    ("an upload whose answer is lost is found in the list",
     ["lost-upload=1"], dict(uploads=3, batches=3)),
    ("an upload that worked and answered 500 is found too",
     ["status=500:route=uploads:at=after:when=2"], dict(uploads=3, batches=3)),
    ("an upload that did not work is repeated",
     ["status=500:route=uploads:when=1-2"], dict(uploads=5, batches=3)),
    ("an upload that shall not be repeated at once is repeated later",
     ["status=429:route=uploads:should-retry=false:retry-after=1:when=1"], dict(uploads=4, batches=3)),
    ("the wait that the provider asks for is obeyed",
     ["status=429:route=uploads:retry-after-ms=700:when=1"], dict(uploads=4, batches=3)),
    ("the simulator's own idea of a large file",
     ["--max-bytes", "3kB"], dict(uploads="more", again="some")),
    ("a file whose single shard is too large is asked for in parts",
     ["--max-bytes", "1kB"], dict(uploads="more", again="some")),
    ("too many requests, told by validation",
     ["--max-requests", "20"], dict(uploads="more", again="some")),
    ("a single shard of too many requests, told by validation",
     ["--max-requests", "5"], dict(uploads="more", again="some")),
    ("one request that is too large is a dead letter",
     ["--max-bytes", "1kB"], dict(n=20, long=[7], failed=1, uploads="more", again="some")),
    ("a line that the upload names",
     ["status=400:route=uploads:code=1214:when=1:message=Bad custom_id in line 3"],
     dict(failed=1, code="1214", words="Bad custom_id", again="some")),
    ("a model that the upload refuses",
     ["status=400:route=uploads:code=model_not_found:when=1:message=No such model"],
     dict(n=20, failed=20, code="model_not_found", words="No such model", batches=0)),
    ("too many files are stored",
     ["--max-files", "4"], dict()),
    ("a file that is checked for a while",
     ["file-pending=700ms"], dict(uploads=3, batches=3)),

    # ---- create
    ("a create that is lost is looked for",
     ["lost-create=1"], dict(uploads=3, batches=3)),
    ("a create that comes late, after its answer said no",
     ["late-create=300ms:when=1"], dict(uploads=3, batches=3)),
    ("a create that is told to come later",
     ["status=429:route=creates:retry-after-ms=300:when=1-2"], dict(uploads=3, batches=3)),
    ("no money for a while costs no try",
     ["insufficient-quota=1-4"], dict(uploads=3, batches=3, flags=["--max-attempts", "1"])),
    ("a queue that is full at create",
     ["--max-live", "1", "--delay", "300ms"], dict(batches=3, flags=["--max-attempts", "1"])),
    ("a queue of tokens that refuses at create",
     ["--enqueued-tokens", "900", "--fail-fast", "--delay", "200ms"], dict(flags=["--max-attempts", "1"])),
    ("a queue of tokens that refuses at validation",
     ["--enqueued-tokens", "900", "--delay", "200ms"], dict(flags=["--max-attempts", "1"], again="some")),
    ("a queue of requests that refuses at validation",
     ["--enqueued-requests", "50", "--delay", "200ms"], dict(flags=["--max-attempts", "1"], again="some")),

    ("a queue that is full after a long check of the file",
     ["file-pending=1500ms", "--max-live", "1", "--delay", "300ms"],
     dict(n=60, batches=2, flags=["--max-attempts", "1"], logged='lesson="less in the queue"')),

    # ---- poll
    ("polls that fail say nothing",
     ["status=500:route=polls:when=2@every"], dict(batches=3)),
    ("a status that goes backwards is not believed",
     ["stale=2@every", "--delay", "500ms"], dict(batches=3, logged="ev=stale_status")),
    ("a word that nobody knows is not an end",
     ["set=status:route=polls:when=1-4:to=\"pondering\""], dict(batches=3)),
    ("an old batch that is not found is searched, and is in the list",
     ["status=404:route=polls:when=1-4", "--delay", "200ms"],
     dict(n=20, batches=1, config="visibility_lag: 0s")),
    ("one 404 after a short outage loses no batch",
     ["status=503:retry-after-ms=50:route=polls:when=2-6", "status=404:route=polls:when=7", "--delay", "1s"],
     dict(n=20, batches=1, config="visibility_lag: 0s")),
    ("a batch that is not visible for longer than is usual",
     ["status=404:retry-after-ms=100:route=polls:when=1-9", "--delay", "500ms"],
     dict(n=20, batches=1, config="visibility_lag: 400ms")),
    ("searches that fail for a while prove nothing",
     ["status=404:route=polls:when=1-6", "status=503:retry-after-ms=50:route=lists:when=1-2", "--delay", "200ms"],
     dict(n=20, batches=1, config="visibility_lag: 0s", logged='step=search class=ambiguous status=503 code="server_error" tries=1')),
    ("an old batch that is nowhere is lost",
     ["status=404:route=polls:when=1-4", "list-lag=1h"],
     dict(n=20, batches=2, config="visibility_lag: 0s", twice=20, again="some", left_behind=True)),

    # ---- the batch fails
    ("a failure without a reason, twice",
     ["batch-failed=1-2"], dict(n=20, uploads=1, batches=3, flags=["--max-attempts", "1"])),
    ("a failure that names a line",
     ["batch-failed=1:code=invalid_request:line=2:message=Missing messages"],
     dict(failed=1, code="invalid_request", again="some", flags=["--max-attempts", "1"])),
    ("a file that is not visible yet",
     ["file-lag=300ms"], dict(n=20, uploads=1, batches=2)),
    ("a file that is gone",
     ["batch-failed=1:code=invalid_request:message=Cannot find file x"],
     dict(n=20, uploads=2, batches=2, config="visibility_lag: 0s")),
    ("a model that validation refuses, among others",
     [], dict(models=["gpt-4o-mini", "no-such-model"], failed=50, code="model_not_found")),

    # ---- it ends otherwise
    ("expired with some of the work done",
     ["batch-expired=1:done=0.5"], dict(again="some", flags=["--max-attempts", "1"])),
    ("cancelled by nobody",
     ["batch-cancelled=1:done=0.5"], dict(again="some", flags=["--max-attempts", "1"])),
    ("completed, and the names of the files come late",
     ["empty-ids=3"], dict(batches=3)),
    ("completed without files at all",
     ["no-files=1"], dict(again="some")),

    # ---- stuck
    ("stuck in validating: told, then cancelled, and sent again free",
     ["stuck=validating:when=1", "--window", "1s"],
     dict(again="some", flags=["--max-attempts", "1"],
          config="stuck_validating: 200ms, window: 500ms, stuck_running: 100ms, stuck_cancel: 300ms")),
    ("stuck in progress", ["stuck=in_progress:when=1"],
     dict(again="some", flags=["--max-attempts", "1"],
          config="window: 500ms, stuck_running: 100ms, stuck_cancel: 300ms")),
    ("stuck in finalizing", ["stuck=finalizing:when=1"],
     dict(again="some", flags=["--max-attempts", "1"], twice=PER_FILE,
          config="stuck_finalizing: 100ms, window: 500ms, stuck_running: 100ms, stuck_cancel: 300ms")),
    ("cancelled in vain", ["stuck=in_progress:when=1", "stuck=cancelling:when=1"],
     dict(again="some", flags=["--max-attempts", "1"], left_behind=True,
          config="window: 500ms, stuck_running: 100ms, stuck_cancel: 300ms, stuck_cancelling: 500ms")),

    ("stuck in a status that only one poll has told",
     ["set=status:route=polls:when=1:to=\"finalizing\"", "stuck=in_progress:when=1"],
     dict(n=20, again="some", flags=["--max-attempts", "1"],
          config="window: 500ms, stuck_running: 100ms, stuck_cancel: 300ms")),
    ("a cancel that fails at first",
     ["stuck=in_progress:when=1", "status=503:retry-after-ms=400:route=cancels:when=1-3"],
     dict(n=20, again="some", flags=["--max-attempts", "1"], logged="step=cancel class=ambiguous",
          config="window: 500ms, stuck_running: 100ms, stuck_cancel: 300ms, stuck_cancelling: 500ms")),

    # ---- download
    ("results that are not there yet",
     ["content-lag=400ms"], dict(batches=3)),
    ("files without a byte",
     ["empty-files=1"], dict(again="some")),
    ("results that are gone",
     ["output-gone=1"], dict(again="some", twice=PER_FILE)),
    ("a file that is not found once, after a transfer that broke off",
     ["slow-download=4kB", "cut=length:byte=8000:when=1", "status=404:route=downloads:when=2"],
     dict(n=20, batches=1)),
    ("a file that is not found for long is given up, and deleted all the same",
     ["status=404:route=downloads:when=1-24"], dict(n=20, batches=2, twice=20, again="some")),
    ("a file that grows while it is read",
     ["rows-big=1.0", "set=bytes:route=file-gets:when=1:to=6000000"], dict(n=3, again="some", twice=1)),
    ("an output that grows beside an error file",
     ["rows-failed=0.3:always", "set=bytes:route=file-gets:when=1:to=4000"],
     dict(n=40, failed="some", again="some", twice=1)),
    ("a wait that another worker ends goes on growing",
     ["status=429:route=downloads:retry-after-ms=15100:when=1", "status=503:route=downloads:when=2"],
     dict(n=20, batches=1, logged='status=503 code="server_error" tries=1')),
    ("downloads that break off",
     ["truncate=0.5"], dict(batches=3)),
    ("downloads that end as if they were whole",
     ["cut=close:when=1"], dict(batches=3)),
    ("a length that is wrong",
     ["wrong-length=7:when=1"], dict()),

    # ---- rows
    ("rows that are not there", ["rows-missing=0.1"], dict(again="some", flags=["--max-attempts", "10"])),
    ("rows that break off", ["rows-torn=0.1"], dict(again="some", flags=["--max-attempts", "10"])),
    ("rows that were too many at once", ["rows-429=0.1"], dict(again="some", flags=["--max-attempts", "10"])),
    ("rows without a status", ["rows-0=0.1"], dict(again="some", flags=["--max-attempts", "10"])),
    ("rows that took too long are free", ["rows-timeout=0.2"], dict(again="some", flags=["--max-attempts", "1"])),
    ("rows that were cancelled are free", ["rows-cancelled=0.2"], dict(again="some", flags=["--max-attempts", "1"])),
    ("rows that expired are free", ["rows-expired=0.2"], dict(again="some", flags=["--max-attempts", "1"])),
    ("rows whose words are refused", ["rows-policy=0.1:always"], dict(failed="some", code="content_filter")),
    ("rows that are wrong", ["rows-failed=0.1:always"], dict(failed="some")),
]


class RetryTest(SheafTest):
    def requests(self, want):
        models = want.get("models", ["gpt-4o-mini"])
        return [request_line("row-%d" % i, "question %d" % i + (" long" * 300 if i in want.get("long", ()) else ""),
                             model=models[i % len(models)]) for i in range(want.get("n", N))]

    def config(self, want):
        if "config" not in want:
            return []
        with open(self.path("sheaf.yaml"), "w") as f:
            f.write("providers:\n  openai:\n    limits: {%s}\n" % want["config"])
        return ["--config", self.path("sheaf.yaml")]

    def errors(self):
        return [json.loads(line) for line in self.lines("out.errors.jsonl")]

    def check_rows(self, requests, want):
        failed = {line["custom_id"] for line in self.errors()}
        expected = want.get("failed", 0)
        if expected == "some":
            self.assertTrue(0 < len(failed) < len(requests))
        else:
            self.assertEqual(len(failed), expected)
        self.check_output(requests, failed=[i for i in range(len(requests)) if "row-%d" % i in failed])
        for line in self.errors() if "code" in want else ():
            self.assertEqual(self.code(line), want["code"], line)
            self.assertIn(want.get("words", ""), json.dumps(line))

    @staticmethod
    def code(line):
        if line["error"]:
            return line["error"]["code"]
        return line["response"]["body"]["error"]["code"]

    def check_bill(self, simulator, want):
        ledger = simulator.ledger()
        state = json.loads(simulator.admin("state"))
        self.assertLessEqual(ledger["billed_twice"], want.get("twice", 0))
        self.assertEqual(ledger["body_changed"], 0)
        if "batches" in want:
            self.assertEqual(ledger["batches_created"], want["batches"])
        uploads = state["requests"]["POST /files"]
        if want.get("uploads") == "more":
            self.assertGreater(uploads, 3)
        elif "uploads" in want:
            self.assertEqual(uploads, want["uploads"])
        if not want.get("left_behind"):
            self.assertEqual(state["files"], 0)

    def check(self, provider, want):
        faults = [w for f in provider if "=" in f for w in ("--fault", f)]
        options = [w for w in provider if "=" not in w]
        requests = self.requests(want)
        simulator = self.simulator(*options, *faults)
        code, _, err = self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"),
                                    "--max-requests", "50", *want.get("flags", ()), *self.config(want))
        self.assertEqual(code, 3 if want.get("failed") else 0, err)
        self.check_rows(requests, want)
        self.check_bill(simulator, want)
        with open(self.path("out.jsonl.sheaf", "sheaf.log")) as f:
            self.assertIn(want.get("logged", ""), f.read())


def add_row(name, provider, want):
    def test(self):
        self.check(provider, want)
    test.__name__ = "test_" + "".join(c if c.isalnum() else "_" for c in name)
    setattr(RetryTest, test.__name__, test)


for row in ROWS:
    add_row(*row)


class LostFileTest(SheafTest):
    """One of the two result files is gone: what is in the other is taken."""

    def call(self, simulator, method, path):
        request = urllib.request.Request(simulator.url + path, method=method,
                                         headers={"Authorization": "Bearer test-key"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def ended(self, simulator):
        found = self.call(simulator, "GET", "/batches")["data"]
        return found and found[0]["status"] == "completed"

    def run_without(self, member, route, asked):
        """The file of the first batch that @member names is deleted while @route answers 503."""
        simulator = self.simulator("--fault", "rows-failed=0.3:always", "--fault", "status=503:route=" + route)
        requests = [request_line("row-%d" % i, "q %d" % i) for i in range(40)]
        run = self.start(*self.run_words(simulator, self.write("in.jsonl", requests), self.path("out.jsonl")))
        self.wait_until("the batch has ended", lambda: self.ended(simulator))
        self.wait_until("it is asked for", lambda: json.loads(simulator.admin("state"))["requests"][asked] > 0)
        time.sleep(1)
        failed = simulator.ledger()["rows_failed"]
        self.call(simulator, "DELETE", "/files/" + self.call(simulator, "GET", "/batches")["data"][0][member])
        simulator.arm("status=off")
        self.assertEqual(run.wait(timeout=60), 3)
        errors = [json.loads(line)["custom_id"] for line in self.lines("out.errors.jsonl")]
        self.assertEqual(len(errors), failed)
        self.check_output(requests, failed=[int(name[4:]) for name in errors])
        self.assertEqual(json.loads(simulator.admin("state"))["files"], 0)
        return simulator.ledger(), failed

    def test_without_an_error_file_no_result_is_paid_for_again(self):
        ledger, failed = self.run_without("error_file_id", "polls", "GET /batches/{id}")
        self.assertEqual(ledger["billed_twice"], 0)
        self.assertEqual(ledger["rows_failed"], 2 * failed)

    def test_without_an_output_no_failure_is_asked_for_again(self):
        ledger, failed = self.run_without("output_file_id", "polls", "GET /batches/{id}")
        self.assertEqual(ledger["billed_twice"], 40 - failed)
        self.assertEqual(ledger["rows_failed"], failed)

    def test_an_error_file_that_goes_before_its_download(self):
        ledger, failed = self.run_without("error_file_id", "downloads", "GET /files/{id}/content")
        self.assertEqual(ledger["billed_twice"], 0)
        self.assertEqual(ledger["rows_failed"], 2 * failed)

    def test_an_output_that_goes_before_its_download(self):
        ledger, failed = self.run_without("output_file_id", "downloads", "GET /files/{id}/content")
        self.assertEqual(ledger["billed_twice"], 40 - failed)
        self.assertEqual(ledger["rows_failed"], failed)


class NoMoneyTest(SheafTest):
    def test_rows_that_nobody_pays_for_wait_and_are_told(self):
        requests = [request_line("row-%d" % i, "q %d" % i, sim_status=402) for i in range(40)]
        simulator = self.simulator()
        code, _, err = self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"),
                                    "--max-requests", "10", "--max-attempts", "1", "--give-up", "1s")
        self.assertEqual(code, 8, err)
        self.assertIn("the money is used up", err)
        self.assertFalse(os.path.exists(self.path("out.errors.jsonl")))


class StoppedLaneTest(SheafTest):
    """What does not pass by itself stops its lane, says why, and goes on when a person says so."""

    def stopped(self, fault, words, requests=None):
        requests = requests or [request_line("row-%d" % i, "q %d" % i) for i in range(20)]
        simulator = self.simulator("--fault", fault)
        self.write("in.jsonl", requests)
        code, _, err = self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"),
                                    "--give-up", "1s")
        self.assertEqual(code, 8, err)
        self.assertIn(words, err)
        self.assertFalse(os.path.exists(self.path("out.jsonl")))
        asked = json.loads(simulator.admin("state"))["requests"]
        self.assertLessEqual(asked["POST /files"] + asked["POST /batches"], 4)  # a batch that fails is tried thrice
        simulator.arm("clear")
        code, _, err = self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)
        return simulator

    def test_an_upload_that_is_refused(self):
        self.stopped("status=400:route=uploads:message=No such purpose", "No such purpose")

    def test_a_file_with_a_bad_line_that_nobody_names(self):
        self.stopped("status=400:route=uploads:code=1214:message=Some line is wrong", "Some line is wrong")

    def test_a_file_that_cannot_be_used(self):
        self.stopped("file-error", "file")

    def test_a_create_that_is_refused(self):
        self.stopped("status=400:route=creates:message=No such endpoint", "No such endpoint")

    def test_a_batch_that_fails_again_and_again_without_a_reason(self):
        self.stopped("batch-failed", "without a reason")

    def test_lines_that_the_file_does_not_have(self):
        self.stopped("batch-failed:code=invalid_request:line=7777:message=Bad", "does not have")

    def test_the_other_lanes_go_on(self):
        models = ["gpt-4o-mini", "gpt-4o"]
        requests = [request_line("row-%d" % i, "q %d" % i, model=models[i % 2]) for i in range(40)]
        simulator = self.simulator("--fault", "status=400:route=creates:when=1:message=Not this one")
        self.write("in.jsonl", requests)
        code, _, err = self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"),
                                    "--give-up", "2s")
        self.assertEqual(code, 8, err)
        self.assertIn("Not this one", err)
        self.assertEqual(simulator.ledger()["rows_billed"], 20)
        code, _, err = self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)


class QueueTest(SheafTest):
    """A queue that has no room for a shard, or for one request, though nothing else is in it."""

    def requests(self, n, long=()):
        return [request_line("row-%d" % i, "q %d" % i + (" long" * 1800 if i in long else "")) for i in range(n)]

    def ask(self, simulator, requests, *flags):
        self.write("in.jsonl", requests)
        return self.run_job(simulator, self.path("in.jsonl"), self.path("out.jsonl"), "--max-requests", "60", *flags)

    def one_is_larger(self, *options):
        requests = self.requests(200, long=[100])
        simulator = self.simulator("--enqueued-tokens", "1500", "--delay", "100ms", *options)
        code, _, err = self.ask(simulator, requests, "--give-up", "30s")
        self.assertEqual(code, 3, err)
        self.check_output(requests, failed=[100])
        self.assertIn("token", self.lines("out.errors.jsonl")[0])
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_one_request_that_never_fits_is_a_dead_letter(self):
        self.one_is_larger()

    def test_the_same_where_the_create_is_refused(self):
        self.one_is_larger("--fail-fast")

    def test_a_queue_for_less_than_any_request_is_told(self):
        simulator = self.simulator("--enqueued-tokens", "5", "--delay", "100ms")
        began = time.monotonic()
        code, _, err = self.ask(simulator, self.requests(200), "--give-up", "2s")
        self.assertEqual(code, 8, err)
        self.assertIn("token", err)
        self.assertLess(time.monotonic() - began, 20)

    def test_what_is_smaller_than_a_shard_is_remembered(self):
        requests = self.requests(600)
        simulator = self.simulator("--max-requests", "7")
        code, _, err = self.ask(simulator, requests)
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertLess(simulator.ledger()["batches_created"], 160)


class GiveUpTest(SheafTest):
    """What waits for the provider says so, and run ends when nothing moves for --give-up."""

    @staticmethod
    def requests(n):
        return [request_line("row-%d" % i, "q %d" % i) for i in range(n)]

    def azure(self, *options):
        simulator = self.simulator("--profile", "azure", *options)
        simulator.url = simulator.url.replace("/v1", "/openai/v1")
        return simulator

    def run_azure(self, simulator, requests, *flags):
        return self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"), "--provider", "azure",
                            "--max-requests", "60", *flags, env={"AZURE_OPENAI_API_KEY": "test-key"})

    def test_a_batch_that_failed_keeps_its_reason_though_it_names_files(self):
        for words, fault in (("quota", ["--enqueued-tokens", "1500", "--delay", "300ms"]),
                             ("a line", ["--fault", "batch-failed=2:code=invalid_json_line:line=3"])):
            with self.subTest(words):
                requests = self.requests(300)
                simulator = self.azure(*fault)
                code, _, err = self.run_azure(simulator, requests, "--max-attempts", "1", "--job", "job-" + words[-4:])
                failed = [] if code == 0 else [json.loads(l)["custom_id"] for l in self.lines("out.errors.jsonl")]
                self.assertEqual(len(failed), 1 if words == "a line" else 0, err)
                if failed:
                    self.assertIn("invalid_json_line", self.lines("out.errors.jsonl")[0])
                self.assertEqual(simulator.ledger()["billed_twice"], 0)
                for name in os.listdir(self.folder):
                    if name.startswith("out."):
                        subprocess.run(["rm", "-rf", self.path(name)], check=True)

    def given_up(self, words, *options, give_up="3s", flags=()):
        requests = [request_line("row-%d" % i, "q %d" % i) for i in range(100)]
        simulator = self.simulator(*options)
        began = time.monotonic()
        code, _, err = self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"),
                                    "--max-requests", "50", "--give-up", give_up, *flags, timeout=60)
        self.assertEqual(code, 8, err)
        self.assertIn(words, err)
        self.assertLess(time.monotonic() - began, 30)

    def test_creates_that_are_put_off_for_long(self):
        self.given_up("Rate limit", "--fault", "status=429:route=creates:retry-after=300:message=Rate limit")

    def test_uploads_that_are_put_off_for_ever(self):
        self.given_up("Rate limit", "--fault", "status=429:route=uploads:retry-after-ms=300:message=Rate limit")

    def test_a_file_that_is_checked_for_ever(self):
        simulator = self.azure("--fault", "file-pending=1h")
        code, _, err = self.run_azure(simulator, self.requests(20), "--give-up", "3s")
        self.assertEqual(code, 8, err)
        self.assertIn("checking the file", err)

    def test_batches_that_fail_for_want_of_money(self):
        self.given_up("billing", "--fault", "batch-failed:code=billing_hard_limit_reached:message=billing hard limit",
                      give_up="6s")


class ClusterTest(SheafTest):
    """The same with daemons that run on: what a person sees, and what a person's word does."""

    def setUp(self):
        super().setUp()
        self.redis = PrivateRedis(self.folder)

    def tearDown(self):
        super().tearDown()
        self.redis.stop()

    def daemons(self, simulator, key="test-key", flags=()):
        log = open(self.path("daemons.log"), "ab")
        started = [subprocess.Popen(
            [program(name), "--redis", self.redis.url, "--base-url", simulator.url, "--lease", "1s",
             "--settle", "500ms", "--linger", "50ms", *flags], env=self.environment(OPENAI_API_KEY=key),
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            for name in ("sheaf-coordinator", "sheaf-worker")]
        log.close()
        self.processes += started
        return started

    def verb(self, *words, **options):
        return self.sheaf(*words, "--redis", self.redis.url, **options)

    def submit(self, simulator, requests, *flags, job="j"):
        code, _, err = self.verb("submit", self.write("in.jsonl", requests), "--job", job, "--sink",
                                 "dir:" + self.path("sink"), "--base-url", simulator.url,
                                 "--poll-interval", "100ms", *flags)
        self.assertEqual(code, 0, err)

    def status(self, job="j"):
        code, out, err = self.verb("status", job, "--json")
        self.assertEqual(code, 0, err)
        return json.loads(out)

    def finish(self, requests):
        code, _, err = self.verb("wait", "j", "--timeout", "60s")
        self.assertEqual(code, 0, err)
        code, _, err = self.verb("results", "j", "-o", self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        self.check_output(requests)

    def requests(self, n):
        return [request_line("row-%d" % i, "q %d" % i) for i in range(n)]

    def test_a_stopped_lane_goes_on_when_a_person_says_so(self):
        simulator = self.simulator("--fault", "status=400:route=creates:message=Not today")
        requests = self.requests(40)
        self.daemons(simulator)
        self.submit(simulator, requests)
        self.wait_until("the lane is stopped", lambda: self.status()["trouble"] == "lane")
        self.assertIn("Not today", self.status()["trouble_why"])
        creates = json.loads(simulator.admin("state"))["requests"]["POST /batches"]
        simulator.arm("clear")
        time.sleep(1)
        self.assertEqual(json.loads(simulator.admin("state"))["requests"]["POST /batches"], creates)
        code, _, err = self.verb("resume", "j")
        self.assertEqual(code, 0, err)
        self.finish(requests)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_batches_that_nobody_has_the_key_of_are_told(self):
        simulator = self.simulator("--delay", "1h")
        requests = self.requests(10)
        started = self.daemons(simulator, key="key-a")
        self.submit(simulator, requests)
        self.wait_until("a batch runs", lambda: simulator.ledger()["batches_live"] == 1)
        account = self.status()["accounts"][0]["account"]
        for process in started:
            process.terminate()
            process.wait()
        self.daemons(simulator, key="key-b")
        self.wait_until("the trouble is told", lambda: self.status()["trouble"] == "account")
        self.assertIn(account, self.status()["trouble_why"])

    def test_uploads_and_creates_keep_to_what_the_headers_say(self):
        simulator = self.simulator("--rate-headers", "--fault", "rate-headers=1500ms:route=creates:when=1")
        requests = self.requests(100)
        self.daemons(simulator)
        began = time.monotonic()
        self.submit(simulator, requests, "--max-requests", "50")
        self.finish(requests)
        self.assertGreater(time.monotonic() - began, 1.5)

    def test_a_header_slows_down_for_minutes_at_most_and_a_resume_ends_it(self):
        simulator = self.simulator("--delay", "1s", "--fault", "rate-headers=720h:route=polls:when=1")
        requests = self.requests(10)
        self.daemons(simulator)
        self.submit(simulator, requests)

        def held_s():
            """Until when no poll comes, from now."""
            script = "local k = redis.call('KEYS', 'sheaf:{0}:rate:*')[1]; " \
                     "return k and redis.call('HGET', k, 'polls_til')"
            reply = self.redis.command("EVAL", script, "0").split()
            return int(reply[1]) / 1000 - time.time() if len(reply) == 2 else 0
        self.wait_until("polls are held", lambda: held_s() > 0)
        self.assertLess(held_s(), 15 * 60 + 1)
        self.assertGreater(held_s(), 14 * 60)
        self.assertEqual(self.verb("resume", "j")[0], 0)
        self.finish(requests)

    def refuse_for_a_day(self, route):
        simulator = self.simulator("--fault", "status=429:route=%s:retry-after=86400:when=1" % route)
        requests = self.requests(10)
        self.daemons(simulator)
        self.submit(simulator, requests)
        self.wait_until("it is told", lambda: self.status()["trouble"] == "quota")
        time.sleep(.5)  # the record is put off
        self.assertEqual(self.verb("resume", "j")[0], 0)
        self.finish(requests)

    def test_a_refusal_of_uploads_for_a_day_is_told_and_a_resume_ends_it(self):
        self.refuse_for_a_day("uploads")

    def test_a_refusal_of_creates_for_a_day_is_told_and_a_resume_ends_it(self):
        self.refuse_for_a_day("creates")

    def test_a_refusal_of_polls_for_a_day_is_told_and_a_resume_ends_it(self):
        self.refuse_for_a_day("polls")

    def test_a_paused_job_keeps_no_place_from_others(self):
        with open(self.path("sheaf.yaml"), "w") as f:
            f.write("providers:\n  openai:\n    limits: {batches_alive: 1}\n")
        simulator = self.simulator("--fault", "status=402:route=creates:message=No money:retry-after=3600")
        requests = self.requests(20)
        self.daemons(simulator, flags=("--config", self.path("sheaf.yaml")))
        self.submit(simulator, requests, job="first")
        self.wait_until("it is refused", lambda: self.status("first")["trouble"] == "quota")
        time.sleep(.5)
        self.assertEqual(self.verb("pause", "first")[0], 0)
        simulator.arm("clear")
        self.submit(simulator, requests)
        self.wait_until("the place is free", lambda: self.status("first")["batches"]["alive"] == 0)
        self.assertEqual(self.verb("resume", "j")[0], 0)  # the lane is held for an hour
        self.finish(requests)
        self.assertEqual(self.verb("resume", "first")[0], 0)
        self.assertEqual(self.verb("wait", "first", "--timeout", "60s")[0], 0)
        ledger = simulator.ledger()
        self.assertEqual((ledger["batches_created"], ledger["billed_twice"]), (2, 0))

    def pause_before_the_turn(self, route, state):
        simulator = self.simulator("--fault", "rate-headers=4s:route=%s:when=1" % route)
        requests = self.requests(100)  # more batches than are at work at once
        self.daemons(simulator)
        self.submit(simulator, requests, "--max-requests", "13")
        self.wait_until("a batch waits for its turn", lambda: any(
            b["state"] == state for b in self.status()["batches"]["list"]))
        self.assertEqual(self.verb("pause", "j")[0], 0)
        made = simulator.ledger()["batches_created"]
        time.sleep(6)
        self.assertEqual(simulator.ledger()["batches_created"], made)
        self.assertEqual(self.verb("resume", "j")[0], 0)
        self.finish(requests)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_a_turn_to_upload_that_comes_during_a_pause_is_not_used(self):
        self.pause_before_the_turn("uploads", "BUILD")

    def test_a_turn_to_create_that_comes_during_a_pause_is_not_used(self):
        self.pause_before_the_turn("creates", "SUBMIT")

    def test_own_limits_are_told(self):
        with open(self.path("sheaf.yaml"), "w") as f:
            f.write("providers:\n  openai:\n    limits: {creates_per_hour: 2}\n")
        simulator = self.simulator("--delay", "3s")  # what is done by then takes the first note back
        self.daemons(simulator, flags=["--config", self.path("sheaf.yaml")])
        self.submit(simulator, self.requests(200), "--max-requests", "50")
        self.wait_until("the first batches are done", lambda: self.status()["batches"]["alive"] == 3)
        self.wait_until("the limits are told", lambda: self.status()["trouble"] == "limits")
        self.assertIn("the next turn for creates is in", self.status()["trouble_why"])

    def test_a_quota_is_kept_full(self):
        simulator = self.simulator("--max-live", "2", "--delay", "1s")
        requests = self.requests(200)
        self.daemons(simulator)
        began = time.monotonic()
        self.submit(simulator, requests, "--max-requests", "26")  # 9 batches of 24, 2 at once: 5 s at best
        self.finish(requests)
        self.assertLess(time.monotonic() - began, 5 + 4)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)


if __name__ == "__main__":
    main_in_slices(3)
