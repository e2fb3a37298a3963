"""What sheaf run says while it works: on a terminal, in plain lines, in JSON, and nothing at all."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

from sheaf_test import SheafTest, main, program, request_line

ROWS = 30
LOGFMT = re.compile(r'\w+=("(?:[^"\\]|\\.)*"|[^ "]+)(?: |$)')


def logfmt(line):
    """The fields of a line; None when it is anything else."""
    if LOGFMT.sub("", line) != "":
        return None
    return {m.group(0).split("=", 1)[0]: m.group(1).strip('"') for m in LOGFMT.finditer(line)}


class Screen:
    """A terminal as far as a live region needs one: text, newlines, cursor up, clear to the end."""

    def __init__(self, columns):
        self.columns = columns
        self.rows = [""]
        self.row = self.column = 0
        self.tallest = 0

    def put(self, character):
        if self.column == self.columns:
            self.line_feed()
            self.column = 0
        row = self.rows[self.row].ljust(self.column)
        self.rows[self.row] = row[:self.column] + character + row[self.column + 1:]
        self.column += 1

    def line_feed(self):
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append("")
        self.tallest = max(self.tallest, self.row)

    def feed(self, text):
        for escape, character in re.findall(r"\x1b\[([0-9;]*[A-Za-z])|([^\x1b])", text):
            if escape.endswith("A"):
                self.row = max(0, self.row - int(escape[:-1] or 1))
            elif escape == "J":
                self.rows = self.rows[:self.row] + [self.rows[self.row][:self.column]]
            elif escape:
                raise AssertionError("an escape nobody expects: %r" % escape)
            elif character == "\r":
                self.column = 0
            elif character == "\n":
                self.line_feed()
            else:
                self.put(character)


class ProgressTest(SheafTest):
    def job(self, *flags, env=None, simulator_flags=("--delay", "1500ms")):
        requests = [request_line("row-%d" % i, "question %d" % i) for i in range(ROWS)]
        self.source = self.write("in.jsonl", requests)
        return self.run_job(self.simulator(*simulator_flags), self.source, self.path("out.jsonl"), *flags, env=env)

    def on_terminal(self, columns, *flags):
        """The raw bytes that a terminal of this width is sent, its screen at the end, the exit code."""
        source = self.write("in.jsonl", [request_line("row-%d" % i, "question %d" % i) for i in range(ROWS)])
        words = self.run_words(self.simulator("--delay", "1500ms"), source, self.path("out.jsonl"), *flags)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([program("sheaf"), *words], cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=slave,
                                   env=self.environment(TERM="xterm", LC_ALL="C.UTF-8"))
        self.processes.append(process)
        os.close(slave)
        sent = b""
        try:
            while True:
                piece = os.read(master, 65536)
                if not piece:
                    break
                sent += piece
        except OSError:  # how Linux says that the other side is closed
            pass
        os.close(master)
        self.assertEqual(process.stdout.read(), b"")
        process.stdout.close()
        text = sent.decode()
        screen = Screen(columns)
        screen.feed(text)
        return text, screen, process.wait(timeout=10)

    def test_plain_is_logfmt_from_the_first_line_to_the_summary(self):
        code, out, err = self.job("--progress", "plain")
        self.assertEqual((code, out), (0, ""), err)
        lines = err.splitlines()
        told = [logfmt(line) for line in lines if line.startswith("ev=progress ")]
        self.assertNotIn(None, told)
        self.assertEqual(logfmt(lines[0]), told[0])
        for unknown in ("pct", "total", "integrated", "failed", "batches", "eta"):
            self.assertEqual(told[0][unknown], "?", err)
        states = [line["state"] for line in told]
        self.assertTrue(all(a != b for a, b in zip(states, states[1:])), states)
        self.assertEqual(states[0], "starting")
        self.assertIn("running", states)
        self.assertEqual(told[-1]["pct"], "100")
        self.assertEqual(told[-1]["integrated"], str(ROWS))
        self.assertIn("job in.jsonl is done", lines[len(told)])
        self.assertIn("%d rows, %d ok, 0 failed" % (ROWS, ROWS), lines[len(told)])
        self.assertIn(self.path("out.jsonl"), err)

    def test_without_a_terminal_the_form_is_plain(self):
        code, out, err = self.job()
        self.assertEqual((code, out), (0, ""), err)
        self.assertEqual(logfmt(err.splitlines()[0])["ev"], "progress")

    def test_json_is_one_object_a_line(self):
        code, out, err = self.job("--progress", "json", simulator_flags=("--delay", "3s"))
        self.assertEqual((code, out), (0, ""), err)
        objects = [json.loads(line) for line in err.splitlines()]
        self.assertEqual([o["message_type"] for o in objects], ["status"] * (len(objects) - 1) + ["summary"])
        self.assertTrue(all(o["job"] == "in.jsonl" and o["schema"] == 1 for o in objects))
        first = objects[0]
        for unknown in (first["pct"], first["eta_s"], *first["rows"].values(), *first["batches"].values()):
            self.assertIsNone(unknown)
        for o in objects[1:-1]:
            rows = o["rows"]
            if o["pct"] is not None:
                self.assertIsInstance(o["pct"], int)
                self.assertEqual(o["pct"], rows["integrated"] * 100 // rows["total"])
            self.assertLessEqual(rows["integrated"], rows["downloaded"])
            self.assertLessEqual(rows["downloaded"], rows["remote_done"])
        self.assertTrue(any(o["batches"]["running"] for o in objects[:-1]), err)
        summary = objects[-1]
        self.assertEqual(summary["exit_code"], 0)
        self.assertEqual(summary["rows"], {"total": ROWS, "ok": ROWS, "failed": 0})
        for name in ("output", "errors", "report"):
            self.assertTrue(os.path.exists(summary[name]), summary)

    def test_errors_are_objects_too(self):
        source = self.write("in.jsonl", [request_line("a", "q")])
        closed = "http://127.0.0.1:9/v1"
        out = ["-o", self.path("out.jsonl"), "--base-url", closed]
        json_form = ["--progress", "json"]
        cases = (
            (11, ["run", self.path("no such file"), *out, *json_form], {}),
            (2, ["run", source, *json_form], {}),
            (2, ["run", source, *out, *json_form, "--no-such-flag"], {}),
            (2, ["run", source, *out, "--progress=json", "--lease", "for ever"], {}),
            (2, ["run", source, *out, "--lease", "for ever"], {"SHEAF_PROGRESS": "json"}),
            (2, ["run", *out, *json_form], {}),
            (2, ["no\x1bsuchverb", *json_form], {}),
            (4, ["run", source, *out, *json_form], {"OPENAI_API_KEY": None}),
            (8, ["run", source, *out, *json_form, "--give-up", "1s"], {}),
            (5, ["watch", "nobody", "--state-dir", self.path("out.jsonl.sheaf"), *json_form], {}),
        )
        for want, words, env in cases:
            with self.subTest(words=words):
                code, out_text, err = self.sheaf(*words, env=env)
                self.assertEqual((code, out_text), (want, ""), err)
                objects = [json.loads(line) for line in err.splitlines()]
                self.assertEqual([o["message_type"] for o in objects if o["message_type"] != "status"], ["error"])
                self.assertEqual(objects[-1]["exit_code"], want)
                self.assertTrue(objects[-1]["message"])

    def test_none_and_quiet_say_nothing_but_errors(self):
        for i, flags in enumerate((("--progress", "none"), ("-q",), ("-q", "--progress", "json"))):
            with self.subTest(flags=flags):
                self.assertEqual(self.job(*flags, "-y", "--job", "job-%d" % i), (0, "", ""))
                code, out, err = self.sheaf("run", self.path("none"), "-o", self.path("x"), *flags)
                self.assertEqual((code, out, len(err.splitlines())), (11, "", 1), err)

    def test_rows_that_failed_are_in_every_summary(self):
        requests = [request_line("good", "q"), "not json"]
        source = self.write("in.jsonl", requests)
        simulator = self.simulator()
        code, _, err = self.run_job(simulator, source, self.path("out.jsonl"), "--progress", "json")
        self.assertEqual(code, 3, err)
        summary = json.loads(err.splitlines()[-1])
        self.assertEqual((summary["exit_code"], summary["rows"]), (3, {"total": 2, "ok": 1, "failed": 1}))
        code, _, err = self.run_job(simulator, source, self.path("out.jsonl"))
        self.assertEqual(code, 3, err)
        self.assertIn("was done already: 2 rows, 1 ok, 1 failed", err)
        self.assertIn("invalid_request_line", err)

    def test_a_terminal_has_a_region_that_is_drawn_again_and_taken_away(self):
        sent, screen, code = self.on_terminal(200)
        self.assertEqual(code, 0, sent)
        drawn = [sent.count("\x1b[%dA\r\x1b[J" % lines) for lines in (4, 5)]  # with money, once it is known
        self.assertGreater(sum(drawn), 3, sent)
        self.assertGreater(drawn[1], 0, sent)
        self.assertIn("░", sent)
        self.assertIn("█" * 30 + " 100%", sent)
        self.assertNotIn("ev=", sent)
        self.assertIn("job in.jsonl is done", screen.rows[0])
        self.assertEqual([row.split()[:1] for row in screen.rows[1:]],
                         [["cost"], [self.path("out.jsonl")], [self.path("out.errors.jsonl")],
                          [self.path("out.report.json")], []])
        self.assertEqual(screen.tallest, 5)

    def test_a_narrow_terminal_has_one_line(self):
        sent, screen, code = self.on_terminal(40)
        self.assertEqual(code, 0, sent)
        self.assertGreater(sent.count("\x1b[1A\r\x1b[J"), 3, sent)
        self.assertNotRegex(sent, "\x1b\\[[45]A")
        regions = [piece for piece in sent.split("\x1b[1A\r\x1b[J") if piece.startswith(" rows ")]
        for region in regions:
            self.assertLess(len(region.split("\r\n")[0]), 40, region)
        self.assertFalse(any(row.startswith(" rows ") for row in screen.rows), screen.rows)
        self.assertIn("job in.jsonl is done", screen.rows[0])

    def test_quiet_on_a_terminal_is_quiet(self):
        self.assertEqual(self.on_terminal(80, "-q")[0::2], ("", 0))


if __name__ == "__main__":
    main()
