"""Recipes end to end: the three examples, answers that are not valid, packs, kills, changes, resubmissions."""
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from sheaf_test import SheafTest, main_in_slices

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples")
SETTLED = {"ok", "repaired", "defaulted", "failed", "skipped"}


def status(entry):
    """What a row's `_sheaf` says of one analysis."""
    return entry if isinstance(entry, str) else entry["status"]


def at(row, path):
    for name in path.split("."):
        if not isinstance(row, dict) or name not in row:
            return None
        row = row[name]
    return row


class RecipeTest(SheafTest):
    """What the tests below share."""

    quick = ("--poll-interval", "100ms", "--settle", "1s", "--lease", "2s", "--linger", "50ms", "--progress", "none")

    def example(self, name):
        """A copy of one of the examples, to be changed at will."""
        shutil.copytree(os.path.join(EXAMPLES, name), self.path(name))
        return self.path(name)

    def answering(self, name, *faults):
        """A simulator that answers as @name's answers.json says."""
        words = [word for fault in faults for word in ("--fault", fault)]
        return self.simulator("--answers", os.path.join(EXAMPLES, name, "answers.json"), *words)

    def words(self, simulator, source, recipe, output, *flags):
        return ["run", source, "--recipe", recipe, "-o", output, "--provider", "openai", "--base-url", simulator.url,
                *self.quick, *flags]

    def enrich(self, simulator, source, recipe, output, *flags, code=0, env=None):
        got, out, err = self.sheaf(*self.words(simulator, source, recipe, self.path(output), *flags), env=env)
        self.assertEqual(got, code, err)
        return out, err

    def generate(self, name, n, *flags):
        """@n rows of the example, as its generator writes them."""
        done = subprocess.run([sys.executable, os.path.join(EXAMPLES, name, "generate"), str(n), *flags],
                              stdout=subprocess.PIPE, check=True)
        return done.stdout.decode("utf-8").splitlines()

    def write_recipe(self, text, **files):
        """A recipe of the test's own, in a folder of its own."""
        os.makedirs(self.path("own"), exist_ok=True)
        for name, content in [("recipe.yaml", text), *((n.replace("_json", ".json"), c) for n, c in files.items())]:
            with open(self.path("own", name), "w", encoding="utf-8") as f:
                f.write(content)
        return self.path("own", "recipe.yaml")

    def answers(self, *rules):
        """An answers file for a recipe of the test's own."""
        with open(self.path("answers.json"), "w", encoding="utf-8") as f:
            json.dump({"answers": list(rules)}, f, ensure_ascii=False)
        return self.path("answers.json")

    def check_rows(self, rows, output, paths):
        """
        Each row stands in the output, in its place, with its own bytes; `_sheaf` says of each analysis of @paths
        ({name: output path}) one of the five states, and there is an answer at the path exactly when it should be.
        Returns the states, {name: {row: state}}.
        """
        written = self.lines(output)
        states = {name: {} for name in paths}
        self.assertEqual(len(written), len(rows))
        for i, (row, line) in enumerate(zip(rows, written)):
            self.assertTrue(line.startswith(row.rstrip()[:-1].rstrip()), "row %d is not what it was: %s" % (i, line))
            got = json.loads(line)
            self.assertEqual(set(got["_sheaf"]), set(paths), line)
            for name, path in paths.items():
                state = status(got["_sheaf"][name])
                self.assertIn(state, SETTLED)
                self.assertEqual(at(got, path) is not None, state in ("ok", "repaired", "defaulted"), line)
                states[name][i] = state
        return states

    def check_report(self, output, states):
        """The report counts the same states, and the errors file has a line for each failed pair, by row."""
        stem = output[:output.rindex(".")]
        report = self.report(stem + ".report.json")
        counted = {a["name"]: a["rows"] for a in report["recipe"]["analyses"]}
        failed = []
        for order, (name, by_row) in enumerate(states.items()):
            for state in SETTLED:
                self.assertEqual(counted[name][state], sum(s == state for s in by_row.values()), (name, state))
            failed += [(row, order, name) for row, s in by_row.items() if s == "failed"]
        errors = [json.loads(line) for line in self.lines(stem + ".errors.jsonl")]
        self.assertEqual([(e["row"], e["analysis"]) for e in errors],
                         [(row, name) for row, _, name in sorted(failed)])
        for e in errors:
            self.assertEqual(set(e), {"id", "custom_id", "row", "row_id", "analysis", "response", "error"})
            self.assertTrue(e["error"]["code"])
            self.assertTrue(e["error"]["message"])
        return report, errors


