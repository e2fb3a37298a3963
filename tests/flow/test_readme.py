"""The README is true: its commands run as they are printed, in both languages, and its links lead somewhere."""
import glob
import os
import re
import socket
import stat
import subprocess

from sheaf_test import BIN, SheafTest, main

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))

# Commands that are too much for this test, and what runs them.
ELSEWHERE = {
    "tools/demo": "tools/demo",
    "tools/test": "tools/test",
    "tools/setup": "tools/test",
    "cmake -S . -B build/install -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF": "tools/demo",
    'cmake --build build/install -j "$(nproc)"': "tools/demo",
}
CLUSTER = "tests/cluster/smoke"  # runs the block of docker-compose

INSTALL = ['cmake --install build/install --prefix "$HOME/.local"', 'export PATH="$HOME/.local/bin:$PATH"']
RUN = ["export OPENAI_API_KEY=sk-...", "sheaf run in.jsonl -o out.jsonl"]
RESUBMIT = [
    "sheaf failures --state-dir out.jsonl.sheaf",
    "sheaf resubmit in.jsonl --state-dir out.jsonl.sheaf --plan",
    "sheaf resubmit in.jsonl --state-dir out.jsonl.sheaf -y",
]
REHEARSAL = [
    "sheaf simulate --port 8080 --delay 2s --fault rows-500=0.02 &",
    "OPENAI_API_KEY=any sheaf run in.jsonl -o try.jsonl --base-url http://127.0.0.1:8080/v1 --poll-interval 200ms",
    "sheaf audit --state-dir try.jsonl.sheaf -o try.jsonl",
    "kill $!",
]

ROWS = "examples/posts/posts.jsonl --recipe examples/posts/recipe.yaml"
ENRICH = [
    "sheaf plan %s" % ROWS,
    "sheaf simulate --port 8081 --profile zhipu --answers examples/posts/answers.json &",
    "export ZHIPU_API_KEY=any SHEAF_BASE_URL=http://127.0.0.1:8081/api/paas/v4 SHEAF_POLL_INTERVAL=200ms",
    "sheaf run %s --sample 5" % ROWS,
    "sheaf run %s -o enhanced.jsonl --max-cost 20CNY" % ROWS,
    "sheaf report --state-dir enhanced.jsonl.sheaf --html report.html",
    "kill $!",
]


