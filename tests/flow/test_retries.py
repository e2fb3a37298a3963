"""Each failure at each step, as docs/retries.md has it: what the provider does, and what must come of it.

A row is one job against a simulator that fails in one way. Whatever happens: every request has its row, in order,
with its own answer, and nothing is paid for twice unless the provider itself lost what was paid for.
"""
import json
import os

from sheaf_test import SheafTest, main, request_line

N = 100
PER_FILE = 48  # of --max-requests 50: four windows of 12 requests

# name, faults and flags of the simulator, and what is expected:
#   flags       of sheaf run            config   limits of the profile, as in sheaf.yaml
#   again       requests sent again for nothing: 0, or "some"
#   uploads     POST /files             batches  created
#   failed      how many rows end in the errors file, and `code` of each
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
     dict(failed=1, code="1214", again="some")),
    ("a model that the upload refuses",
     ["status=400:route=uploads:code=model_not_found:when=1:message=No such model"],
     dict(n=20, failed=20, code="model_not_found", batches=0)),
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

    # ---- poll
    ("polls that fail say nothing",
     ["status=500:route=polls:when=2@every"], dict(batches=3)),
    ("a status that goes backwards is not believed",
     ["stale=2@every", "--delay", "500ms"], dict(batches=3)),
    ("a word that nobody knows is not an end",
     ["set=status:route=polls:when=1-4:to=\"pondering\""], dict(batches=3)),
    ("an old batch that is not found is searched, and is in the list",
     ["status=404:route=polls:when=1-4", "--delay", "200ms"],
     dict(n=20, batches=1, config="visibility_lag: 0s")),
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

    # ---- download
    ("results that are not there yet",
     ["content-lag=400ms"], dict(batches=3)),
    ("results that are gone",
     ["output-gone=1"], dict(again="some", twice=PER_FILE)),
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


def add_row(name, provider, want):
    def test(self):
        self.check(provider, want)
    test.__name__ = "test_" + "".join(c if c.isalnum() else "_" for c in name)
    setattr(RetryTest, test.__name__, test)


for row in ROWS:
    add_row(*row)


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


if __name__ == "__main__":
    main()