class ExamplesTest(RecipeTest):
    POSTS = {"sentiment_polarity": "enriched.sentiment", "sentiment_attributes": "enriched.feeling",
             "topics": "enriched.subject", "publisher_type": "enriched.publisher",
             "belief_system": "enriched.belief", "event_identity": "enriched.identity"}

    def data(self, example, name):
        with open(os.path.join(EXAMPLES, example, "data", name), encoding="utf-8") as f:
            return json.load(f)

    def check_post(self, row, tree):
        """What the answers of one post may be, told here without asking Sheaf."""
        enriched = row.get("enriched", {})
        if "sentiment" in enriched:
            self.assertIn(enriched["sentiment"]["polarity"], [1, 2, 3, 4, 5])
        for topic in enriched.get("subject", {}).get("topics", []):
            self.assertIn(topic["topic"], tree)
            if "subtopic" in topic:
                self.assertIn(topic["subtopic"], tree[topic["topic"]])

    def test_six_analyses_of_posts(self):
        posts = self.generate("posts", 240)
        posts[7] = '{"id": "p-empty", "content": "", "user": {"name": "无言", "intro": ""}}'
        image = {**json.loads(posts[8]), "id": "p-image", "images": ["images/none.png"]}
        posts[8] = json.dumps(image, ensure_ascii=False)
        source = self.write("posts.jsonl", posts)
        simulator = self.answering("posts", "rows-fenced=0.1", "rows-loose=0.05", "rows-prose=0.05",
                                   "rows-wrong-word=0.05", "rows-extra-key=0.03")
        recipe = os.path.join(self.example("posts"), "recipe.yaml")
        self.enrich(simulator, source, recipe, "out.jsonl", code=3)

        states = self.check_rows(posts, "out.jsonl", self.POSTS)
        report, errors = self.check_report("out.jsonl", states)
        rows = [json.loads(line) for line in self.lines("out.jsonl")]
        tree = {}
        for topic in self.data("posts", "topics.json")["topics"]:
            tree[topic.get("name") or topic.get("topic")] = topic.get("children") or topic.get("subtopics") or []
        for row in rows:
            self.check_post(row, tree)

        # A post without text is only asked who wrote it, and not even that.
        self.assertEqual({states[name][7] for name in self.POSTS}, {"skipped"})
        # The image that is not there: one analysis of that row, nothing else.
        self.assertEqual(states["sentiment_polarity"][8], "defaulted")
        self.assertEqual(rows[8]["_sheaf"]["sentiment_polarity"]["code"], "image_missing")
        for name in set(self.POSTS) - {"sentiment_polarity"}:
            self.assertNotIn("image", json.dumps(rows[8]["_sheaf"][name]))
        # All that was spoiled is marked.
        self.assertGreater(sum(s == "repaired" for s in states["topics"].values()), 5)
        self.assertGreater(sum(s == "defaulted" for s in states["publisher_type"].values()), 5)
        self.assertGreater(sum(s == "failed" for s in states["event_identity"].values()), 5)
        self.assertEqual({e["error"]["code"] for e in errors if e["analysis"] == "event_identity"}, {"invalid_answer"})
        # `retry` asks again, in rounds: most of what was spoiled is well the second time.
        self.assertLess(sum(s == "defaulted" for s in states["sentiment_polarity"].values()), 5)

    def test_relations_of_pairs_in_a_table(self):
        simulator = self.answering("relations", "rows-wrong-word=0.4:always")
        folder = self.example("relations")
        source = os.path.join(folder, "pairs.csv")
        self.enrich(simulator, source, os.path.join(folder, "recipe.yaml"), "out.csv")
        with open(source, newline="", encoding="utf-8") as f:
            asked = list(csv.reader(f))
        with open(self.path("out.csv"), newline="", encoding="utf-8") as f:
            got = list(csv.reader(f))
        self.assertEqual(got[0], [*asked[0], "relation", "_sheaf"])
        self.assertEqual([row[:len(asked[0])] for row in got], asked)
        allowed = set(json.dumps(self.data("relations", "relations.json"), ensure_ascii=False).split('"')[1::2])
        defaulted = 0
        for row in got[1:]:
            state = json.loads(row[-1])["relation"]
            self.assertIn(row[-2], allowed)
            if status(state) == "defaulted":
                defaulted += 1
                self.assertEqual(row[-2], "共现")
                self.assertEqual(state["code"], "invalid_answer")
                self.assertIn("vocabulary", state["why"])
        self.assertGreater(defaulted, 3)
        self.assertLess(defaulted, len(got) - 4)

    def test_habits_of_users_in_packs(self):
        users = self.generate("behaviour", 130)
        source = self.write("users.jsonl", users)
        simulator = self.answering("behaviour", "rows-forgotten=0.5")
        recipe = os.path.join(self.example("behaviour"), "recipe.yaml")
        self.enrich(simulator, source, recipe, "out.jsonl")
        states = self.check_rows(users, "out.jsonl", {"habit": "habit"})
        self.check_report("out.jsonl", states)
        self.assertLess(sum(s == "defaulted" for s in states["habit"].values()), 3)
        # 130 users in packs of 20, and one request for each that was forgotten.
        self.assertLess(simulator.ledger()["custom_ids"], 30)


