"""`sheaf plan`: what a job would be, said without a network, a key or a Redis, and with nothing written."""
import base64
import json
import os
import socket

from sheaf_test import SheafTest, main, request_line

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

RECIPE = """\
model: glm-4-air
multimodal_model: glm-4v-plus
defaults: {temperature: 0.2, max_tokens: 50}
id_field: id
analyses:
  - name: polarity
    prompt: "Rate: {{content}}"
    images: "{{image}}"
    when: content != ''
    answer: {type: json}
  - name: topics
    system: Be brief.
    prompt: |
      Of each:
      {{#rows}}
      {{_id}}: {{content}} by {{user.name | default: "nobody"}}
      {{/rows}}
    parameters: {max_tokens: 700}
    answer: {type: json}
    pack: {rows: 10}
"""


class Plan(SheafTest):
    def plan(self, *words, code=0, **options):
        """The plan as JSON, when it is one; nothing else was left in the folder."""
        before = sorted(os.listdir(self.folder))
        env = {"OPENAI_API_KEY": None, "PATH": "/nowhere", **options.pop("env", {})}
        got, out, err = self.sheaf("plan", *words, "--json", env=env, **options)
        self.assertEqual(got, code, err)
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        if code != 0:
            self.assertEqual(out, "")
            return err
        self.assertEqual(err, "")
        return json.loads(out)

    def rows(self, count, **extra):
        return self.write("rows.jsonl", [
            json.dumps({"id": "p-%d" % i, "content": "text %d" % i, **extra}) for i in range(count)])

    def recipe(self, text=RECIPE):
        return self.write("recipe.yaml", [text], end="")

    def test_requests_are_counted_by_endpoint_and_model(self):
        lines = [request_line("a%d" % i, "hello", max_tokens=10) for i in range(7)]
        lines += [request_line("b%d" % i, "hello", model="gpt-4o") for i in range(3)]
        lines += ["", json.dumps({"custom_id": "c", "url": "/v1/embeddings",
                                  "body": {"model": "text-embedding-3-small", "input": "x"}})]
        plan = self.plan(self.write("in.jsonl", lines))
        self.assertEqual((plan["requests"], plan["invalid"], plan["batches"]), (11, 0, 3))
        self.assertEqual([(lane["model"], lane["endpoint"], lane["requests"]) for lane in plan["lanes"]],
                         [("gpt-4o-mini", "/v1/chat/completions", 7), ("gpt-4o", "/v1/chat/completions", 3),
                          ("text-embedding-3-small", "/v1/embeddings", 1)])
        self.assertEqual(plan["lanes"][0]["max_output_tokens"], 70)
        self.assertEqual(plan["lanes"][0]["open_ended"], 0)
        self.assertEqual(plan["lanes"][1]["open_ended"], 3)
        self.assertEqual(plan["rows"], None)
        self.assertEqual(plan["limits"]["max_requests"]["value"], 50000)

    def test_batches_follow_the_limits_of_the_command_line(self):
        source = self.write("in.jsonl", [request_line("a%d" % i, "hello") for i in range(95)])
        self.assertEqual(self.plan(source)["batches"], 1)
        self.assertEqual(self.plan(source, "--max-requests", "10")["batches"], 10)
        plan = self.plan(source, "--max-bytes", "2000")
        self.assertEqual(plan["batches"], -(-plan["bytes"] // 2000))
        self.assertEqual(plan["lanes"][0]["max_bytes"], 2000)

    def test_lines_that_cannot_be_sent_are_named(self):
        lines = [request_line("a", "hello"), '{"custom_id": "torn', "[1]", '{"body": 7}']
        lines += ["nonsense"] * 20
        plan = self.plan(self.write("in.jsonl", lines))
        self.assertEqual((plan["requests"], plan["invalid"]), (1, 23))
        self.assertEqual([p["line"] for p in plan["problems"]], list(range(2, 12)))
        self.assertIn("not valid JSON", plan["problems"][0]["why"])
        code, out, _ = self.sheaf("plan", self.path("in.jsonl"))
        self.assertEqual(code, 0)
        self.assertIn("23 cannot be sent; the first 10 are", out)
        self.assertIn("    line 2: not valid JSON", out)

    def test_a_model_for_lines_without_one(self):
        source = self.write("in.jsonl", ['{"body": {"messages": []}}'])
        self.assertEqual(self.plan(source)["invalid"], 1)
        self.assertEqual(self.plan(source, "--model", "gpt-4o")["lanes"][0]["model"], "gpt-4o")

    def test_prices_free_known_and_unknown(self):
        def lines(model):
            return self.write(model + ".jsonl", [request_line("a", "hello", model=model, max_tokens=10)] * 100)

        known = self.plan(lines("glm-4-air"), "--provider", "zhipu")["price"]
        self.assertEqual(known["currency"], "CNY")
        self.assertAlmostEqual(known["realtime_nano"], 2 * known["batch_nano"], delta=2)
        self.assertGreater(known["batch_nano"], known["input_nano"])
        self.assertGreater(known["reserved_nano"], known["batch_nano"])
        free = self.plan(lines("glm-4-flash"), "--provider", "zhipu")["price"]
        self.assertEqual((free["batch_nano"], free["realtime_nano"]), (0, 0))
        unknown = self.plan(lines("my-own"), "--provider", "zhipu")
        self.assertEqual((unknown["price"], unknown["unpriced_model"]), (None, "my-own"))
        _, out, _ = self.sheaf("plan", self.path("my-own.jsonl"), "--provider", "zhipu")
        self.assertIn("price        ?  (no price is known for my-own at zhipu", out)
        self.write("sheaf.yaml", ["prices: {fx: {USDCNY: 8, as_of: 2026-11-20}, models: {my-own: "
                                  "{provider: zhipu, currency: CNY, input: 1000, output: 0, batch_factor: 1}}}"])
        priced = self.plan(self.path("my-own.jsonl"), "--provider", "zhipu")
        self.assertEqual(priced["price"]["batch_nano"], priced["input_tokens"] * 1000000)
        self.assertEqual(priced["fx"], {"usdcny_nano": 8000000000, "as_of": "2026-11-20"})

    def test_a_cap_is_compared(self):
        source = self.write("in.jsonl", [request_line("a", "hello", max_tokens=100000, model="glm-4-air")] * 10)

        def state(cap, *more):
            return self.plan(source, "--provider", "zhipu", "--max-cost", cap, *more)["max_cost"]["state"]

        self.assertEqual(state("20CNY"), "enough")
        self.assertEqual(state("$3"), "enough")
        self.assertEqual(state("0.01CNY"), "tight")
        self.assertEqual(state("0.000000001CNY"), "too_low")
        self.assertIn("--max-cost", self.plan(source, "--max-cost", "much", code=2))
        self.assertEqual(self.plan(source)["max_cost"], None)

    def test_a_recipe_by_analysis_and_model(self):
        with open(self.path("a.png"), "wb") as f:
            f.write(PNG)
        lines = [json.dumps({"id": "p-%d" % i, "content": "text %d" % i if i % 10 else "",
                             **({"image": "a.png"} if i < 5 else {})}) for i in range(100)]
        lines += ["[1, 2]", '{"id": "q", "content": "x", "image": "gone.png"}', "torn {"]
        plan = self.plan(self.write("rows.jsonl", lines), "--recipe", self.recipe(), "--provider", "zhipu")
        self.assertEqual((plan["rows"], plan["bad_rows"], plan["invalid"]), (103, 2, 3))
        polarity, topics = plan["analyses"]
        self.assertEqual((polarity["requests"], polarity["with_image"], polarity["skipped"], polarity["problems"]),
                         (90, 4, 10, 1))
        self.assertEqual(polarity["max_output_tokens"], 90 * 50)
        self.assertEqual((topics["requests"], topics["rows"], topics["packs"], topics["problems"]), (11, 101, 10, 0))
        self.assertEqual(topics["max_output_tokens"], 11 * 700)
        self.assertEqual({lane["model"]: lane["requests"] for lane in plan["lanes"]},
                         {"glm-4-air": 86 + 11, "glm-4v-plus": 4})
        self.assertEqual(plan["batches"], 2)
        self.assertEqual([(p["line"], p["analysis"], p["code"]) for p in plan["problems"]],
                         [(101, None, "invalid_row"), (103, None, "invalid_row"),
                          (102, "polarity", "image_missing")])
        for member in ("batch_nano", "realtime_nano", "input_nano"):
            self.assertEqual(polarity["price"][member] + topics["price"][member], plan["price"][member])

    def test_the_requests_are_those_that_would_be_sent(self):
        plan = self.plan(self.rows(100, image=None), "--recipe", self.recipe(), "--provider", "zhipu")
        self.assertEqual(len(plan["prompts"]), 5)
        self.assertEqual([p["analysis"] for p in plan["prompts"]],
                         ["polarity", "topics", "polarity", "topics", "polarity"])
        first, second = plan["prompts"][0], plan["prompts"][1]
        self.assertEqual((first["row"], first["prompt"], first["system"]), (0, "Rate: text 0", ""))
        self.assertEqual(second["system"], "Be brief.")
        self.assertEqual(second["prompt"].split("\n")[:2],
                         ["Of each:", "p-%d: text %d by nobody" % (second["row"], second["row"])])
        rows = [p["row"] for p in plan["prompts"] if p["analysis"] == "polarity"]
        self.assertEqual(rows, sorted(set(rows)))
        self.assertGreater(rows[-1], 70)

    def test_long_prompts_are_cut_for_the_eye(self):
        source = self.write("rows.jsonl", [json.dumps({"content": "\u4f60" * 5000}, ensure_ascii=False)])
        recipe = self.recipe("model: m\nanalyses: [{name: a, prompt: '{{content}}\\n{{content | cut: 3}}'}]\n")
        plan = self.plan(source, "--recipe", recipe)
        prompt = plan["prompts"][0]
        self.assertLess(len(prompt["prompt"]), 1000)
        self.assertEqual(prompt["prompt"], "\u4f60" * len(prompt["prompt"]))
        _, out, _ = self.sheaf("plan", source, "--recipe", recipe)
        self.assertIn("... %d bytes more" % (prompt["prompt_bytes"] - 1500), out)

    def test_a_column_that_no_row_has_is_said_with_its_place(self):
        recipe = self.recipe("model: m\nanalyses:\n  - name: a\n    prompt_file: prompts/a.md\n")
        os.mkdir(self.path("prompts"))
        self.write("prompts/a.md", ["One", "two {{contnet}}"])
        err = self.plan(self.rows(3), "--recipe", recipe, code=2)
        self.assertIn('prompts/a.md:2:7: ', err)
        self.assertIn('did you mean "content"?', err)
        self.write("prompts/a.md", ["{{#if contnet}}{{contnet}}{{/if}}{{content}}"])
        self.assertEqual(self.plan(self.rows(3), "--recipe", recipe)["requests"], 3)

    def test_what_is_wrong_with_a_recipe_is_usage_and_with_rows_is_input(self):
        rows, recipe = self.rows(3, image=""), self.recipe()
        self.assertIn("no-such.yaml", self.plan(rows, "--recipe", "no-such.yaml", code=2))
        self.assertIn("unknown filter", self.plan(
            rows, "--recipe", self.recipe(RECIPE.replace("default:", "defualt:")), code=2))
        self.recipe()
        self.assertIn("gone.jsonl", self.plan("gone.jsonl", "--recipe", recipe, code=11))
        self.assertIn("gone.jsonl", self.plan("gone.jsonl", code=11))
        self.assertIn("INPUT is missing", self.plan(code=2))
        self.assertIn("--recipe", self.plan(rows, "--encoding", "gb18030", code=2))
        self.assertIn("--input-format", self.plan(rows, "--recipe", recipe, "--input-format", "xml", code=2))
        self.assertIn("no-such", self.plan(rows, "--provider", "no-such", code=2))

    def test_rows_of_other_forms_and_from_standard_input(self):
        recipe = self.recipe("model: glm-4-air\nanalyses: [{name: a, prompt: '{{content}} {{stars}}', "
                             "when: stars > 3}]\n")
        csv = "content,stars\r\nhello,5\r\n\"two\nlines\",4\r\nno,3\r\n"
        self.write("rows.csv", [csv], end="")
        plan = self.plan("rows.csv", "--recipe", recipe)
        self.assertEqual((plan["rows"], plan["requests"]), (3, 2))
        self.assertEqual(plan["prompts"][1]["prompt"], "two\nlines 4")
        plan = self.plan("-", "--recipe", recipe, "--input-format", "csv", stdin=csv.encode())
        self.assertEqual((plan["rows"], plan["requests"]), (3, 2))
        lines = "".join(request_line("a", "x") + "\n" for _ in range(3))
        self.assertEqual(self.plan("-", stdin=lines.encode())["requests"], 3)
        self.write("empty.jsonl", [])
        plan = self.plan("empty.jsonl", "--recipe", recipe)
        self.assertEqual((plan["rows"], plan["requests"], plan["batches"], plan["price"]), (0, 0, 0, None))
        self.assertEqual(self.plan("empty.jsonl")["requests"], 0)

    def test_the_older_format_needs_no_input(self):
        os.mkdir(self.path("data"))
        files = {"posts": [{"content": "好", "image_urls": ["https://example.org/a.png"]}, {"content": "坏"}, {}],
                 "sentiment_attributes": ["喜悦", "愤怒"], "publisher_objects": ["居民", "媒体"],
                 "topics": [{"parent_topic": "环境", "sub_topics": ["河道"]}]}
        for name, content in files.items():
            self.write("data/%s.json" % name, [json.dumps(content, ensure_ascii=False)])
        config = self.write("config.json", [json.dumps(
            {"batch": {"model": "glm-4-air", "multimodal_model": "glm-4v-plus"}, "paths": {"data_dir": "data"}})])
        plan = self.plan("--config", config, "--provider", "zhipu")
        self.assertEqual(plan["rows"], 3)
        self.assertEqual({lane["model"] for lane in plan["lanes"]}, {"glm-4-air", "glm-4v-plus"})
        self.assertEqual({a["name"]: (a["requests"], a["skipped"]) for a in plan["analyses"]}["sentiment_polarity"], (2, 1))

    def test_nothing_is_called(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
            listener.settimeout(0.05)
            url = "http://127.0.0.1:%d/v1" % listener.getsockname()[1]
            source = self.write("in.jsonl", [request_line("a", "x")])
            self.plan(source, "--base-url", url)
            self.plan(self.rows(3, image="http://127.0.0.1:%d/a.png" % listener.getsockname()[1]),
                      "--recipe", self.recipe(), "--base-url", url)
            with self.assertRaises(socket.timeout):
                listener.accept()

    def test_rows_given_without_a_recipe_are_told_so(self):
        code, out, _ = self.sheaf("plan", self.rows(3))
        self.assertEqual(code, 0)
        self.assertIn("rows that are no requests need a --recipe", out)


if __name__ == "__main__":
    main()
