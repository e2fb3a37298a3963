"""What the verbs do with a job that has a recipe: in a cluster, on trial, and in the older format."""
import glob
import html.parser
import json
import os
import shutil
import subprocess

from sheaf_test import PrivateRedis, SheafTest, main, program

RECIPE = """
model: gpt-4o-mini
defaults: {max_tokens: 40}
id_field: id
analyses:
  - name: mood
    prompt: |
      How is it? {{text}}
    answer: {schema: mood.json, repair: true}
    tries: 3
"""
SCHEMA = {"type": "object", "required": ["mood"], "additionalProperties": False,
          "properties": {"mood": {"enum": ["good", "bad"]}}}
ANSWERS = {"answers": [{"json": {"mood": {"$one": ["good", "bad"]}}}]}


class Page(html.parser.HTMLParser):
    """Whether a page needs anything but itself."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br", "hr", "img", "rect", "link", "col"):
            self.open.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href") and not value.startswith("#")]

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        self.text += data


class RecipeTest(SheafTest):
    def setUp(self):
        super().setUp()
        for name, text in (("recipe.yaml", RECIPE), ("mood.json", json.dumps(SCHEMA)),
                           ("answers.json", json.dumps(ANSWERS))):
            with open(self.path(name), "w", encoding="utf-8") as f:
                f.write(text)
        self.rows = self.write("rows.jsonl", [
            json.dumps({"id": "r%d" % i, "text": "文字 %d" % i * (i % 7 + 1)}, ensure_ascii=False) for i in range(40)])

    def answering(self, *flags):
        return self.simulator("--answers", self.path("answers.json"), *flags)

    def check_rows(self, output, states=("ok",)):
        rows = [json.loads(line) for line in self.lines(output)]
        self.assertEqual([row["id"] for row in rows], ["r%d" % i for i in range(40)])
        for row in rows:
            state = row["_sheaf"]["mood"]
            self.assertIn(state if isinstance(state, str) else state["status"], states)
        return rows


class ClusterTest(RecipeTest):
    def setUp(self):
        super().setUp()
        self.redis = PrivateRedis(self.folder)
        self.sink = "dir:" + self.path("sink")

    def tearDown(self):
        self.redis.stop()
        super().tearDown()

    def daemons(self, simulator):
        for name in ("sheaf-coordinator", "sheaf-worker"):
            with open(self.path("daemons.log"), "ab") as log:
                self.processes.append(subprocess.Popen(
                    [program(name), "--redis", self.redis.url, "--base-url", simulator.url, "--lease", "2s"],
                    env=self.environment(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def verb(self, *words):
        return self.sheaf(*words, "--redis", self.redis.url)

    def submit(self, simulator, *flags):
        return self.verb("submit", self.rows, "--recipe", self.path("recipe.yaml"), "--job", "posts", "--sink", self.sink,
                         "--base-url", simulator.url, "--poll-interval", "100ms", *flags)

    def jobs(self):
        code, out, err = self.verb("list", "--json")
        self.assertEqual(code, 0, err)
        return sorted(job["job"] for job in json.loads(out))

    def test_waiting_takes_all_rounds(self):
        simulator = self.answering("--fault", "rows-prose=0.5:once")
        self.daemons(simulator)
        code, _, err = self.submit(simulator, "--wait")
        self.assertEqual(code, 0, err)
        self.assertIn("sheaf results posts", err)
        self.assertEqual(self.jobs(), ["posts", "posts.r2"])
        code, _, err = self.verb("results", "posts", "-o", self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        self.check_rows("out.jsonl")
        self.assertEqual(self.verb("audit", "posts", "-o", self.path("out.jsonl"))[0], 0)
        self.assertEqual(glob.glob(self.path("sheaf-submit-*")), [])

    def test_the_same_submit_again_asks_what_is_left(self):
        simulator = self.answering("--fault", "rows-prose=0.5:once")
        self.daemons(simulator)
        code, _, err = self.submit(simulator)
        self.assertEqual(code, 0, err)
        for verb in (("wait", "posts", "--timeout", "60s"), ("results", "posts", "-o", self.path("out.jsonl"))):
            code, _, err = self.verb(*verb)
            self.assertEqual(code, 7, err)
            self.assertIn("may be asked for once more", err)
        code, _, err = self.submit(simulator)
        self.assertEqual(code, 0, err)
        self.assertIn("round 2", err)
        self.assertEqual(self.verb("wait", "posts", "--timeout", "60s")[0], 0)
        self.assertIn("its newest round is posts.r2", self.verb("status", "posts")[2])
        code, _, err = self.submit(simulator)
        self.assertEqual(code, 0, err)
        self.assertIn("all has been asked", err)
        self.assertEqual(self.verb("results", "posts", "-o", self.path("out.jsonl"))[0], 0)
        self.check_rows("out.jsonl")
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_what_changed_since_is_named(self):
        simulator = self.answering()
        self.daemons(simulator)
        self.assertEqual(self.submit(simulator, "--wait")[0], 0)
        with open(self.path("mood.json"), "w", encoding="utf-8") as f:
            json.dump({**SCHEMA, "title": "Mood"}, f)
        code, _, err = self.submit(simulator)
        self.assertEqual(code, 12, err)
        self.assertIn("mood.json has changed since this job began", err)

    def test_a_wait_says_that_answers_failed(self):
        simulator = self.answering("--fault", "rows-prose=1")
        self.daemons(simulator)
        self.assertEqual(self.submit(simulator, "--wait")[0], 3)
        self.assertEqual(self.verb("wait", "posts", "--timeout", "60s")[0], 3)  # no row failed at the provider

    def test_a_submit_that_is_stopped_leaves_no_prompts_behind(self):
        simulator = self.answering("--delay", "60s")
        self.daemons(simulator)
        running = self.start("submit", self.rows, "--recipe", self.path("recipe.yaml"), "--job", "posts", "--sink",
                             self.sink, "--base-url", simulator.url, "--wait", "--redis", self.redis.url)
        self.wait_until("a batch is made", lambda: simulator.ledger()["batches_created"] > 0)
        running.terminate()
        running.wait(timeout=30)
        self.assertEqual(glob.glob(self.path("sheaf-submit-*")), [])

    def test_rows_that_are_gone_are_said_to_be(self):
        simulator = self.answering()
        self.daemons(simulator)
        self.assertEqual(self.submit(simulator, "--wait")[0], 0)
        os.rename(self.rows, self.rows + ".away")
        code, _, err = self.verb("results", "posts", "-o", self.path("out.jsonl"))
        self.assertEqual(code, 11, err)
        self.assertIn(self.rows, err)
        self.assertEqual(self.verb("report", "posts")[0], 0)  # needs no rows

    def test_a_purge_takes_all_rounds(self):
        simulator = self.answering("--fault", "rows-prose=0.5:once")
        self.daemons(simulator)
        self.assertEqual(self.submit(simulator, "--wait")[0], 0)
        self.assertEqual(self.verb("purge", "posts", "-y")[0], 0)
        self.assertEqual(self.jobs(), [])
        self.assertEqual([name for name in os.listdir(self.path("sink")) if name.startswith("posts")], [])

    def test_a_wait_ends_at_the_cap_and_more_money_goes_on(self):
        simulator = self.answering()
        self.daemons(simulator)
        code, _, err = self.submit(simulator, "--wait", "--max-cost", "0.00001USD")
        self.assertEqual(code, 6, err)
        self.assertIn("the spend cap is reached", err)
        self.assertEqual(self.verb("wait", "posts")[0], 6)
        self.assertEqual(simulator.ledger()["rows_billed"], 0)
        code, _, err = self.submit(simulator, "--wait", "--max-cost", "1USD")
        self.assertEqual(code, 0, err)
        self.assertEqual(simulator.ledger()["rows_billed"], 40)

    def test_standard_input_and_references_are_refused(self):
        simulator = self.answering()
        code, _, err = self.verb("submit", "-", "--recipe", self.path("recipe.yaml"), "--job", "posts", "--sink", self.sink)
        self.assertEqual(code, 2, err)
        code, _, err = self.submit(simulator, "--payload", "ref")
        self.assertEqual(code, 2, err)
        self.assertIn("--payload inline", err)


class TrialTest(RecipeTest):
    def trial(self, simulator, n, *flags):
        return self.sheaf("run", self.rows, "--recipe", self.path("recipe.yaml"), "--sample", str(n), "--base-url",
                          simulator.url, "--poll-interval", "100ms", *flags)

    def test_answers_are_shown_beside_rows_and_nothing_is_left(self):
        simulator = self.answering()
        before = sorted(os.listdir(self.folder))
        code, out, err = self.trial(simulator, 6)
        self.assertEqual(code, 0, err)
        self.assertEqual(out.count("\nrow ") + out.startswith("row "), 6)
        self.assertIn("(longest)", out)
        self.assertIn("(shortest)", out)
        self.assertEqual(out.count('ok  {"mood":'), 6)
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        self.assertEqual(simulator.ledger()["rows_billed"], 6)
        self.assertEqual(self.trial(simulator, 6)[1], out)  # the same rows, and the same answers

    def test_a_trial_is_nowhere_but_in_its_own_folder(self):
        simulator = self.answering()
        redis = PrivateRedis(self.folder)
        try:
            for flags in (("--redis", redis.url), ("--state-dir", self.path("state"))):
                self.assertEqual(self.trial(simulator, 3, *flags)[0], 0)
                with open(self.path("recipe.yaml"), "a", encoding="utf-8") as f:
                    f.write("    parameters: {temperature: %d}\n" % (1 if flags[0] == "--redis" else 0)
                            if "parameters" not in open(self.path("recipe.yaml")).read() else "# changed\n")
                self.assertEqual(self.trial(simulator, 3, *flags)[0], 0)
            self.assertFalse(os.path.exists(self.path("state")))
            self.assertIn(b":0\r\n", redis.command("DBSIZE"))
            self.assertEqual(glob.glob(self.path("sheaf-sample-*")), [])
        finally:
            redis.stop()

    def test_an_answer_that_is_not_valid_is_shown_with_its_reason(self):
        code, out, err = self.trial(self.answering("--fault", "rows-prose=1"), 3)
        self.assertEqual(code, 3, err)
        self.assertEqual(out.count("failed: invalid_answer: not JSON"), 3)

    def test_a_trial_of_another_encoding_that_was_stopped_can_be_ended(self):
        with open(self.path("rows.csv"), "wb") as f:
            f.write("id,text\n".encode() + "".join("r%d,文字 %d\n" % (i, i) for i in range(9)).encode("gb18030"))
        with open(self.path("recipe.yaml"), "a", encoding="utf-8") as f:
            f.write("input: {encoding: gb18030}\n")
        self.rows = self.path("rows.csv")
        simulator = self.answering("--delay", "60s")
        running = self.start("run", self.rows, "--recipe", self.path("recipe.yaml"), "--sample", "4", "--base-url",
                             simulator.url, "--poll-interval", "100ms")
        self.wait_until("a batch is made", lambda: simulator.ledger()["batches_created"] > 0)
        running.terminate()
        running.wait(timeout=30)
        folder = glob.glob(self.path("sheaf-sample-*"))[0]
        code, _, err = self.sheaf("cancel", "sample", "-y", "--state-dir", folder + "/out.jsonl.sheaf")
        self.assertEqual(code, 3, err)
        with open(folder + "/out.jsonl", encoding="utf-8") as f:
            self.assertTrue(all("文字" in json.loads(line)["text"] for line in f))

    def test_a_trial_keeps_to_the_cap(self):
        simulator = self.answering()
        code, _, err = self.trial(simulator, 6, "--max-cost", "0.000001USD")
        self.assertEqual(code, 6, err)
        self.assertEqual(simulator.ledger()["rows_billed"], 0)

    def test_what_is_written_is_not_compressed_and_not_called_so(self):
        code, _, err = self.sheaf("run", self.rows, "--recipe", self.path("recipe.yaml"), "-o", self.path("o.jsonl.gz"))
        self.assertEqual(code, 2, err)
        self.assertIn("not compressed", err)

    def test_it_is_said_what_a_trial_needs(self):
        self.assertEqual(self.sheaf("run", self.rows, "--sample", "3")[0], 2)
        code, _, err = self.sheaf("run", "-", "--recipe", self.path("recipe.yaml"), "--sample", "3")
        self.assertEqual(code, 2, err)


class HereTest(RecipeTest):
    def enrich(self, simulator, *flags, output="out.jsonl", **options):
        return self.run_job(simulator, self.rows, self.path(output), "--recipe", self.path("recipe.yaml"), *flags, **options)

    def test_a_page_that_needs_nothing_but_itself(self):
        code, _, err = self.enrich(self.answering("--fault", "rows-fenced=0.3"))
        self.assertEqual(code, 0, err)
        code, out, err = self.sheaf("report", "--state-dir", self.path("out.jsonl.sheaf"), "--html", self.path("r.html"))
        self.assertEqual((code, out), (0, ""), err)
        with open(self.path("r.html"), encoding="utf-8") as f:
            page = Page(f.read())
        self.assertEqual((page.open, page.links), ([], []))
        self.assertIn("mood", page.text)

    def test_a_job_without_a_recipe_has_a_page_too(self):
        simulator = self.simulator()
        source = self.write("in.jsonl", ['{"custom_id":"<b>","body":{"model":"gpt-4o-mini","messages":[]}}'])
        self.assertEqual(self.run_job(simulator, source, self.path("out.jsonl"))[0], 0)
        code, _, err = self.sheaf("report", "--state-dir", self.path("out.jsonl.sheaf"), "--html", self.path("r.html"))
        self.assertEqual(code, 0, err)
        with open(self.path("r.html"), encoding="utf-8") as f:
            self.assertEqual(Page(f.read()).links, [])

    def test_a_cancel_keeps_what_is_there_and_writes_every_row(self):
        simulator = self.answering("--delay", "60s")
        running = self.start(*self.run_words(simulator, self.rows, self.path("out.jsonl"), "--recipe",
                                             self.path("recipe.yaml")))
        self.wait_until("a batch is at the provider", lambda: simulator.ledger()["batches_created"] > 0)
        running.terminate()
        running.wait(timeout=30)
        code, _, err = self.sheaf("cancel", "rows.jsonl", "-y", "--state-dir", self.path("out.jsonl.sheaf"),
                                  "--poll-interval", "100ms")
        self.assertEqual(code, 3, err)
        rows = self.check_rows("out.jsonl", states=("failed",))
        self.assertIn("cancelled", rows[0]["_sheaf"]["mood"]["code"])
        self.assertEqual(len(self.lines("out.errors.jsonl")), 40)

    def test_rounds_share_one_cap(self):
        simulator = self.answering("--fault", "rows-prose=1")  # each answer is asked for three times
        code, _, err = self.enrich(simulator, "--max-cost", "0.001USD")
        self.assertEqual(code, 6, err)
        spent = simulator.ledger()
        self.assertIn("--max-cost", err)
        code, _, err = self.enrich(simulator, "--max-cost", "1USD")
        self.assertEqual(code, 3, err)
        report = self.report("out.report.json")
        self.assertGreater(report["cost"]["total_nano"], 0)
        self.assertLess(spent["rows_billed"], simulator.ledger()["rows_billed"])
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_a_cap_that_is_reached_in_a_later_round_is_said_as_it_was_given(self):
        simulator = self.answering("--fault", "rows-prose=1")
        code, _, err = self.enrich(simulator)  # what all rounds cost
        self.assertEqual(code, 3, err)
        first = self.report("out.report.json")["cost"]["total_nano"] / 3
        cap = "%.9fUSD" % (first * 4 / 1e9)
        words = self.run_words(simulator, self.rows, self.path("o2.jsonl"), "--recipe", self.path("recipe.yaml"),
                               "--max-cost", cap, "--warn-at", "10%")
        code, _, err = self.sheaf(*words)
        self.assertEqual(code, 6, err)
        self.assertRegex(err, r"the spend cap is reached: \$0\.\d+ of \$0\.\d+ is spent")
        spent, whole = [float(x) for x in err.split("is reached: $")[1].replace("of $", "").split()[:2]]
        self.assertAlmostEqual(whole, first * 4 / 1e9, places=5)
        self.assertGreater(spent, whole / 10)
        self.assertEqual(err.count("of its cap"), 1)
        self.assertEqual(self.sheaf("wait", "rows.jsonl", "--state-dir", self.path("o2.jsonl.sheaf"))[0], 6)

    def test_another_job_that_is_called_like_a_round_is_left_alone(self):
        simulator = self.answering()
        source = self.write("in.jsonl", ['{"body":{"model":"gpt-4o-mini","messages":[]}}'])
        state = ("--state-dir", self.path("both"))
        self.assertEqual(self.enrich(simulator, "--job", "news", *state)[0], 0)
        self.assertEqual(self.run_job(simulator, source, self.path("plain.jsonl"), "--job", "news.r2", *state)[0], 0)
        for verb in (("report", "news"), ("audit", "news"), ("wait", "news"), ("purge", "news", "-y")):
            code, _, err = self.sheaf(*verb, *state)
            self.assertEqual(code, 0, err)
        code, out, _ = self.sheaf("list", "--json", *state)
        self.assertEqual([job["job"] for job in json.loads(out)], ["news.r2"])
        billed = simulator.ledger()["rows_billed"]
        code, _, err = self.enrich(simulator, "--job", "news", *state, output="o2.jsonl")
        self.assertEqual(code, 12, err)
        self.assertIn('job "news.r2" is another one', err)
        self.assertEqual(simulator.ledger()["rows_billed"], billed)

    def test_a_resubmission_keeps_to_the_cap_of_all_rounds(self):
        simulator = self.answering("--fault", "rows-failed=0.5", "--fault", "rows-prose=0.5:once")
        code, _, err = self.enrich(simulator, "--max-attempts", "1")
        self.assertEqual(code, 3, err)
        spent = self.report("out.report.json")["cost"]["total_nano"]
        for fault in ("rows-failed=off", "rows-prose=off"):
            simulator.arm(fault)
        code, _, err = self.enrich(simulator, "--max-attempts", "1", "--max-cost", "%.9fUSD" % ((spent + 1) / 1e9))
        self.assertEqual(code, 3, err)
        billed = simulator.ledger()["rows_billed"]
        code, _, err = self.sheaf("resubmit", "rows.jsonl", "-y", "--state-dir", self.path("out.jsonl.sheaf"),
                                  "--poll-interval", "100ms")
        self.assertEqual(code, 6, err)
        self.assertIn("`sheaf run` of this job", err)
        self.assertEqual(simulator.ledger()["rows_billed"], billed)
        code, _, err = self.enrich(simulator, "--max-attempts", "1", "--max-cost", "1USD")
        self.assertEqual(code, 3, err)  # rows that failed in a later round are that round's
        state = ("--state-dir", self.path("out.jsonl.sheaf"), "--poll-interval", "100ms", "-y")
        code, _, err = self.sheaf("resubmit", "rows.jsonl", *state)
        self.assertEqual(code, 3, err)
        self.assertIn("`sheaf resubmit rows.jsonl.r2` sends them again", err)
        code, _, err = self.sheaf("resubmit", "rows.jsonl.r2", *state)
        self.assertEqual(code, 0, err)
        self.check_rows("out.jsonl")

    def test_a_redis_that_is_lost_at_the_cap_is_no_reason_to_wait_for_ever(self):
        simulator = self.answering("--fault", "rows-prose=1")
        for _ in range(2):
            code, _, err = self.enrich(simulator, "--max-cost", "0.000001USD")
            self.assertEqual(code, 6, err)
        for name in os.listdir(self.path("out.jsonl.sheaf/redis")):
            if not os.path.isdir(self.path("out.jsonl.sheaf/redis", name)):
                os.unlink(self.path("out.jsonl.sheaf/redis", name))
        shutil.rmtree(self.path("out.jsonl.sheaf/redis/appendonlydir"), ignore_errors=True)
        self.assertEqual(self.enrich(simulator, "--max-cost", "0.000001USD", timeout=60)[0], 6)

    def test_a_cap_needs_prices_before_anything_is_made(self):
        with open(self.path("recipe.yaml"), "a", encoding="utf-8") as f:
            f.write("    model: nobody-s-model\n")
        code, _, err = self.enrich(self.answering(), "--max-cost", "1USD")
        self.assertEqual(code, 2, err)
        self.assertIn('no price is known for model "nobody-s-model"', err)
        self.assertFalse(os.path.exists(self.path("out.jsonl.sheaf")))

    def test_shares_of_the_cap_are_told(self):
        simulator = self.answering()
        code, _, err = self.enrich(simulator, "--max-cost", "0.005USD", "--warn-at", "1%,2%")
        self.assertEqual(code, 0, err)
        self.assertIn("of its cap", err)
        code, _, err = self.enrich(simulator, "--max-cost", "1USD", "--warn-at", "0%", output="o2.jsonl")
        self.assertEqual(code, 2, err)

    def test_rows_as_a_table_and_as_an_array(self):
        simulator = self.answering()
        self.assertEqual(self.enrich(simulator, output="out.json")[0], 0)
        with open(self.path("out.json"), encoding="utf-8") as f:
            rows = json.load(f)
        self.assertEqual([row["id"] for row in rows], ["r%d" % i for i in range(40)])
        self.assertEqual(self.enrich(simulator, output="table.csv")[0], 0)
        self.assertEqual(self.lines("table.csv")[0].rstrip("\r"), "id,text,mood,_sheaf")


class OlderFormatTest(SheafTest):
    POSTS = [{"id": i, "content": "老街改造第 %d 天" % i, "user": "路人"} for i in range(12)]

    def setUp(self):
        super().setUp()
        os.makedirs(self.path("conf/data"))
        self.put("conf/config.json", {"batch": {"model": "glm-4-air", "multimodal_model": "glm-4v-plus",
                                                "max_concurrent_tasks": 3, "poll_interval": 1},
                                      "paths": {"data_dir": "data", "enhanced_output": "data/enhanced_blogs.json"}})
        self.put("conf/data/posts.json", self.POSTS)
        self.put("conf/data/topics.json", [{"name": "民生", "children": ["住房", "交通"]}])
        self.put("conf/data/sentiment_attributes.json", ["喜悦", "担忧"])
        self.put("conf/data/publisher_objects.json", ["普通网友", "媒体"])

    def put(self, name, value):
        with open(self.path(name), "w", encoding="utf-8") as f:
            json.dump(value, f, ensure_ascii=False)

    def run_config(self, simulator, *flags):
        return self.sheaf("run", "--config", self.path("conf/config.json"), "--provider", "zhipu", "--base-url",
                          simulator.url.replace("/v1", "/api/paas/v4"), *flags,
                          env={"ZHIPU_API_KEY": "any"})

    def test_no_input_and_no_output_are_needed(self):
        simulator = self.simulator("--profile", "zhipu")
        code, _, err = self.run_config(simulator)
        self.assertEqual(code, 3, err)  # the simulator knows nothing of what is asked: prose
        with open(self.path("conf/data/enhanced_blogs.json"), encoding="utf-8") as f:
            rows = json.load(f)
        self.assertEqual([row["id"] for row in rows], [post["id"] for post in self.POSTS])
        self.assertGreaterEqual(len(rows[0]["_sheaf"]), 4)
        self.assertLess(len(rows[0]["_sheaf"]), 6)  # no vocabulary of beliefs, none of decisions

    def test_optional_vocabularies_turn_analyses_on(self):
        self.put("conf/data/believe_system_common.json", [{"name": "公平", "children": ["补偿"]}])
        self.put("conf/data/publisher_decision.json", ["当事人", "旁观者"])
        code, out, err = self.sheaf("plan", "--config", self.path("conf/config.json"), "--json")
        self.assertEqual(code, 0, err)
        self.assertEqual(len(json.loads(out)["analyses"]), 6)

    def test_flags_go_before_the_file(self):
        simulator = self.simulator("--profile", "zhipu")
        code, _, err = self.run_config(simulator, "-o", self.path("mine.json"), "--model", "glm-4-plus")
        self.assertEqual(code, 3, err)
        self.assertTrue(os.path.exists(self.path("mine.json")))
        self.assertFalse(os.path.exists(self.path("conf/data/enhanced_blogs.json")))

    def test_what_is_missing_is_named(self):
        os.unlink(self.path("conf/data/topics.json"))
        code, _, err = self.sheaf("run", "--config", self.path("conf/config.json"))
        self.assertIn(code, (2, 11), err)
        self.assertIn("topics.json", err)


if __name__ == "__main__":
    main()