class AnswersTest(RecipeTest):
    """Small recipes of the test's own."""

    LABEL = """\
model: m
id_field: id
analyses:
  - name: label
    prompt: "Label this: {{text}}"
    answer: {schema: {type: object, properties: {label: {type: string}}, required: [label], additionalProperties: false}%s}
    on_invalid: %s
    tries: %d
"""
    GOOD = {"find": "Label this", "json": {"label": {"$one": ["a", "b", "c"]}}}

    def label(self, repair="", on_invalid="retry", tries=2, more=""):
        return self.write_recipe(self.LABEL % (repair, on_invalid, tries) + more)

    def rows(self, n):
        return ['{"id":"r%d","text":"text %d"}' % (i, i) for i in range(n)]

    def run_label(self, recipe, n, *faults, code=0, output="out.jsonl", flags=()):
        words = [word for fault in faults for word in ("--fault", fault)]
        simulator = self.simulator("--answers", self.answers(self.GOOD), *words)
        rows = self.rows(n)
        self.enrich(simulator, self.write("rows.jsonl", rows), recipe, output, *flags, code=code)
        states = self.check_rows(rows, output, {"label": "label"})
        self.check_report(output, states)
        return [json.loads(line) for line in self.lines(output)], states["label"], simulator

    def test_a_spoiled_answer_is_asked_for_again(self):
        rows, states, _ = self.run_label(self.label(tries=5), 60, "rows-prose=0.3")
        self.assertEqual(set(states.values()), {"ok"})

    def test_an_answer_that_stays_spoiled_fails_and_says_why(self):
        rows, states, _ = self.run_label(self.label(), 60, "rows-prose=0.3:always", code=3)
        failed = [i for i, s in states.items() if s == "failed"]
        self.assertGreater(len(failed), 5)
        for i in failed:
            self.assertEqual(rows[i]["_sheaf"]["label"]["code"], "invalid_answer")
            self.assertIn("not JSON", rows[i]["_sheaf"]["label"]["why"])

    def test_a_default_is_always_marked(self):
        recipe = self.label(more="    default: {label: none}\n")
        rows, states, _ = self.run_label(recipe, 60, "rows-prose=0.3:always")
        self.assertGreater(sum(s == "defaulted" for s in states.values()), 5)
        for i, row in enumerate(rows):
            self.assertEqual(row["label"] == {"label": "none"}, states[i] == "defaulted")

    def test_repairs_are_marked_and_only_on_request(self):
        recipe = self.label(repair=", repair: true")
        rows, states, _ = self.run_label(recipe, 60, "rows-fenced=0.3:always")
        self.assertGreater(sum(s == "repaired" for s in states.values()), 5)
        self.assertTrue(all(row["_sheaf"]["label"]["repairs"] == ["fence"] for i, row in enumerate(rows)
                            if states[i] == "repaired"))
        self.assertTrue(all(row["label"]["label"] in "abc" for row in rows))

    def test_without_repair_a_fence_is_no_answer(self):
        _, states, _ = self.run_label(self.label(), 60, "rows-fenced=0.3:always", code=3)
        self.assertEqual(set(states.values()), {"ok", "failed"})

    def test_what_the_provider_fails_is_not_asked_again_in_a_round(self):
        rows, states, simulator = self.run_label(self.label(), 40, "rows-policy=0.3:always", code=3)
        failed = [i for i, s in states.items() if s == "failed"]
        self.assertGreater(len(failed), 3)
        self.assertEqual({rows[i]["_sheaf"]["label"]["code"] for i in failed}, {"content_filter"})

    def test_rows_that_cannot_be_asked_do_not_stop_the_others(self):
        rows = self.rows(12)
        rows[3] = "no row at all"
        rows[5] = '{"id":"r5"}'
        rows[6] = '["a list"]'
        rows[8] = '{"id":"r8","text":null}'
        simulator = self.simulator("--answers", self.answers(self.GOOD))
        self.enrich(simulator, self.write("rows.jsonl", rows), self.label(), "out.jsonl", code=3)
        got = [json.loads(line) for line in self.lines("out.jsonl")]
        self.assertEqual(len(got), 12)
        for i, row in enumerate(got):
            if i in (3, 6):
                self.assertEqual(row["_sheaf"]["error"]["code"], "invalid_row")
                self.assertEqual(row["_sheaf"]["row"], rows[i])
            elif i in (5, 8):
                self.assertEqual(row["_sheaf"]["label"]["code"], "template_error")
            else:
                self.assertEqual(row["_sheaf"], {"label": "ok"})
        errors = [json.loads(line) for line in self.lines("out.errors.jsonl")]
        self.assertEqual([(e["row"], e["error"]["code"]) for e in errors],
                         [(3, "invalid_row"), (5, "template_error"), (6, "invalid_row"), (8, "template_error")])


