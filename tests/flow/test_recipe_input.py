"""Recipes, files and rows that are wrong, and answers that are: what `sheaf plan` and `sheaf run` say of them.

What is wrong before anything is asked is said by both commands with its place, ends with exit 2 (the recipe and
its files) or 11 (the rows), and leaves nothing behind. What is wrong with a row is that row's failure.
"""
import csv
import gzip
import io
import json
import os

from sheaf_test import SheafTest, main_in_slices

NOWHERE = "http://127.0.0.1:9/v1"

RECIPE = """\
model: gpt-4o-mini
id_field: id
analyses:
  - name: mood
    prompt: "How does it feel? {{content}}"
    answer: {schema: schemas/mood.json, repair: true}
    on_invalid: fail
    output: enriched.mood
"""
SCHEMA = """\
{"type": "object", "required": ["word", "n"],
 "properties": {"word": {"enum": ["good", "bad"]}, "n": {"type": "integer", "minimum": 1, "maximum": 5}},
 "additionalProperties": false}
"""
ANSWERS = {"answers": [{"json": {"n": 4, "word": "good"}}]}
ROWS = ['{"id":"a","content":"fine"}', '{"id":"b","content":"很好"}', '{"id":"c","content":"no"}']


class RecipeInputTest(SheafTest):
    def put(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def recipe(self, *changes, rows=None, files=None):
        """The recipe above with each (old, new) of @changes, its files and rows."""
        text = RECIPE
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.put("recipe.yaml", text)
        for name, content in {"schemas/mood.json": SCHEMA, **(files or {})}.items():
            self.put(name, content)
        self.write("rows.jsonl", ROWS if rows is None else rows)

    def plan(self, *flags, source="rows.jsonl"):
        return self.sheaf("plan", source, "--recipe", "recipe.yaml", *flags)

    def words(self, url, *flags, source="rows.jsonl"):
        return ["run", source, "--recipe", "recipe.yaml", "-o", "out.jsonl", "--base-url", url, "--poll-interval",
                "100ms", "--settle", "1s", "--lease", "2s", "--linger", "50ms", *flags]

    def refused(self, message, *flags, code=2, source="rows.jsonl"):
        """Both commands end with @code and @message, and nothing is made."""
        before = sorted(os.listdir(self.folder))
        for words in (["plan", source, "--recipe", "recipe.yaml", *flags], self.words(NOWHERE, *flags, source=source)):
            got, out, err = self.sheaf(*words)
            self.assertEqual(got, code, err)
            self.assertIn("sheaf %s: %s\n" % (words[0], message), err)
            self.assertEqual(out, "")
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def run_to_end(self, *flags, code=0, simulator_flags=(), source="rows.jsonl"):
        simulator = self.simulator("--answers", self.put("answers.json", json.dumps(ANSWERS)), *simulator_flags)
        got, _, err = self.sheaf(*self.words(simulator.url, *flags, source=source))
        self.assertEqual(got, code, err)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)
        return [json.loads(line) for line in self.lines("out.jsonl")]

    def errors(self):
        return [(line["row"], line["analysis"], line["error"]["code"], line["error"]["message"])
                for line in map(json.loads, self.lines("out.errors.jsonl"))]

    # ---- the recipe

    def test_an_unknown_key(self):
        self.recipe(("    prompt:", "    promt:"))
        self.refused('recipe.yaml:5:5: unknown key "promt"; did you mean "prompt"?')

    def test_an_unknown_key_at_the_top(self):
        self.recipe(("id_field", "id_feild"))
        self.refused('recipe.yaml:2:1: unknown key "id_feild"; did you mean "id_field"?')

    def test_an_unknown_key_of_a_vocabulary(self):
        self.recipe(("    on_invalid: fail", "    vocabulary: {file: words.json, pth: words}"))
        self.refused('recipe.yaml:7:36: unknown key "pth"; did you mean "path"?')

    def test_a_recipe_that_is_not_there(self):
        self.recipe()
        os.remove(self.path("recipe.yaml"))
        self.refused("recipe.yaml: cannot be read: No such file or directory")

    def test_a_default_that_is_no_valid_answer(self):
        self.recipe(("on_invalid: fail", "default: {word: good, n: many}"))
        self.refused('recipe.yaml:7:5: default: is no valid answer: n: expected an integer, got a string ("many")')

    def test_an_output_with_an_empty_name(self):
        self.recipe(("enriched.mood", "enriched..mood"))
        self.refused('recipe.yaml:8:13: output: "enriched..mood" has an empty name in it')

    # ---- columns and templates

    def test_an_unknown_column(self):
        self.recipe(("{{content}}", "{{contnet}}"))
        self.refused('recipe.yaml:5:13: prompt:1:21: no row has a column "contnet"; did you mean "content"?')

    def test_an_unknown_column_in_a_condition(self):
        self.recipe(("on_invalid: fail", "when: contnet != ''"))
        self.refused('recipe.yaml:7:11: when: column 1: no row has a column "contnet"; did you mean "content"?')

    def test_an_unknown_column_as_id(self):
        self.recipe(("id_field: id", "id_field: idd"))
        self.refused('recipe.yaml:2:11: id_field: no row has a column "idd"; did you mean "id"?')

    def test_an_unknown_column_in_a_file_of_a_file(self):
        self.recipe(('prompt: "How does it feel? {{content}}"', "prompt_file: prompts/a.md"),
                    files={"prompts/a.md": "Look:\n{{> prompts/b.md}}\n", "prompts/b.md": "this\n  is {{contnet}}\n"})
        self.refused('prompts/b.md:2:8: no row has a column "contnet"; did you mean "content"?')

    def test_an_unknown_column_of_csv(self):
        self.recipe()
        self.put("rows.csv", "id,contents\n1,x\n")
        self.refused('recipe.yaml:5:13: prompt:1:21: no row has a column "content"; did you mean "contents"?',
                     source="rows.csv")

    def test_a_place_in_a_block_is_that_in_the_recipe(self):
        self.recipe(('"How does it feel? {{content}}"', "|\n      How does it feel?\n\n      Say: {{contnet}}"))
        self.refused('recipe.yaml:8:14: no row has a column "contnet"; did you mean "content"?')

    def test_an_unknown_filter(self):
        self.recipe(("{{content}}", "{{content | defualt: 3}}"))
        self.refused('recipe.yaml:5:13: prompt:1:31: unknown filter "defualt"; did you mean "default"?')

    def test_a_template_loop(self):
        self.recipe(('prompt: "How does it feel? {{content}}"', "prompt_file: prompts/a.md"),
                    files={"prompts/a.md": "Look:\n{{> prompts/b.md}}\n", "prompts/b.md": "and {{> prompts/a.md}}\n"})
        self.refused("prompts/b.md:1:7: a template loop: prompts/a.md > prompts/b.md > prompts/a.md")

    def test_a_template_that_is_not_there(self):
        self.recipe(('prompt: "How does it feel? {{content}}"', "prompt_file: prompts/a.md"),
                    files={"prompts/a.md": "Look:\n{{> prompts/b.md}}\n"})
        self.refused("prompts/a.md:2:3: prompts/b.md: cannot be read: No such file or directory")

    # ---- vocabularies and schemas

    def vocabulary(self, value, text=None):
        files = {} if text is None else {"data/words.json": text}
        self.recipe(("    on_invalid: fail", "    vocabulary: " + value), files=files)

    def test_a_vocabulary_that_is_not_there(self):
        self.vocabulary("data/words.json")
        self.refused("recipe.yaml:7:17: data/words.json: cannot be read: No such file or directory")

    def test_a_vocabulary_that_is_no_json(self):
        self.vocabulary("data/words.json", '["a",\n "b" "c"]')
        self.refused("data/words.json:2:6: not valid JSON: expected a comma or a closing bracket")

    def test_a_vocabulary_of_something_else(self):
        self.vocabulary("{file: data/words.json, path: words}", '{"words":\n ["a", 1]}')
        code, _, err = self.plan()
        self.assertEqual(code, 2)
        self.assertIn("data/words.json:2:8: ", err)

    def test_an_unknown_path_in_a_vocabulary(self):
        self.vocabulary("{file: data/words.json, path: wrods}", '{"words": ["a"]}')
        code, _, err = self.plan()
        self.assertEqual(code, 2)
        self.assertIn('data/words.json:1:1: there is no "wrods" here', err)

    def test_an_unknown_keyword_of_a_schema(self):
        self.recipe(files={"schemas/mood.json": '{"type": "object",\n "propertis": {}}'})
        self.refused('schemas/mood.json:2:2: unknown keyword "propertis"; did you mean "properties"?')

    def test_a_schema_that_is_no_json(self):
        self.recipe(files={"schemas/mood.json": '{"type": "object",\n "properties" {}}'})
        self.refused("schemas/mood.json:2:15: not valid JSON: expected a colon")

    def test_a_schema_that_is_not_there(self):
        self.recipe()
        os.remove(self.path("schemas/mood.json"))
        self.refused("recipe.yaml:6:22: schemas/mood.json: cannot be read: No such file or directory")

    # ---- rows that cannot be read

    def test_rows_that_are_not_there(self):
        self.recipe()
        self.refused("nothing.jsonl: No such file or directory", code=11, source="nothing.jsonl")

    def test_a_name_that_says_no_format(self):
        self.recipe()
        self.put("rows", ROWS[0])
        self.refused("rows: its name does not say what it is (.jsonl .ndjson .json .csv .tsv); say so with "
                     "--input-format", code=11, source="rows")

    def test_an_unknown_encoding(self):
        self.recipe()
        self.refused('the encoding "gb1803" is not known; did you mean "gb18030"?', "--encoding", "gb1803")

    def test_an_unknown_encoding_in_the_recipe(self):
        self.recipe(("id_field: id", "id_field: id\ninput: {encoding: gb1803}"))
        self.refused('recipe.yaml:3:19: the encoding "gb1803" is not known; did you mean "gb18030"?')

    def test_two_columns_of_one_name(self):
        self.recipe()
        self.put("rows.csv", "id,content,\"id\"\n1,x,2\n")
        self.refused("rows.csv:1:12: an earlier column has the same name", code=11, source="rows.csv")

    def test_a_column_without_a_name(self):
        self.recipe()
        self.put("rows.csv", "id,,content\n1,x,2\n")
        self.refused("rows.csv:1:4: the column has no name", code=11, source="rows.csv")

    def test_a_quote_that_is_never_closed(self):
        self.recipe()
        self.put("rows.csv", "id,content\n1,x\n2,\"y\n3,z\n")
        self.refused("rows.csv:3:1: a quote in the record that begins here is never closed", code=11,
                     source="rows.csv")

    def test_an_array_with_a_comma_missing(self):
        self.recipe()
        self.put("rows.json", "[%s,\n%s\n%s]" % tuple(ROWS))
        self.refused("rows.json:3:1: expected a comma or a closing bracket", code=11, source="rows.json")

    def test_lines_of_objects_that_are_called_an_array(self):
        self.recipe()
        self.write("rows.json", ROWS)
        self.refused("rows.json:1:1: expected an array of objects; if it has an object in each line, say so with "
                     "--input-format jsonl", code=11, source="rows.json")
        self.assertEqual(len(self.run_to_end("--input-format", "jsonl", source="rows.json")), 3)

    def test_another_encoding_than_the_one_said(self):
        self.recipe()
        self.put("rows.csv", "id,内容\n1,x\n".encode("gb18030"))
        self.refused("rows.csv:1:4: the column's name is not valid UTF-8; if the file is in another encoding, say "
                     "so with --encoding", code=11, source="rows.csv")

    # ---- the forms rows have

    def test_rows_of_every_form_give_the_same_rows(self):
        self.recipe()
        rows = [json.loads(row) for row in ROWS]
        table = "id,content\r\n" + "".join('%s,"%s"\r\n' % (row["id"], row["content"]) for row in rows)
        lines = "".join(row + "\n" for row in ROWS).encode()
        forms = [("rows.ndjson", lines, []), ("rows.json", "[\n %s\n]" % " ,".join(ROWS), []),
                 ("rows.csv", b"\xef\xbb\xbf" + table.encode(), []), ("rows.tsv", table.replace(",", "\t"), []),
                 ("old.csv", table.encode("gb18030"), ["--encoding", "gb18030"]),
                 ("rows.csv.gz", gzip.compress(table.encode()), []), ("rows.txt", lines, ["--input-format", "jsonl"])]
        simulator = self.simulator("--answers", self.put("answers.json", json.dumps(ANSWERS)))
        wanted = [{**row, "enriched": {"mood": ANSWERS["answers"][0]["json"]}, "_sheaf": {"mood": "ok"}}
                  for row in rows]
        for i, (name, content, flags) in enumerate(forms):
            self.put(name, content)
            with self.subTest(name):
                code, _, err = self.sheaf(*self.words(simulator.url, *flags, "-o", "out-%d.json" % i, source=name))
                self.assertEqual(code, 0, err)
                with open(self.path("out-%d.json" % i)) as f:
                    self.assertEqual(json.load(f), wanted)
        for i, (flags, content) in enumerate([([], lines), (["--input-format", "csv"], table.encode())]):
            with self.subTest("standard input", flags=flags):
                code, _, err = self.sheaf(*self.words(simulator.url, *flags, "-o", "piped-%d.json" % i, "--job",
                                                      "piped-%d" % i, source="-"), stdin=content)
                self.assertEqual(code, 0, err)
                with open(self.path("piped-%d.json" % i)) as f:
                    self.assertEqual(json.load(f), wanted)

    def test_a_table_comes_out_as_it_was_with_the_answers(self):
        self.recipe()
        self.put("rows.csv", 'id,"content"\r\n"a", fine \r\nb,"很\r\n好"\r\nc\r\n')
        simulator = self.simulator("--answers", self.put("answers.json", json.dumps(ANSWERS)))
        code, _, err = self.sheaf(*self.words(simulator.url, "-o", "out.csv", source="rows.csv"))
        self.assertEqual(code, 3, err)
        cells = ',"{""n"":4,""word"":""good""}","{""mood"":""ok""}"\r\n'
        with open(self.path("out.csv"), newline="") as f:
            text = f.read()
        self.assertEqual(text[:text.rindex("\r\n,")], 'id,"content",enriched.mood,_sheaf\r\n"a", fine ' + cells +
                         'b,"很\r\n好"' + cells[:-2])
        self.assertEqual(list(csv.reader(io.StringIO(text)))[3][:3], ["", "", ""])

    # ---- rows with a problem: theirs alone

    def check_rows(self, rows, problems, *flags, code=3, source="rows.jsonl", simulator_flags=()):
        """@problems: {row: (code, message)}. `plan` names them, `run` asks about the others only."""
        got, out, err = self.plan(*flags, source=source)
        self.assertEqual(got, 0, err)
        for problem, message in problems.values():
            self.assertIn("%s: %s\n" % (problem, message), out)
        lines = self.run_to_end(*flags, code=code, source=source, simulator_flags=simulator_flags)
        self.assertEqual(len(lines), rows)
        for i, line in enumerate(lines):
            if i not in problems:
                self.assertEqual(line["enriched"], {"mood": {"word": "good", "n": 4}})
                self.assertEqual(line["_sheaf"], {"mood": "ok"})
            elif problems[i][0] == "invalid_row":
                self.assertEqual(line["_sheaf"]["error"], {"code": "invalid_row", "message": problems[i][1]})
                self.assertEqual(sorted(line), ["_sheaf"])
            else:
                self.assertNotIn("enriched", line)
                self.assertEqual(line["_sheaf"]["mood"]["status"], "failed")
                self.assertEqual(line["_sheaf"]["mood"]["code"], problems[i][0])
                self.assertEqual(line["_sheaf"]["mood"]["why"], problems[i][1])
        self.assertEqual(self.errors(), [(i, "mood", *problems[i]) for i in sorted(problems)])
        return lines

    def test_rows_that_are_no_objects(self):
        rows = [ROWS[0], "[1]", '"x"', ROWS[1], "{\"id\" 5}", "nonsense", ROWS[2]]
        self.recipe(rows=rows)
        lines = self.check_rows(7, {
            1: ("invalid_row", "line 2, column 1: the row is not an object but of type array"),
            2: ("invalid_row", "line 3, column 1: the row is not an object but of type string"),
            4: ("invalid_row", "line 5, column 7: not valid JSON: expected a colon"),
            5: ("invalid_row", "line 6, column 1: not valid JSON: expected a value")})
        self.assertEqual(lines[4]["_sheaf"]["row"], rows[4])

    def test_records_of_another_length_than_the_header(self):
        self.recipe()
        self.put("rows.csv", "id,content\r\n1,good\r\n2\r\n3,\"a\r\nb\"\r\n4,x,y\r\n")
        self.check_rows(4, {1: ("invalid_row", "line 3: has 1 field, but the header names 2"),
                            3: ("invalid_row", "line 6: has 3 fields, but the header names 2")}, source="rows.csv")

    def test_a_byte_that_is_not_of_the_encoding(self):
        self.recipe()
        self.put("rows.csv", "id,content\n1,好\n2,".encode("gb18030") + b"\xff\n" + "3,坏\n".encode("gb18030"))
        lines = self.check_rows(3, {1: ("invalid_row", "line 3: byte 19 of the file is not valid gb18030")},
                                "--encoding", "gb18030", source="rows.csv")
        self.assertEqual([lines[0]["content"], lines[2]["content"]], ["好", "坏"])

    def test_a_text_that_is_not_utf8(self):
        self.recipe(("{{content}}", "{{text}}"), ("id_field: id", "id_field: file"))
        self.put("texts/a.txt", "good")
        self.put("texts/b.txt", b"a line\n\xd6\xd0")
        self.put("texts/.hidden", "no row")
        self.put("texts/more/c.txt", "no row")
        lines = self.check_rows(2, {1: ("invalid_row", "b.txt: line 2, column 1: not valid UTF-8")}, source="texts")
        self.assertEqual(lines[0]["text"], "good")

    def test_a_row_without_the_column(self):
        self.recipe(rows=[ROWS[0], '{"id":"x"}', '{"id":"y","content":null}', ROWS[2]])
        self.check_rows(4, {1: ("template_error", 'recipe.yaml:5:13: prompt:1:21: the row has no "content"'),
                            2: ("template_error", 'recipe.yaml:5:13: prompt:1:21: "content" is null in the row')})

    def test_a_row_over_the_line_limit_of_the_provider(self):
        self.recipe(rows=[ROWS[0], json.dumps({"id": "long", "content": "x" * 3000}), ROWS[2]])
        self.put("sheaf.yaml", "providers:\n  openai:\n    limits: {max_line_bytes: 2KB}\n")
        got, out, err = self.plan("--config", "sheaf.yaml")
        self.assertEqual(got, 0, err)
        self.assertRegex(out, r"line 2, mood: row_too_long: its request has \d+ bytes, and at most 2000 can be sent\n")
        lines = self.run_to_end("--config", "sheaf.yaml", code=3)
        self.assertEqual([line["_sheaf"]["mood"] if isinstance(line["_sheaf"]["mood"], str)
                          else line["_sheaf"]["mood"]["code"] for line in lines], ["ok", "row_too_long", "ok"])
        self.assertEqual([error[:3] for error in self.errors()], [(1, "mood", "row_too_long")])

    def test_images_that_are_missing_or_none(self):
        self.recipe(("    output:", "    images: \"{{image | default: ''}}\"\n    output:"),
                    rows=[ROWS[0], '{"id":"x","content":"y","image":"gone.png"}',
                          '{"id":"y","content":"z","image":"text.png"}', ROWS[2]],
                    files={"text.png": "no image"})
        got, out, err = self.plan()
        self.assertEqual(got, 0, err)
        self.assertRegex(out, r"line 2, mood: image_missing: .*/gone\.png: No such file or directory\n")
        self.assertRegex(out, r"line 3, mood: image_invalid: .*/text\.png: neither PNG, JPEG, GIF, WebP nor BMP\n")
        lines = self.run_to_end(code=3)
        self.assertEqual([error[:3] for error in self.errors()],
                         [(1, "mood", "image_missing"), (2, "mood", "image_invalid")])
        self.assertEqual([line.get("enriched") is not None for line in lines], [True, False, False, True])

    # ---- answers that are wrong

    def check_answers(self, fault, why, *changes, code=3):
        """Every answer is spoiled: each row fails with @why; with a default it has that, and says so."""
        self.recipe(*changes)
        lines = self.run_to_end(code=code, simulator_flags=["--fault", fault])
        for line in lines:
            said = line["_sheaf"]["mood"]
            self.assertEqual(said["code"], "invalid_answer")
            self.assertIn(why, said["why"])
            self.assertEqual(said["status"], "failed" if code == 3 else "defaulted")
        self.assertEqual(len(self.errors()), 3 if code == 3 else 0)
        return lines

    def test_answers_in_prose(self):
        lines = self.check_answers("rows-prose=1:always", "not JSON")
        self.assertNotIn("enriched", lines[0])

    def test_answers_in_prose_where_there_is_a_default(self):
        lines = self.check_answers("rows-prose=1:always", "not JSON",
                                   ("on_invalid: fail", "default: {word: bad, n: 1}"), code=0)
        self.assertEqual(lines[0]["enriched"], {"mood": {"word": "bad", "n": 1}})

    def test_answers_with_words_of_another_language(self):
        self.check_answers("rows-wrong-word=1:always", "word: ")

    def test_answers_with_extra_keys(self):
        self.check_answers("rows-extra-key=1:always", "comment")

    def test_answers_with_numbers_as_words(self):
        self.put("schemas/n.json", '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}')
        self.recipe(("schemas/mood.json", "schemas/n.json"))
        simulator = self.simulator("--answers", self.put("answers.json", '{"answers":[{"json":{"n":3}}]}'),
                                   "--fault", "rows-wrong-word=1:always")
        code, _, err = self.sheaf(*self.words(simulator.url))
        self.assertEqual(code, 3, err)
        self.assertEqual(self.errors()[0], (0, "mood", "invalid_answer",
                                            'n: expected an integer, got a string ("three")'))

    def test_answers_that_are_not_in_the_vocabulary(self):
        self.recipe(("    on_invalid: fail", "    vocabulary: {terms: [bad, so-so], at: word}\n    on_invalid: fail"))
        lines = self.run_to_end(code=3)
        self.assertEqual(lines[0]["_sheaf"]["mood"]["why"], 'word: "good" is not in the vocabulary')

    def test_wrong_answers_are_asked_for_again(self):
        self.recipe(("on_invalid: fail", "on_invalid: retry\n    tries: 3"))
        lines = self.run_to_end(simulator_flags=["--fault", "rows-prose=1"], code=3)
        report = self.report("out.report.json")["recipe"]
        self.assertEqual(report["rounds"], 3)
        self.assertEqual(report["analyses"][0]["invalid"], 9)
        self.assertEqual({line["_sheaf"]["mood"]["code"] for line in lines}, {"invalid_answer"})

    # ---- what has changed between two runs

    def changed(self, message, *names):
        """The same command after @names were changed: exit 12 and @message, and the output stays."""
        self.run_to_end()
        with open(self.path("out.jsonl"), "rb") as f:
            before = f.read()
        for name, text in names:
            self.put(name, text)
        code, _, err = self.sheaf(*self.words(self.simulators[0].url))
        self.assertEqual(code, 12, err)
        self.assertIn(message, err)
        with open(self.path("out.jsonl"), "rb") as f:
            self.assertEqual(f.read(), before)

    def test_a_vocabulary_that_has_changed(self):
        self.recipe(("    on_invalid: fail", "    vocabulary: {file: data/words.json, at: word}"),
                    files={"data/words.json": '["good", "bad"]'})
        self.changed("data/words.json has changed since this job began", ("data/words.json", '["good", "bad", "so-so"]'))

    def test_a_schema_that_has_changed(self):
        self.recipe()
        self.changed("schemas/mood.json has changed since this job began",
                     ("schemas/mood.json", SCHEMA.replace("5", "6")))

    def test_a_recipe_that_has_changed(self):
        self.recipe()
        self.changed("recipe.yaml", ("recipe.yaml", RECIPE.replace("feel", "sound")))

    def test_rows_that_have_changed(self):
        self.recipe()
        self.changed("rows.jsonl", ("rows.jsonl", "\n".join(ROWS[:2]) + "\n"))

    def test_a_comment_in_the_recipe_is_no_change(self):
        self.recipe()
        self.run_to_end()
        self.put("recipe.yaml", "# a note\n" + RECIPE)
        code, _, err = self.sheaf(*self.words(self.simulators[0].url))
        self.assertEqual(code, 0, err)


if __name__ == "__main__":
    main_in_slices(2)
