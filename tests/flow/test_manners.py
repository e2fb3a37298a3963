"""
Bad manners of Batch APIs, one row each: whatever the provider does, each request is in the result once, nothing is
paid for twice, no file stays behind, and the key goes to nobody else.

A row: what happens · the simulator's faults · more: flags for the simulator (sim), flags for sheaf (run), the
number of requests (n), the profile, and what the rows that may fail say then (code, a set of error codes).
"""
import json
import os
import re

from sheaf_test import SheafTest, main_in_slices, request_line

BASE = {"openai": "/v1", "zhipu": "/api/paas/v4"}

ROWS = [
    # a batch that ended
    ("completed with only an error file", ["only-error-file=1"], {"code": {"simulated"}}),
    ("completed with only an error file, the other's id being an empty text",
     ["only-error-file=1"], {"profile": "zhipu", "code": {"1213", "1210", "simulated"}}),
    ("completed with an error file without a byte", ["empty-error-file"], {}),
    ("completed with an error file id that is an empty text", ['set=error_file_id:route=polls:to=""'], {}),
    ("completed with an error file that is nowhere", ['set=error_file_id:route=polls:to="file-nowhere"'], {}),
    ("completed without any file", ["no-files=1"], {"run": ["--max-attempts", "3"]}),
    ("completed with two files without a byte", ["empty-files=1"], {"run": ["--max-attempts", "3"]}),
    ("expired with half of its rows", ["batch-expired=1:done=0.5"], {"run": ["--max-attempts", "1"]}),
    ("expired before it began", ["batch-expired=1"], {"run": ["--max-attempts", "1"]}),
    ("cancelled by nobody, with half of its rows", ["batch-cancelled=1:done=0.5"], {"run": ["--max-attempts", "1"]}),
    ("failed with an empty list of errors", ["batch-failed=1"], {"run": ["--max-attempts", "1"]}),
    ("failed for tokens that are enqueued", ["batch-failed=1-2:code=token_limit_exceeded"],
     {"run": ["--max-attempts", "1"]}),

    # counts and members
    ("counts that say nothing failed", ['set=request_counts:route=polls:to={"total":1,"completed":1,"failed":0}'], {}),
    ("counts that are null", ['set=request_counts:route=polls:to={"total":null,"completed":null,"failed":null}'], {}),
    ("counts that are a number", ["set=request_counts:route=polls:to=7"], {}),
    ("counts that are missing", ["omit=request_counts:route=polls"], {}),
    ("a poll without metadata, endpoint and times",
     ["omit=metadata", "omit=endpoint:route=polls", "omit=created_at:route=polls"], {}),
    ("a status nobody knows, for a while", ['set=status:route=polls:when=1-3:to="dreaming"'], {}),
    ("a status in capitals", ['set=status:route=polls:when=1-2:to="IN_PROGRESS"'], {}),
    ("a poll that goes back in time", ["stale=2@every"], {}),

    # what is new is not visible yet
    ("404 right after the create", ["poll-404=3"], {}),
    ("a batch that is late to be found", ["batch-get-lag=500ms"], {}),
    ("a file that is late to be visible to a batch", ["file-lag=400ms"], {}),
    ("a file that is late to be found", ["file-get-lag=300ms"], {}),
    ("a file that is pending", ["file-pending=400ms"], {}),
    ("a list that is late, behind a lost answer", ["lost-create=1", "list-lag=400ms"], {}),
    ("results that are late", ["content-lag=400ms"], {}),

    # creates
    ("a create is answered by 502 after it was carried out", ["status=502:body=html:route=creates:at=after:when=1"], {}),
    ("a create is answered by 504 and comes into being later", ["late-create=500ms:when=1"], {"run": ["--settle", "2s"]}),
    ("half an answer to a create", ["drop=half:route=creates:at=after:when=1"], {}),
    ("a reset after a create", ["drop=reset:route=creates:at=after:when=1"], {}),
    ("an empty answer to a create that worked", ["status=200:body=empty:route=creates:at=after:when=1"], {}),
    ("a web page for a create that worked", ["status=200:body=html:route=creates:at=after:when=1"], {}),
    ("a kept connection that dies under a create", ["drop=close:route=creates:reused:at=after"], {}),
    ("409 to a create that worked", ["status=409:route=creates:at=after:when=1"], {}),
    ("429 to a create, wait in fractions", ["status=429:retry-after=0.3:route=creates:when=1-2"], {}),
    ("429 to a create, wait in milliseconds", ["status=429:retry-after-ms=200:route=creates:when=1-2"], {}),
    ("429 to a create, wait as a date", ["status=429:retry-after=date+1s:route=creates:when=1"], {}),
    ("429 to a create, absurd waits", ["status=429:retry-after=-1:retry-after-ms=0.5:route=creates:when=1"], {}),

    # uploads
    ("an upload whose answer is lost", ["lost-upload=1"], {}),
    ("an upload whose Expect is ignored", ["expect-ignored"], {"n": 400}),
    ("an upload that is answered by a gateway", ["status=502:body=html:route=uploads:when=1"], {}),
    ("429 to uploads", ["status=429:retry-after-ms=100:route=uploads:when=1-2"], {}),

    # polls
    ("polls answered by 5xx in bursts", ["status=503:body=text:route=polls:when=1-3"], {}),
    ("polls answered by a web page", ["status=502:body=html:route=polls:when=2@every"], {}),
    ("an error inside 200", ["status=200:code=1234:body=flat:route=polls:when=1-3"], {"profile": "zhipu"}),
    ("an error object inside 200", ["status=200:code=server_error:route=polls:when=1-3"], {}),
    ("a poll that is never answered in full", ["drop=half:route=polls:when=1-2"], {}),
    ("connections that close under polls", ["drop=close:route=polls:when=1-3"], {}),

    # downloads
    ("downloads cut before their length", ["cut=length:when=0.4"], {"n": 120}),
    ("downloads cut in chunks", ["cut=chunked:when=0.4"], {"n": 120}),
    ("downloads cut by closing, without a length", ["cut=close:when=0.4"], {"n": 120}),
    ("a length that says too much", ["wrong-length=7:when=1"], {}),
    ("ranges that start a byte early", ["cut=length:when=1", "range=shifted:when=1"], {}),
    ("ranges that are refused", ["cut=length:when=1", "range=416:when=1"], {}),
    ("results gzipped although nobody asked", ["gzip=1"], {}),
    ("an error inside a download's 200", ["status=200:code=server_error:route=downloads:when=1-2"], {}),
    ("a web page for a download", ["status=502:body=html:route=downloads:when=1-2"], {}),
    ("content behind a redirect to another port", ["redirect=1"], {"sim": ["--content-port", "0"]}),
    ("content behind three redirects", ["redirect=3"], {"sim": ["--content-port", "0"]}),
    ("content behind a redirect to the same server", ["redirect=1:to=same"], {"sim": ["--content-port", "0"]}),
    ("an ETag that changes", ["cut=length:when=1", "etag=changing"], {"n": 120}),
    ("another order of the lines each time", ["reorder"], {"n": 120}),
    ("another order of the lines behind each cut", ["reorder", "cut=length:when=1-4"],
     {"n": 600, "run": ["--max-requests", "150"]}),
    ("another order of the lines behind each cut, and no ranges", ["reorder", "cut=length:when=1-4", "no-range"],
     {"n": 600, "run": ["--max-requests", "150"]}),
    ("another order of the lines, and another ETag, behind each cut",
     ["reorder", "cut=length:when=1-4", "etag=changing"], {"n": 600, "run": ["--max-requests", "150"]}),

    # result lines
    ("status_code 0", ["rows-0=0.2"], {"run": ["--max-attempts", "10"]}),
    ("status_code 0 in the output file", ["rows-0=0.2:in-output"], {"run": ["--max-attempts", "10"]}),
    ("429 inside a completed batch", ["rows-429=0.2:in-output"], {"run": ["--max-attempts", "10"]}),
    ("500 inside the output file", ["rows-500=0.2:in-output"], {"run": ["--max-attempts", "10"]}),
    ("requests that timed out cost no attempt", ["rows-timeout=0.2"], {"run": ["--max-attempts", "1"]}),
    ("requests cancelled by the provider cost no attempt", ["rows-cancelled=0.2"], {"run": ["--max-attempts", "1"]}),
    ("torn lines", ["rows-torn=0.1"], {"run": ["--max-attempts", "10"]}),
    ("lines that swallow the next", ["rows-glued=0.05"], {"run": ["--max-attempts", "10"], "paid_twice": True}),
    ("lines that come twice", ["rows-duplicated=0.3"], {}),
    ("lines that nobody asked for", ["rows-alien=0.3"], {}),
    ("answers whose body is a text", ["rows-string=0.2"], {"text": True}),
    ("a line of 5 MB", ["rows-big=0.05"], {"n": 20}),
    ("CRLF, a byte order mark, blank lines, no last newline",
     ["crlf", "bom", "blank-lines", "no-final-newline"], {}),
    ("refused content", ["rows-policy=0.2:always"], {"code": {"content_filter"}}),
    ("refused content at Zhipu", ["rows-policy=0.2:always"], {"profile": "zhipu", "code": {"1301"}}),
]