class PacksTest(RecipeTest):
    PACK = """\
model: m
id_field: id
analyses:
  - name: label
    system: Answer with a list.
    prompt: "Label each:\\n{{#rows}}## {{_id}}\\n{{text}}\\n{{/rows}}"
    answer: {schema: {type: object, properties: {label: {enum: [a, b, c]}}, required: [label]}}
    pack: {rows: 10}
    tries: 2
"""
    GOOD = {"find": "Label each", "each": "^## (.+)$", "json": {"label": {"$one": ["a", "b", "c"]}}}

    def run_pack(self, rows, *faults, code=0):
        words = [word for fault in faults for word in ("--fault", fault)]
        simulator = self.simulator("--answers", self.answers(self.GOOD), *words)
        self.enrich(simulator, self.write("rows.jsonl", rows), self.write_recipe(self.PACK), "out.jsonl", code=code)
        return [json.loads(line) for line in self.lines("out.jsonl")], simulator

    def rows(self, n):
        return ['{"id":"r%d","text":"text %d"}' % (i, i) for i in range(n)]

    def test_rows_that_a_pack_forgot_are_asked_alone(self):
        rows, simulator = self.run_pack(self.rows(100), "rows-forgotten=1:once")
        self.assertEqual({status(row["_sheaf"]["label"]) for row in rows}, {"ok"})
        # Ten packs forget a row each; ten requests about one row forget it once more; the next ones do not.
        self.assertEqual(simulator.ledger()["custom_ids"], 30)

    def test_a_pack_that_cannot_be_read_costs_none_of_its_rows(self):
        rows, simulator = self.run_pack(self.rows(100), "rows-prose=0.5:once")
        self.assertEqual({status(row["_sheaf"]["label"]) for row in rows}, {"ok"})
        self.assertGreater(simulator.ledger()["custom_ids"], 20)

    def test_a_pack_that_fails_at_the_provider_costs_none_of_its_rows(self):
        rows, simulator = self.run_pack(self.rows(100), "rows-policy=0.3:once", code=3)
        self.assertGreater(simulator.ledger()["custom_ids"], 20)
        states = [status(row["_sheaf"]["label"]) for row in rows]
        for first in range(0, 100, 10):
            self.assertIn("ok", states[first:first + 10])
        # Of those that are asked alone some are refused for themselves.
        self.assertEqual(set(states), {"ok", "failed"})
        self.assertEqual({row["_sheaf"]["label"]["code"] for row, s in zip(rows, states) if s == "failed"},
                         {"content_filter"})

    def test_one_bad_row_spoils_no_other(self):
        rows = self.rows(40)
        rows[5] = "broken"
        rows[13] = '{"id":"r13"}'
        got, _ = self.run_pack(rows, code=3)
        for i, row in enumerate(got):
            if i == 5:
                self.assertEqual(row["_sheaf"]["error"]["code"], "invalid_row")
            elif i == 13:
                self.assertEqual(row["_sheaf"]["label"]["code"], "template_error")
            else:
                self.assertEqual(row["_sheaf"], {"label": "ok"}, i)

    def test_two_rows_of_one_id_have_an_answer_each(self):
        rows = self.rows(20)
        rows[7] = rows[3] = '{"id":"same","text":"t"}'
        got, _ = self.run_pack(rows)
        self.assertEqual({status(row["_sheaf"]["label"]) for row in got}, {"ok"})


