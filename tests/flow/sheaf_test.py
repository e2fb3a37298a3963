"""What the flow tests share: real programs, a real Redis, the simulator; everything on loopback.

The programs are found in $SHEAF_BIN (ctest sets it). Answers of the simulator are a pure function of the
request's body, so what must come out of a job can be computed here without asking Sheaf.
"""
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

BIN = os.environ.get("SHEAF_BIN", os.path.join(os.path.dirname(__file__), "../../build/dev/bin"))
RUN_TIMEOUT = 120


def program(name):
    return os.path.abspath(os.path.join(BIN, name))


class Simulator:
    """A sheaf-simulator on a free port, with a ledger."""

    def __init__(self, folder, *flags, port=0):
        self.folder = folder
        self.log = open(os.path.join(folder, "simulator.log"), "ab")
        self.process = subprocess.Popen(
            [program("sheaf-simulator"), "--port", str(port), *flags],
            stdout=subprocess.PIPE, stderr=self.log)
        words = self.process.stdout.readline().split()
        if len(words) != 2 or words[0] != b"PORT":
            raise AssertionError("the simulator did not say its port: %r" % words)
        self.port = int(words[1])
        self.url = "http://127.0.0.1:%d/v1" % self.port

    def admin(self, path, body=None):
        request = urllib.request.Request("http://127.0.0.1:%d/_sim/%s" % (self.port, path), data=body)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def ledger(self):
        return json.loads(self.admin("ledger"))

    def arm(self, fault):
        self.admin("faults", fault.encode())

    def stop(self, signo=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(signo)
            self.process.wait(timeout=10)
        self.process.stdout.close()
        self.log.close()


def request_line(custom_id, text, model="gpt-4o-mini", **extra):
    body = {"model": model, "messages": [{"role": "user", "content": text}], **extra}
    line = {"method": "POST", "url": "/v1/chat/completions", "body": body}
    if custom_id is not None:
        line = {"custom_id": custom_id, **line}
    return json.dumps(line, ensure_ascii=False)


def raw_body(line):
    """The body's own bytes: what lies between its braces in the line (the last member in all our lines)."""
    start = line.index('"body":') + len('"body":')
    return line[start:line.rindex("}")].strip()


def answer_text(line):
    """What the simulator answers to the body of this request line."""
    return "sim:" + hashlib.sha256(raw_body(line).encode("utf-8", "surrogatepass")).hexdigest()


class SheafTest(unittest.TestCase):
    """A temporary folder, a simulator on demand, and what every finished job must fulfil."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="sheaf-test-")
        self.simulators = []
        self.processes = []

    def tearDown(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        for simulator in self.simulators:
            simulator.stop()
        outcome = getattr(self, "_outcome", None)
        failed = outcome is not None and any(error for _, error in getattr(outcome, "errors", []))
        failed = failed or (outcome is not None and getattr(outcome, "result", None) is not None
                            and any(test is self for test, _ in
                                    outcome.result.failures + outcome.result.errors))
        if failed and os.environ.get("SHEAF_KEEP"):
            print("kept:", self.folder, file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def simulator(self, *flags, **options):
        simulator = Simulator(self.folder, *flags, **options)
        self.simulators.append(simulator)
        return simulator

    def write(self, name, lines, end="\n"):
        with open(self.path(name), "wb") as f:
            f.write("".join(line + end for line in lines).encode("utf-8", "surrogatepass"))
        return self.path(name)

    def needs_failpoints(self):
        if os.environ.get("SHEAF_FAILPOINTS") == "0":
            self.skipTest("failpoints are compiled out")

    def environment(self, **extra):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("SHEAF_", "OPENAI_", "ZHIPU_")) or k == "SHEAF_BIN"}
        env.update({"OPENAI_API_KEY": "test-key", "TMPDIR": self.folder}, **extra)
        return {k: v for k, v in env.items() if v is not None}

    def sheaf(self, *words, env=None, timeout=RUN_TIMEOUT, stdin=None):
        """Run one sheaf command to its end; (exit code, stdout, stderr)."""
        done = subprocess.run([program("sheaf"), *words], env=self.environment(**(env or {})),
                              cwd=self.folder, timeout=timeout, input=stdin,
                              stdin=subprocess.DEVNULL if stdin is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")

    def run_words(self, simulator, source, output, *flags):
        return ["run", source, "-o", output, "--base-url", simulator.url, "--poll-interval", "100ms",
                "--settle", "1s", "--lease", "2s", "--linger", "50ms", *flags]

    def run_job(self, simulator, source, output, *flags, **options):
        return self.sheaf(*self.run_words(simulator, source, output, *flags), **options)

    def start(self, *words, env=None, **options):
        """Start one sheaf command in a process group of its own."""
        log = open(self.path("started.log"), "ab")
        process = subprocess.Popen([program("sheaf"), *words], env=self.environment(**(env or {})),
                                   cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True, **options)
        log.close()
        self.processes.append(process)
        return process

    def wait_until(self, what, condition, timeout=30):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.02)
        self.fail("waited %d s in vain: %s" % (timeout, what))

    def lines(self, name):
        with open(self.path(name), "rb") as f:
            return f.read().decode("utf-8", "surrogatepass").split("\n")[:-1]

    def report(self, name):
        with open(self.path(name)) as f:
            return json.load(f)

    def check_output(self, requests, output="out.jsonl", failed=()):
        """
        Each request line is in exactly one of the two files, in input order, with its own custom_id and the
        answer to its own body. @failed: indices of requests that must be in the errors file.
        """
        stem = output[:-len(".jsonl")]
        good, bad = self.lines(output), self.lines(stem + ".errors.jsonl")
        failed = set(failed)
        self.assertEqual(len(good) + len(bad), len(requests))
        good, bad = iter(good), iter(bad)
        for i, request in enumerate(requests):
            line = json.loads(next(bad if i in failed else good, "null"))
            self.assertIsNotNone(line, "request %d is not where it should be" % i)
            if i in failed:
                self.check_id(line, request)
                continue
            self.check_id(line, request)
            content = line["response"]["body"]["choices"][0]["message"]["content"]
            self.assertEqual(content, answer_text(request), "request %d has another's answer" % i)
            self.assertIsNone(line["error"])
        report = self.report(stem + ".report.json")
        self.assertEqual(report["requests"]["total"] if isinstance(report["requests"], dict)
                         else report["requests"], len(requests))

    def check_id(self, line, request):
        try:
            wanted = json.loads(request).get("custom_id")
        except AttributeError:
            wanted = None
        except ValueError:  # of a line that breaks off, the id is there as far as it is whole
            whole = re.match(r'\s*\{\s*"custom_id"\s*:\s*("[^"\\]*")', request)
            wanted = json.loads(whole.group(1)) if whole else None
        if wanted is not None and not isinstance(wanted, str):
            wanted = None
        self.assertEqual(line["custom_id"], wanted)


class PrivateRedis:
    """A redis-server of the test's own, as a team would share one."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "shared-redis")
        os.makedirs(self.folder, exist_ok=True)
        self.socket = os.path.join(self.folder, "s")
        self.url = "unix:" + self.socket
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.folder, "--save", "",
             "--appendonly", "yes", "--loglevel", "warning"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                if self.command("PING") == b"+PONG\r\n":
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError("redis-server did not come up")

    def command(self, *words):
        """One command, its raw reply (short replies only)."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(self.socket)
            s.sendall(b"*%d\r\n" % len(words) + b"".join(
                b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words))
            return s.recv(65536)

    def stop(self, signo=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(signo)
            self.process.wait(timeout=10)


def main():
    unittest.main(verbosity=2)


def main_in_slices(count):
    """As main(), by @count processes: tests that wait more than they compute."""
    if len(sys.argv) > 1:
        main()
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    names = [".".join(test.id().split(".")[-2:]) for group in suite for test in group]
    slices = [subprocess.Popen([sys.executable, sys.argv[0], *names[i::count]]) for i in range(count)]
    sys.exit(max([process.wait() for process in slices]))