class MannersTest(SheafTest):
    def row(self, faults, n=40, profile="openai", sim=(), run=(), code=None, paid_twice=False, text=False):
        requests = [request_line("row-%d" % i, "question %d" % i) for i in range(n)]
        words = [word for fault in faults for word in ("--fault", fault)]
        simulator = self.simulator("--profile", profile, *sim, *words)
        simulator.url = "http://127.0.0.1:%d%s" % (simulator.port, BASE[profile])
        got, _, err = self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"),
                                   "--provider", profile, "--max-requests", "20", "--give-up", "20s", *run,
                                   env={"ZHIPU_API_KEY": "zhipu-test-key"})
        self.assertEqual(got, 3 if code else 0, err)
        errors = [json.loads(line) for line in self.lines("out.errors.jsonl")]
        failed = {json.loads(line)["custom_id"] for line in self.lines("out.errors.jsonl")}
        self.assertEqual(bool(errors), bool(code))
        for line in errors:
            body = (line["response"] or {}).get("body") or {}
            self.assertIn((body.get("error") or line["error"] or {}).get("code"), code)
        if not text:
            self.check_output(requests, failed=[i for i in range(n) if "row-%d" % i in failed])
        self.assertEqual(len(self.lines("out.jsonl")) + len(errors), n)
        ledger = simulator.ledger()
        if not paid_twice:
            self.assertEqual(ledger["billed_twice"], 0)
        self.assertEqual(ledger["keys_leaked"], 0)
        self.assertEqual(json.loads(simulator.admin("state"))["files"], 0, "files stayed behind")


class OtherFileTest(SheafTest):
    def test_a_worker_dies_behind_its_segments_and_the_next_one_gets_another_order(self):
        self.needs_failpoints()
        marks = self.path("marks")
        os.mkdir(marks)
        requests = [request_line("row-%d" % i, "question %d" % i) for i in range(20)]
        simulator = self.simulator("--fault", "reorder", "--fault", "rows-big=0.3")  # several chunks
        got, _, err = self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"),
                                   env={"SHEAF_FP": "worker.segments:kill", "SHEAF_FP_ONCE": marks})
        self.assertEqual(got, 0, err)
        self.assertEqual(os.listdir(marks), ["worker.segments"])
        self.check_output(requests)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)


def add_rows():
    for sentence, faults, more in ROWS:
        name = "test_" + re.sub(r"[^a-z0-9]+", "_", sentence.lower()).strip("_")
        if hasattr(MannersTest, name):
            raise AssertionError("two rows are called " + name)
        setattr(MannersTest, name, lambda self, faults=faults, more=more: self.row(faults, **more))


add_rows()

if __name__ == "__main__":
    main_in_slices(3)