class KillTest(RecipeTest):
    """Everything dies in the middle; the same command ends with the same bytes."""

    RECIPE = """\
model: m
id_field: id
analyses:
  - name: label
    prompt: "Label this: {{text}}"
    answer: {schema: {type: object, properties: {label: {enum: [a, b, c]}}, required: [label]}}
    tries: 2
    default: {label: c}
  - name: packed
    prompt: "Label each:\\n{{#rows}}## {{_id}}\\n{{text}}\\n{{/rows}}"
    answer: {schema: {type: object, properties: {kind: {type: integer}}, required: [kind]}}
    pack: {rows: 7}
    tries: 2
"""
    RULES = ({"find": "Label this", "json": {"label": {"$one": ["a", "b", "c"]}}},
             {"find": "Label each", "each": "^## (.+)$", "json": {"kind": {"$int": [1, 9]}}})
    FAULTS = ("rows-prose=0.2:always", "rows-policy=0.1:always")

    def setUp(self):
        super().setUp()
        self.source = self.write("rows.jsonl", ['{"id":"r%d","text":"text %d"}' % (i, i) for i in range(120)])
        self.recipe = self.write_recipe(self.RECIPE)
        words = [word for fault in self.FAULTS for word in ("--fault", fault)]
        self.sim = self.simulator("--answers", self.answers(*self.RULES), *words)
        self.enrich(self.sim, self.source, self.recipe, "quiet.jsonl", code=3)
        self.quiet = self.bytes_of("quiet")

    def bytes_of(self, stem):
        found = []
        for suffix in (".jsonl", ".errors.jsonl"):
            with open(self.path(stem + suffix), "rb") as f:
                found.append(f.read())
        # What the provider calls a request is random.
        errors = [json.loads(line) for line in found[1].splitlines()]
        for e in errors:
            e["id"] = None
            if e["response"]:
                e["response"].pop("request_id", None)
        return found[0], errors

    def finish(self, code=3):
        self.enrich(self.sim, self.source, self.recipe, "out.jsonl", code=code)
        self.assertEqual(self.bytes_of("out"), self.quiet)

    def kill_at(self, point):
        """The command itself dies at @point; what it started dies with it."""
        process = self.start(*self.words(self.sim, self.source, self.recipe, self.path("out.jsonl")),
                             env={"SHEAF_FP": point})
        self.assertEqual(process.wait(timeout=60), -signal.SIGKILL, point)
        self.kill_group(process)

    def kill_group(self, process):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()

    def test_killed_where_it_writes(self):
        self.needs_failpoints()
        for point in ("round.map:kill", "round.requests:kill", "cli.round_ended:kill", "cli.round_kept:kill",
                      "round.map:kill@2", "round.requests:kill@2", "cli.round_ended:kill@2", "cli.round_kept:kill@2",
                      "publish.write:kill", "publish.write:kill@5", "publish.fsync:kill", "publish.fsync:kill@4",
                      "publish.fsync:kill@7", "publish.errors:kill", "publish.report:kill", "publish.output:kill"):
            with self.subTest(point):
                self.kill_at(point)
                self.finish()
                self.assertEqual([name for name in os.listdir(self.folder) if name.startswith(".out")], [])
                for name in os.listdir(self.folder):
                    if name.startswith("out."):
                        path = self.path(name)
                        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)

    def test_killed_again_and_again(self):
        for i in range(12):
            process = self.start(*self.words(self.sim, self.source, self.recipe, self.path("out.jsonl")))
            deadline = time.monotonic() + 0.4 + 0.25 * i
            while time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.02)
            done = process.poll() is not None
            self.kill_group(process)
            if done:
                break
        self.finish()

    def test_the_same_command_again_changes_nothing(self):
        self.finish()
        before = os.stat(self.path("out.jsonl"))
        self.finish()
        after = os.stat(self.path("out.jsonl"))
        self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns))