def text_of(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


def blocks(page, language):
    return re.findall(r"^```%s\n(.*?)^```$" % language, text_of(page), re.MULTILINE | re.DOTALL)


def commands(page):
    """The commands of each block, without their comments."""
    return [[re.sub(r"\s+#.*", "", line) for line in block.splitlines()] for block in blocks(page, "sh")]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class ReadmeTest(SheafTest):
    def shell(self, lines, **env):
        """A newcomer's terminal: lines as they are printed, stopping at the first that fails."""
        env = self.environment(HOME=self.folder, OPENAI_API_KEY=None,
                               PATH=self.path(".local/bin") + ":" + os.environ["PATH"], **env)
        done = subprocess.run(["sh", "-e"], input="\n".join(lines).encode(), cwd=self.folder, env=env, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout.decode())
        return done.stdout.decode()

    def install(self):
        lines = [line.replace("build/install", "'%s'" % os.path.dirname(os.path.abspath(BIN))) for line in INSTALL]
        self.shell(lines + ["command -v sheaf"])
        for name in ("sheaf", "sheaf-producer", "sheaf-coordinator", "sheaf-worker", "sheaf-simulator"):
            self.assertTrue(os.access(self.path(".local/bin", name), os.X_OK), name)

    def write_input(self):
        """The line that the README shows, and the file that it names to begin with."""
        shown = blocks("README.md", "json")
        self.assertEqual(shown, blocks("README.zh.md", "json"))
        with open(self.path("in.jsonl"), "w", encoding="utf-8") as f:
            f.write(shown[0] + text_of("examples/requests.jsonl"))
        return len(self.lines("in.jsonl"))

    def test_both_languages_have_the_same_commands(self):
        self.assertEqual(commands("README.md"), commands("README.zh.md"))

    def test_every_command_is_run_here_or_elsewhere(self):
        here = INSTALL + RUN + RESUBMIT + REHEARSAL + ENRICH
        for block in commands("README.md"):
            for command in block:
                with self.subTest(command=command):
                    if block[0].startswith("docker-compose "):
                        self.assertTrue(command.startswith("docker-compose "))
                    else:
                        self.assertTrue((command in here) != (command in ELSEWHERE))
        printed = [command for block in commands("README.md") for command in block]
        self.assertEqual([command for command in here + list(ELSEWHERE) if command not in printed], [])

    def test_what_runs_the_others_is_there_and_runs_them(self):
        for command, runner in [*ELSEWHERE.items(), ("docker-compose ", CLUSTER)]:
            with self.subTest(command=command):
                self.assertTrue(os.stat(os.path.join(ROOT, runner)).st_mode & stat.S_IXUSR)
                self.assertTrue(command == runner or command in text_of(runner))

    def test_a_job_as_the_readme_runs_it(self):
        self.install()
        rows = self.write_input()
        simulator = self.simulator("--key", "sk-...")
        said = self.shell(RUN, SHEAF_BASE_URL=simulator.url, SHEAF_POLL_INTERVAL="100ms")
        self.assertIn("job in.jsonl is done", said)
        self.assertEqual(len(self.lines("out.jsonl")) + len(self.lines("out.errors.jsonl")), rows)
        self.assertIn("job in.jsonl was done already", self.shell(RUN, SHEAF_BASE_URL=simulator.url))
        self.assertEqual(simulator.ledger()["billed_twice"], 0)
        self.assertTrue(os.path.isdir(self.path("out.jsonl.sheaf")))
        self.assertEqual(self.report("out.report.json")["requests"], rows)

    def test_failed_rows_as_the_readme_sends_them_again(self):
        self.install()
        rows = self.write_input()
        env = {"SHEAF_POLL_INTERVAL": "100ms", "SHEAF_MAX_ATTEMPTS": "1"}
        simulator = self.simulator("--fault", "rows-500=0.4:always")
        env["SHEAF_BASE_URL"] = simulator.url
        self.shell([RUN[0], RUN[1] + " || test $? = 3"], **env)
        failed = len(self.lines("out.errors.jsonl"))
        self.assertTrue(0 < failed < rows)
        simulator.stop()
        simulator = self.simulator(port=simulator.port)
        said = self.shell(RUN[:1] + RESUBMIT, **env)
        self.assertIn("%d of %d rows failed" % (failed, rows), said)
        self.assertIn("price", said)
        self.assertEqual((len(self.lines("out.jsonl")), self.lines("out.errors.jsonl")), (rows, []))
        self.assertEqual(simulator.ledger()["rows_billed"], failed)

    def test_the_rehearsal_as_the_readme_runs_it(self):
        self.install()
        rows = self.write_input()
        port = str(free_port())
        said = self.shell([line.replace("8080", port) for line in REHEARSAL] + ["wait"])
        self.assertIn("job in.jsonl is done", said)
        self.assertEqual(len(self.lines("try.jsonl")), rows)
        self.assertGreater(self.report("try.report.json")["attempts"], rows, "no row failed, or none was sent again")

    def test_links_lead_to_files(self):
        pages = [page for pattern in ("*.md", "docs/*.md", "*/README.md", "tests/*/README.md")
                 for page in glob.glob(os.path.join(ROOT, pattern))]
        self.assertIn(os.path.join(ROOT, "ARCHITECTURE.md"), pages)
        for page in pages:
            for link in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
                if re.match(r"[a-z]+:", link):
                    continue
                with self.subTest(page=page, link=link):
                    self.assertTrue(os.path.exists(os.path.join(os.path.dirname(page), link.split("#")[0])))

    def test_rows_are_enriched_as_the_readme_does_it(self):
        self.install()
        os.symlink(os.path.join(ROOT, "examples"), self.path("examples"))
        port = str(free_port())
        said = self.shell([line.replace("8081", port) for line in ENRICH] + ["wait"])
        self.assertIn("sentiment_polarity", said)
        self.assertEqual(len(self.lines("enhanced.jsonl")), text_of("examples/posts/posts.jsonl").count("\n"))
        self.assertIn("<html", text_of(self.path("report.html")))

    def test_the_examples_are_rehearsed_as_their_pages_say(self):
        self.install()
        os.symlink(os.path.join(ROOT, "examples"), self.path("examples"))
        for name in ("posts", "relations", "behaviour"):
            with self.subTest(example=name):
                block = [b for b in blocks("examples/%s/README.md" % name, "sh") if "sheaf simulate" in b][0]
                said = self.shell([block.replace("8080", str(free_port())), "code=$?", "kill $!", "test $code = 0"])
                self.assertIn("is done", said)
                self.assertNotIn("cost     ?", said)


if __name__ == "__main__":
    main()
