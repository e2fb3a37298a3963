"""A provider that misbehaves: the result is complete all the same, and nothing is paid for twice."""
import json

from sheaf_test import SheafTest, main, request_line


class FaultTest(SheafTest):
    def job(self, *faults, n=200, flags=(), failed=(), code=None, billed_twice=0):
        requests = [request_line("row-%d" % i, "question %d" % i) for i in range(n)]
        words = [word for fault in faults for word in ("--fault", fault)]
        simulator = self.simulator(*words)
        got, _, err = self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"),
                                   "--max-requests", "50", *flags)
        self.assertEqual(got, (3 if failed else 0) if code is None else code, err)
        self.check_output(requests, failed=failed)
        self.assertEqual(simulator.ledger()["billed_twice"], billed_twice)
        self.assertEqual(json.loads(simulator.admin("state"))["files"], 0)
        return simulator

    def check_duplicates(self, expected):
        with open(self.path("out.report.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual(report["duplicates"], expected)
        self.assertEqual(report["wasted_tokens"]["prompt"] > 0, expected > 0)

    def test_the_reply_to_a_create_is_lost(self):
        self.job("lost-create=1")

    def test_every_third_reply_to_a_create_is_lost(self):
        self.job("lost-create=3@every")

    def test_a_create_that_worked_answers_500(self):
        self.job("create-500=1")

    def test_a_create_that_failed_answers_500(self):
        self.job("create-500-refused=1", flags=("--settle", "1s"))

    def test_downloads_are_cut(self):
        self.job("truncate=0.5")

    def test_the_first_downloads_are_all_cut(self):
        # Not each time for ever: a line is read from one answer, and so the last one needs one that is whole.
        self.job("truncate=1-6", n=50)

    def test_a_server_without_ranges_cuts_downloads(self):
        self.job("truncate=0.3", "no-range")

    def test_rows_that_fail_with_500_are_sent_again(self):
        self.job("rows-500=0.1", flags=("--max-attempts", "10"))

    def test_rows_that_are_missing_are_sent_again(self):
        self.job("rows-missing=0.1", flags=("--max-attempts", "10"), billed_twice=0)
        self.check_duplicates(0)

    def test_a_file_that_is_read_again_holds_no_duplicates(self):
        # Of each batch a line is missing and another one comes twice, and the file is read once more.
        simulator = self.job("rows-missing=0.1", "rows-duplicated=0.1", flags=("--max-attempts", "10"))
        self.check_duplicates(simulator.ledger()["rows_duplicated"])

    def test_rows_that_come_twice_count_once(self):
        simulator = self.job("rows-duplicated=0.2")
        self.check_duplicates(simulator.ledger()["rows_duplicated"])

    def test_rows_nobody_asked_for_are_left_out(self):
        self.job("rows-alien=0.1")

    def test_expired_rows_are_sent_again_and_cost_no_attempt(self):
        self.job("rows-expired=0.3", flags=("--max-attempts", "1"))

    def test_a_batch_that_fails_without_a_reason_is_sent_again(self):
        self.job("batch-failed=1")

    def test_a_new_batch_that_is_not_found_yet(self):
        self.job("poll-404=2")

    def test_a_new_file_that_is_not_visible_yet(self):
        self.job("file-lag=500ms", n=50)

    def test_a_list_that_is_late(self):
        self.job("lost-create=1", "list-lag=500ms", n=50)

    def test_completed_without_files_at_first(self):
        self.job("empty-ids=3", n=50)

    def test_outages_of_every_kind(self):
        self.job("upload-500=0.2", "poll-500=0.2", "html-502=0.1", n=100)

    def test_slow_down(self):
        self.job("rate-429=0.1", n=100)

    def test_lines_that_the_provider_refuses_do_not_spoil_the_others(self):
        requests = [request_line("row-%d" % i, "q %d" % i) for i in range(60)]
        for i in (3, 17, 40):
            requests[i] = '{"custom_id":"bad-%d","body":{"model":"gpt-4o-mini"}}' % i  # no messages
        requests[50] = request_line("no-model", "q", model="no-such-model")
        simulator = self.simulator()
        code, _, err = self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"),
                                    "--max-attempts", "1")
        self.assertEqual(code, 3, err)
        self.check_output(requests, failed=(3, 17, 40, 50))
        errors = [json.loads(line)["error"] for line in self.lines("out.errors.jsonl")]
        self.assertIn("essages", errors[0]["message"])
        self.assertEqual(errors[3]["code"], "model_not_found")
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_rows_that_never_succeed_are_dead_letters_after_their_tries(self):
        requests = [request_line("row-%d" % i, "q %d" % i, **({"sim_status": 500} if i == 3 else {}))
                    for i in range(10)]
        simulator = self.simulator()
        code, _, err = self.run_job(simulator, self.write("in.jsonl", requests), self.path("out.jsonl"),
                                    "--max-attempts", "2")
        self.assertEqual(code, 3, err)
        self.check_output(requests, failed=(3,))


if __name__ == "__main__":
    main()