class ChangesTest(RecipeTest):
    def start_job(self):
        folder = self.example("posts")
        posts = self.generate("posts", 20)
        source = self.write("posts.jsonl", posts)
        simulator = self.answering("posts")
        recipe = os.path.join(folder, "recipe.yaml")
        self.enrich(simulator, source, recipe, "out.jsonl")
        return simulator, source, recipe, folder

    def change(self, path, old, new):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        self.assertIn(old, text)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new, 1))

    def test_what_changed_is_named_and_nothing_is_done(self):
        simulator, source, recipe, folder = self.start_job()
        with open(self.path("out.jsonl"), "rb") as f:
            before = f.read()
        cases = [("data/topics.json", "停车", "泊车"), ("prompts/topics.md", "主题", "题目"),
                 ("schemas/topics.json", "}", " }"), ("recipe.yaml", "temperature: 0.2", "temperature: 0.3")]
        for name, old, new in cases:
            with self.subTest(name):
                path = os.path.join(folder, name)
                shutil.copy(path, self.path("saved"))
                self.change(path, old, new)
                code, _, err = self.sheaf(*self.words(simulator, source, recipe, self.path("out.jsonl")))
                shutil.copy(self.path("saved"), path)
                if name.startswith("schemas"):
                    self.assertEqual(code, 12, err)
                self.assertEqual(code, 12, err)
                self.assertIn(os.path.basename(name), err)
        with open(self.path("out.jsonl"), "rb") as f:
            self.assertEqual(f.read(), before)

    def test_rows_that_changed_are_a_conflict(self):
        simulator, source, recipe, _ = self.start_job()
        with open(source, "a", encoding="utf-8") as f:
            f.write('{"id":"new","content":"one more"}\n')
        code, _, err = self.sheaf(*self.words(simulator, source, recipe, self.path("out.jsonl")))
        self.assertEqual(code, 12, err)


