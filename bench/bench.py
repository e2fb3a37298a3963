"""What the benchmarks share: an input, a simulator, a run whose processes are watched."""
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "flow"))
os.environ.setdefault("SHEAF_BIN", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "build", "release", "bin"))

from sheaf_test import Simulator, program  # noqa: E402


def need_programs():
    if not os.path.exists(program("sheaf")):
        sys.exit("no programs in %s: build first, or set SHEAF_BIN" % os.path.dirname(program("sheaf")))


class Folder:
    """A temporary folder on the disk that TMPDIR names."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="sheaf-bench-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)


def write_input(path, rows, size=1000):
    """@rows request lines of @size bytes."""
    head = '{"custom_id":"row-%08d","method":"POST","url":"/v1/chat/completions","body":{"model":"m",' \
           '"messages":[{"role":"user","content":"question %08d '
    tail = '"}]}}\n'
    pad = "x" * (size - len(head % (0, 0)) - len(tail))
    with open(path, "w") as f:
        for i in range(rows):
            f.write(head % (i, i) + pad + tail)


def children_of(pid):
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name) as f:
                    text = f.read()
            except OSError:
                continue
            if int(text[text.rindex(")") + 2:].split()[1]) == pid:
                found[int(name)] = text[text.index("(") + 1:text.rindex(")")]
    return found


class Memory(threading.Thread):
    """Peak resident kB of a process and its children, by name."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peaks, self.over = pid, {}, threading.Event()

    def look(self, pid, name):
        try:
            with open("/proc/%d/status" % pid) as f:
                for line in f:
                    if line.startswith("VmHWM"):
                        self.peaks[name] = max(self.peaks.get(name, 0), int(line.split()[1]))
        except OSError:
            pass

    def run(self):
        while not self.over.wait(0.2):
            self.look(self.pid, "sheaf")
            for pid, name in children_of(self.pid).items():
                self.look(pid, name)


def words(simulator, source, output, *flags):
    return [program("sheaf"), "run", source, "-o", output, "--base-url", simulator.url, "--poll-interval", "200ms",
            "--progress", "none", *flags]


def start(command, folder):
    env = dict(os.environ, OPENAI_API_KEY="bench", TMPDIR=folder.path)
    log = open(folder.file("run.log"), "ab")
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    log.close()
    return process


def run(simulator, folder, source, output, *flags):
    """(seconds, exit code, peak kB by program)."""
    began = time.monotonic()
    process = start(words(simulator, source, output, *flags), folder)
    memory = Memory(process.pid)
    memory.start()
    code = process.wait()
    seconds = time.monotonic() - began
    memory.over.set()
    memory.join()
    return seconds, code, memory.peaks


def same(a, b):
    return subprocess.run(["cmp", "-s", a, b]).returncode == 0
