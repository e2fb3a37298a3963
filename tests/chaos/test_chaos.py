"""Everything is killed, at random and at each named place; the result is the quiet run's, byte for byte.

SHEAF_CHAOS_ROWS and SHEAF_CHAOS_SWEEP=full make it longer.
"""
import json
import os
import random
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "flow"))

from sheaf_test import SheafTest, main, program, request_line  # noqa: E402

ROWS = int(os.environ.get("SHEAF_CHAOS_ROWS", "2000"))
FULL = os.environ.get("SHEAF_CHAOS_SWEEP") == "full"
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def children_of(pid):
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name) as f:
                text = f.read()
        except OSError:
            continue
        if int(text[text.rindex(")") + 2:].split()[1]) == pid:
            found.append((int(name), text[text.index("(") + 1:text.rindex(")")]))
    return found


def failpoints(part):
    """The names of the kill points in the sources of one part."""
    names = set()
    for folder, _, files in os.walk(os.path.join(ROOT, part)):
        for file in files:
            if file.endswith(".c"):
                with open(os.path.join(folder, file)) as f:
                    names.update(re.findall(r'FAILPOINT\("([a-z_.]+)"\)', f.read()))
    return sorted(names)


class ChaosTest(SheafTest):
    flags = ("--max-requests", "50", "--max-batches", "4")

    def rows(self, n):
        return [request_line("row-%d" % i, "question %d" % i) for i in range(n)]

    def quiet(self, rows, *faults):
        """The files of an undisturbed run."""
        simulator = self.simulator(*faults)
        code, _, err = self.run_job(simulator, self.write("in.jsonl", rows), self.path("quiet.jsonl"), *self.flags)
        self.assertEqual(code, 0, err)
        simulator.stop()
        return self.files("quiet")

    def files(self, stem):
        with open(self.path(stem + ".jsonl"), "rb") as a, open(self.path(stem + ".errors.jsonl"), "rb") as b:
            return a.read(), b.read()

    def test_children_killed_at_random_twice_a_second(self):
        rows = self.rows(ROWS)
        want = self.quiet(rows)
        simulator = self.simulator("--delay", "300ms")
        run = self.start(*self.run_words(simulator, self.path("in.jsonl"), self.path("out.jsonl"), *self.flags))
        chance = random.Random(4711)
        killed = 0
        while run.poll() is None:
            time.sleep(0.5)
            victims = [pid for pid, name in children_of(run.pid) if name.startswith("sheaf-")]
            if victims:
                os.kill(chance.choice(victims), signal.SIGKILL)
                killed += 1
        self.assertEqual(run.returncode, 0)
        self.assertGreater(killed, 3)
        self.assertEqual(self.files("out"), want)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_the_whole_group_killed_with_redis(self):
        rows = self.rows(ROWS)
        want = self.quiet(rows)
        simulator = self.simulator("--delay", "300ms")
        words = self.run_words(simulator, self.path("in.jsonl"), self.path("out.jsonl"), *self.flags)
        for created in (3, 10, 20):
            run = self.start(*words)
            self.wait_until("batch %d" % created, lambda: run.poll() is not None or
                            json.loads(simulator.admin("state"))["batches_created"] >= created)
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            self.assertFalse(os.path.exists(self.path("out.jsonl")))
        code, _, err = self.sheaf(*words)
        self.assertEqual(code, 0, err)
        self.assertEqual(self.files("out"), want)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_each_place_where_a_process_can_die(self):
        if os.environ.get("SHEAF_FAILPOINTS") == "0":
            self.skipTest("failpoints are compiled out")
        rows = self.rows(120)
        want = self.quiet(rows)
        names = failpoints("producer") + failpoints("coordinator") + failpoints("worker") + failpoints("common")
        self.assertGreater(len(names), 10)
        for name in names:
            for action in ("kill@1", "kill@2", "stop@1") if FULL else ("kill@1",):
                with self.subTest(place=name, action=action):
                    self.die_at(name, action, want)

    def die_at(self, name, action, want):
        marks = self.path("marks-%s-%s" % (name, action[:6].replace("@", "")))
        os.mkdir(marks)
        simulator = self.simulator()
        output = self.path("out.jsonl")
        words = self.run_words(simulator, self.path("in.jsonl"), output, *self.flags)
        run = self.start(*words, env={"SHEAF_FP": "%s:%s" % (name, action), "SHEAF_FP_ONCE": marks})
        deadline = time.monotonic() + 60
        while run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
            if action.startswith("stop"):
                self.wake_stopped(run.pid)
        if run.poll() == -signal.SIGKILL:  # it was sheaf itself: the same command goes on
            run = self.start(*words)
            run.wait(60)
        self.assertEqual(run.poll(), 0)
        self.assertEqual(self.files("out"), want)
        self.assertEqual(simulator.ledger()["billed_twice"], 0)
        simulator.stop()
        for entry in os.listdir(self.folder):
            if entry.startswith("out"):
                self.remove(entry)

    def wake_stopped(self, pid):
        for child, _ in children_of(pid):
            with open("/proc/%d/stat" % child) as f:
                text = f.read()
            if text[text.rindex(")") + 2:].split()[0] == "T":
                time.sleep(3)  # longer than the lease: somebody else has the work by now
                os.kill(child, signal.SIGCONT)

    def remove(self, entry):
        import shutil
        path = self.path(entry)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)


if __name__ == "__main__":
    main()