class AgainTest(RecipeTest):
    def test_failed_rows_are_sent_again_and_the_output_is_replaced(self):
        recipe = self.write_recipe(AnswersTest.LABEL % ("", "retry", 2))
        rows = ['{"id":"r%d","text":"text %d"}' % (i, i) for i in range(60)]
        source = self.write("rows.jsonl", rows)
        simulator = self.simulator("--answers", self.answers(AnswersTest.GOOD))
        simulator.arm("rows-policy=0.3:always")
        self.enrich(simulator, source, recipe, "out.jsonl", code=3)
        before = self.check_rows(rows, "out.jsonl", {"label": "label"})["label"]
        first = self.lines("out.jsonl")
        self.assertGreater(sum(s == "failed" for s in before.values()), 5)

        simulator.arm("rows-policy=off")
        code, _, err = self.sheaf("resubmit", "rows.jsonl", "--state-dir", self.path("out.jsonl.sheaf"),
                                  "--poll-interval", "100ms", "--settle", "1s", "--lease", "2s", "-y")
        self.assertEqual(code, 0, err)
        states = self.check_rows(rows, "out.jsonl", {"label": "label"})
        self.assertEqual(set(states["label"].values()), {"ok"})
        self.check_report("out.jsonl", states)
        for i, line in enumerate(self.lines("out.jsonl")):
            if before[i] == "ok":
                self.assertEqual(line, first[i])


    def resubmit(self, code=0, env=None):
        got, _, err = self.sheaf("resubmit", "rows.jsonl", "--state-dir", self.path("out.jsonl.sheaf"),
                                 "--poll-interval", "100ms", "--settle", "1s", "--lease", "2s", "-y", env=env)
        self.assertEqual(got, code, err)
        return err

    def failing_packs(self):
        """A job in which packs failed, and then some of their rows alone; from now on nothing fails."""
        recipe = self.write_recipe(PacksTest.PACK)
        rows = ['{"id":"r%d","text":"text %d"}' % (i, i) for i in range(100)]
        simulator = self.simulator("--answers", self.answers(PacksTest.GOOD))
        simulator.arm("rows-policy=0.3:always")
        self.enrich(simulator, self.write("rows.jsonl", rows), recipe, "out.jsonl", code=3)
        states = self.check_rows(rows, "out.jsonl", {"label": "label"})["label"]
        self.assertGreater(sum(s == "failed" for s in states.values()), 3)
        simulator.arm("rows-policy=off")
        return rows, states, self.lines("out.jsonl")

    def test_rows_that_failed_in_a_later_round_are_sent_again(self):
        rows, before, first = self.failing_packs()
        self.resubmit()
        states = self.check_rows(rows, "out.jsonl", {"label": "label"})
        self.assertEqual(set(states["label"].values()), {"ok"})
        self.check_report("out.jsonl", states)
        for i, line in enumerate(self.lines("out.jsonl")):
            if before[i] == "ok":
                self.assertEqual(line, first[i])


    def test_a_resubmission_that_is_killed_is_completed_by_the_same_command(self):
        self.needs_failpoints()
        rows, _, _ = self.failing_packs()
        for point in ("publish.errors:kill", "publish.report:kill"):
            process = self.start("resubmit", "rows.jsonl", "--state-dir", self.path("out.jsonl.sheaf"),
                                 "--poll-interval", "100ms", "--settle", "1s", "--lease", "2s", "-y",
                                 env={"SHEAF_FP": point})
            self.assertEqual(process.wait(timeout=60), -signal.SIGKILL, point)
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.resubmit()
        states = self.check_rows(rows, "out.jsonl", {"label": "label"})
        self.assertEqual(set(states["label"].values()), {"ok"})
        self.check_report("out.jsonl", states)


if __name__ == "__main__":
    main_in_slices(2)
