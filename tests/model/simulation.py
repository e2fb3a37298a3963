"""Producers, coordinators, workers and an operator as generators over the real scripts on a real redis-server.

Each `yield` is a place where the scheduler may run somebody else, freeze the process for long, or kill it: before an
effect, after it, or with its reply lost. Rollbacks and wipes of Redis come on top.
"""
import collections
import random
import time

from provider import Provider, answer_of
from sink import Sink, bits_of, mask_of

CELL = ['sheaf:{0}:cfg']
P = 'sheaf:{0}:'
JOB, SITE, ACCOUNTS = 'job one', 'site1', ('acc0', 'acc1')
LEASE_MS, WINDOWS, PART_WINDOWS = 15, 30, 4
LANES = ('lane0', 'lane1')
REPEATED_IS_DONE = ('advance', 'chunk', 'done', 'part_done')
BROKEN_RUNS = .15  # share of runs in which the sink loses something
GENERATIONS = 3
PARTS = (WINDOWS + PART_WINDOWS - 1) // PART_WINDOWS
QUOTE = 'CNY:1000000:500000:1000000'  # a nano-unit a token
RATES = {'uploads': (2, 3), 'creates': (3, 2), 'polls': (6, 1)}  # interval in ms, burst


class Window:
    """Some lines; each is of one lane or can't be sent."""

    def __init__(self, number, offset, first_line, rng):
        self.number, self.offset, self.first_line = number, offset, first_line
        self.lane, self.text, self.input, self.output = [], [], [], []
        for i in range(rng.randrange(3, 10)):
            kind = rng.choices([0, 1, None], [6, 3, 1])[0]
            self.lane.append(kind)
            self.text.append(('bad' if rng.random() < .06 else 'in') + '%d.%d' % (number, i))
            self.input.append(rng.choice([1, 1, 1, 30]))  # tokens, as estimated
            self.output.append(rng.choice([None, 5, 5, 5000]))  # that it asks for at most; None: it does not say
        self.end = offset + 10 * len(self.lane)

    def ordinals(self):
        return ['%d-%d' % (self.number, i) for i in range(len(self.lane))]


class Simulation:
    def __init__(self, redis, raw, scripts, seed, mode, mutant):
        self.redis, self.raw, self.scripts, self.mode, self.mutant = redis, raw, scripts, mode, mutant
        self.rng = random.Random(seed)
        self.provider = Provider(self.rng)
        self.sink = Sink()
        self.events = collections.Counter()
        self.windows, offset, line = [], 0, 1
        for w in range(WINDOWS):
            window = Window(w, offset, line, self.rng)
            offset, line = window.end, line + len(window.lane)
            self.windows.append(window)
        self.will_cancel = self.rng.random() < .15
        self.will_redo = self.rng.random() < .5
        self.told = 0  # the newest generation that Redis has acknowledged
        self.turns = collections.defaultdict(list)  # (account, rate) -> times
        self.pack_limits = {'batches': 3, 'tokens': self.rng.choice([0, 60]), 'requests': self.rng.choice([0, 40]),
                            'files': self.rng.choice([0, 12]), 'bytes': self.rng.choice([0, 2000])}
        self.paced = self.rng.random() < .5
        self.breaks_sink = mode == 'plain' and mutant is None and self.rng.random() < BROKEN_RUNS
        self.sink_broken = False
        self.max_attempts = self.rng.choice([1, 2, 3, 3])
        self.cap = self.rng.choice([-1, 0, 20000, 60000, 200000])
        self.bound = 0  # that spent and reserved together may not pass: the cap, or what was reserved under a higher one
        self.priced = {lane: self.rng.random() < .7 for lane in LANES}
        self.settled = {}  # batch -> what it cost, as its first `done` said
        self.repeat = self.rng.choice([0, .02, .1])

    # -- helpers

    def call(self, script, *args):
        reply = self.scripts[script](keys=CELL, args=list(args))
        if self.rng.random() < self.repeat:  # the first reply was lost
            self.events['repeated'] += 1
            reply = self.scripts[script](keys=CELL, args=list(args))
        if reply[0] == 'DUP' and script in REPEATED_IS_DONE:
            reply[0] = 'OK'
        self.events[script + ':' + reply[0]] += 1
        return reply

    def nonce(self):
        return '%016x' % self.rng.randrange(1 << 64)

    @staticmethod
    def record(reply):
        fields = dict(zip(reply[4][::2], reply[4][1::2]))
        job = dict(zip(reply[5][::2], reply[5][1::2]))
        return reply[2], fields, job

    def members(self, bid, nonce):
        """{(w, k): [a, f, n, start bits, tokens]}, or None when the lease is gone."""
        reply = self.call('members', bid, nonce)
        if reply[0] != 'OK':
            return None
        return {(int(m[0]), int(m[1])): {'a': int(m[2]), 'f': int(m[3]), 'n': int(m[4]), 'left': int(m[5]), 'tk': int(m[12]),
                                         'start': bits_of(m[13], int(m[4])), 'eo': int(m[14]), 'un': int(m[15]),
                                         'xi': int(m[16]), 'mi': int(m[17]), 'mo': int(m[18])} for m in reply[1:]}

    def is_cancelled(self):
        """A newer generation outranks the mark."""
        return self.sink.cancel_mark() == self.sink.generation()

    def turn(self, account, rate):
        """False when there is none for long."""
        interval, burst = RATES[rate]
        reply = self.call('rate_take', account, rate, interval, burst)
        if reply[0] == 'OK':
            self.turns[account, rate].append(int(reply[1]) + int(reply[2]))
        return reply[0] == 'OK'

    # -- producer

    def producer(self):
        self.sink.put('job.json', self.nonce(), same=False)
        yield
        ji = self.sink.names['job.json']
        reply = yield from self.open(ji)
        assert reply[1] == ji, 'another incarnation'
        state, at = reply[2], int(reply[3])
        costs = [x for name, cost in self.sink.names.items() if name.startswith('bill:') for x in (name[5:], cost)]
        yield
        if self.call('job_spent', JOB, *costs)[0] != 'OK':
            return
        yield
        mark = self.sink.cancel_mark()
        if mark is not None and self.rng.random() < .3:  # a cancel may have stopped half way
            yield
            self.call('job_cancel', JOB, 5, mark)
            yield
        while state == 'OPEN' and at < WINDOWS:
            reply = self.call('shard_put', *(yield from self.window_args(self.windows[at])))
            yield
            if reply[0] == 'NOJOB':
                return
            at, state = int(reply[1]), reply[4]
            if reply[0] == 'FULL':
                if self.redis.hget(P + 'j:' + JOB, 'hold') == 'budget':
                    return  # who raises the cap runs the command again
                yield
        if state == 'OPEN':
            self.call('job_seal', JOB, WINDOWS)
            yield

    def open(self, ji):
        """With the prices that are known by now, and another cap now and then; a higher one when the job is held for it."""
        lanes = self.call('job_lanes', JOB)
        yield
        for lane in LANES:
            self.priced[lane] = self.priced[lane] or self.rng.random() < .3
        quotes = [x for row in lanes[1:] for x in (row[0], QUOTE if self.priced[row[0]] else '')]
        if self.redis.hget(P + 'j:' + JOB, 'hold') == 'budget':
            self.cap = self.rng.choice([-1, max(self.cap, 10000) * 2, max(self.cap, 10000) * 2])
        elif self.rng.random() < .05:
            self.cap = self.rng.choice([-1, 0, self.cap // 2, self.cap * 2])
        reply = self.call('job_open', JOB, ji, 'fp', '{}', SITE, self.sink.generation(), len(quotes) // 2, *quotes, 'maxs', 12,
                          'maxb', 400, 'poll', 1, 'maxbat', self.rng.choice([0, 0, 2]), 'mr', 20, 'mb', 0, 'cur', 'CNY',
                          'cap', max(self.cap, -1))
        self.bound = self.used()  # late reservations are not asked whether they fit
        yield
        return reply

    def used(self):
        return sum(int(x or 0) for x in self.redis.hmget(P + 'j:' + JOB, 'spent', 'rsv'))

    def window_args(self, window):
        count = len(window.lane)
        invalid = [o + '|perm|invalid_request_line' for o, lane in zip(window.ordinals(), window.lane) if lane is None]
        if invalid:
            self.sink.put('inv:%d' % window.number, '\n'.join(invalid))
            yield
        sent = [o for o, lane in zip(window.ordinals(), window.lane) if lane is not None]
        best = [self.sink.best(o) for o in sent if self.sink.settled(o)]
        ok = sum(kind == 'ok' for kind, _ in best)
        args = [JOB, window.number, window.offset, window.end, window.first_line + count, count, len(invalid), ok,
                len(best) - ok, 12345, 'payload' if window.number % 3 == 0 else '']
        for k, lane in enumerate(LANES):
            if k in window.lane:
                mask = [x != k or self.sink.settled(o) for o, x in zip(window.ordinals(), window.lane)]
                left = mask.count(False)
                tokens, asked, unsaid, most = self.wants(window, mask)
                args += [k, lane, left, left * 10, tokens, 10, mask_of(mask), '{"lane":%d}' % k, asked, unsaid,
                         QUOTE if self.priced[lane] else '', *most]
        return args

    @staticmethod
    def wants(window, mask):
        """Of the clear bits: input tokens, output tokens of those that say it, how many do not; and the most of one line."""
        lines = [i for i, is_set in enumerate(mask) if not is_set]
        asked = [window.output[i] for i in lines if window.output[i] is not None]
        tokens = [window.input[i] for i in lines]
        return sum(tokens), sum(asked), len(lines) - len(asked), (max(tokens, default=0), max(asked, default=0))

    def left_of(self, v, left):
        """What a worker leaves of a member, as it knows which lines are left, and not what each of them wants."""
        if self.mutant == 'average-share':
            part = [-(-v[name] * left // v['left']) for name in ('tk', 'eo', 'un', 'xi')]
            return part
        return (-(-v['tk'] * left // v['left']), min(v['eo'], left * v['mo']), min(v['un'], left),
                min(v['xi'], left * v['mi']))

    def true_cost(self, ordinals):
        """The most that lines can cost of what they ask for; input at the least that calibration makes of it."""
        cost = 0
        for ordinal in ordinals:
            w, i = map(int, ordinal.split('-'))
            output = self.windows[w].output[i]
            cost += .25 * self.windows[w].input[i] + (1024 if output is None else output)
        return int(cost)

    # -- coordinator

    def account(self):
        return self.rng.choice(ACCOUNTS)

    def pack(self, account, bid, nonce):
        limits = self.pack_limits
        reply = self.call('pack', SITE, account, bid, nonce, LEASE_MS, self.rng.choice([0, 5]), 25, 10**6, limits['batches'],
                          limits['tokens'], limits['requests'], limits['files'], limits['bytes'], 3)
        if reply[0] == 'OK':
            self.check_packed(account, self.record(reply)[1])
            self.check_reserved(self.record(reply)[1])
            if self.mode == 'plain':
                self.check_cap(self.used())
        return reply

    def coordinator(self):
        account, nonce, bid = self.account(), self.nonce(), self.nonce()
        yield
        reply = self.call('claim', SITE, self.key_of(account), 'co', nonce, LEASE_MS, 0, 0)
        if reply[0] != 'OK':
            reply = self.pack(account, bid, nonce)
            if reply[0] != 'OK':
                yield
                return
        bid, h, job = self.record(reply)
        assert self.redis.zscore(P + 'wait:%s:%s' % (h['A'], h['L']), bid) is None, 'waits although it is at work'
        yield
        if (job.get('cancel') or job.get('hold')) and (h['st'] == 'BUILD' or 'its' not in h):
            self.call('advance', bid, nonce, h['st'], 'FETCH', 'wk', 0, 'fail', 'not wanted', 'free', 1)
            yield
            return
        if h['st'] == 'SUBMIT':
            if not (yield from self.resolve(account, bid, nonce, h)):
                return
        members = self.members(bid, nonce)
        yield
        if members is None or not self.turn(account, 'uploads'):
            return
        lines = ['%d-%d|%s' % (w, i, self.windows[w].text[i]) for (w, k), m in members.items()
                 for i in range(m['n']) if not m['start'][i]]
        if self.rng.random() < .05:  # the upload is refused
            self.call('advance', bid, nonce, 'BUILD', 'BUILD', 'co', 3, 'tries', 1)
            yield
            return
        file = self.provider.upload(lines, bid, account)
        yield
        reply = self.call('advance', bid, nonce, 'BUILD', 'SUBMIT', 'co', LEASE_MS, 'file', file, 'its', '@now', 'looks', '')
        yield
        if reply[0] == 'GONE':  # else another holder may have found the file: the reaper looks
            self.provider.delete(file, account)
            yield
        if reply[0] != 'OK':
            return
        yield from self.create(account, bid, nonce, file, h['L'])

    def create(self, account, bid, nonce, file, lane):
        if not self.turn(account, 'creates'):
            return
        remote = self.provider.create(file, bid, account, lane)
        yield
        if remote is None:
            self.events['create_refused'] += 1
            return
        if remote == 'full':
            self.learn(account, lane, bid)
            yield
            if self.rng.random() < .7:
                self.call('advance', bid, nonce, 'SUBMIT', 'SUBMIT', 'co', 5, 'its', '', 'waits', 1)
            else:
                self.call('advance', bid, nonce, 'SUBMIT', 'FETCH', 'wk', 0, 'fail', 'full', 'free', 1)
            yield
            return
        self.call('advance', bid, nonce, 'SUBMIT', 'RUN', 'wk', 0, 'rem', remote)
        yield

    def learn(self, account, lane, bid):
        pct = [self.rng.choice([0, 50, 100]) for _ in range(3)]
        size = self.rng.choice([(0, 0), (0, 0), (7, 60)])
        self.call('lane_learn', account, lane, bid, self.rng.randrange(8), '429', *pct, *size)

    def resolve(self, account, bid, nonce, h):
        """A create may have been sent for this file. True when the record is back in BUILD."""
        file = h['file']
        if 'its' not in h:  # a new intent was asked for, and none was written: surely nothing was sent
            reply = self.call('advance', bid, nonce, 'SUBMIT', 'SUBMIT', 'co', LEASE_MS, 'its', '@now')
            yield
            if reply[0] == 'OK':
                yield from self.create(account, bid, nonce, file, h['L'])
            return False
        found = self.provider.find(file, account)
        yield
        if not found and 'looks' not in h:
            self.call('advance', bid, nonce, 'SUBMIT', 'SUBMIT', 'co', 1, 'looks', 1)
            yield
            return False
        if not found and self.mutant == 'no-fence':
            yield from self.create(account, bid, nonce, file, h['L'])
            return False
        if not found:
            self.provider.delete(file, account)  # the fence: a create under way can only fail from here on
            yield
            found = self.provider.find(file, account)
            yield
        if found:
            self.events['adopted'] += 1
            self.call('advance', bid, nonce, 'SUBMIT', 'RUN', 'wk', 0, 'rem', found[0])
            yield
            return False
        reply = self.call('advance', bid, nonce, 'SUBMIT', 'BUILD', 'co', LEASE_MS, 'file', '', 'its', '', 'looks', '')
        yield
        return reply[0] == 'OK'

    def key_of(self, account):
        """Whose batches a process asks for: its own."""
        return self.account() if self.mutant == 'any-account' else account

    # -- worker

    def worker(self):
        account, nonce = self.account(), self.nonce()
        yield
        reply = self.call('claim', SITE, self.key_of(account), 'wk', nonce, LEASE_MS, *(RATES['polls'] if self.paced else (0, 0)))
        if reply[0] != 'OK':
            yield
            return
        if reply[1] == 'p':
            yield from self.merge_part(int(reply[2].rsplit(':', 1)[1]), nonce, self.record(reply)[2])
            return
        bid, h, job = self.record(reply)
        if h['st'] == 'RUN' and self.paced:
            self.turns[account, 'polls'].append(int(reply[3]))
        yield
        if h['st'] == 'RUN':
            h = yield from self.poll(account, bid, nonce, h, job)
        if h and h['st'] == 'FETCH':
            h = yield from self.fetch(bid, nonce, h)
        if h and h['st'] == 'CLEAN':
            for field in ('file', 'out', 'err'):
                if field in h:
                    self.provider.delete(h[field], account)
                    yield
            self.call('drop', bid, nonce)
            yield

    def poll(self, account, bid, nonce, h, job):
        if job.get('cancel'):
            self.provider.cancel(h['rem'])
            yield
        batch = self.provider.poll(h['rem'], account)
        yield
        if batch is None:
            self.call('advance', bid, nonce, 'RUN', 'RUN', 'wk', self.rng.randrange(4), 'rstat', 'in_progress')
            yield
            return None
        if batch.kind == 'no_file' and not job.get('cancel'):
            to, file = self.rng.choice([('SUBMIT', h['file']), ('BUILD', '')])
            self.call('advance', bid, nonce, 'RUN', to, 'co', 1, 'rem', '', 'file', file, 'its', '', 'looks', '')
            yield
            return None
        fields = {'out': batch.output, 'err': batch.error, 'ob': batch.output_bytes, 'eb': batch.error_bytes,
                  'fail': batch.kind if batch.kind in ('failed', 'no_file', 'full') else '',
                  'free': '' if batch.kind == 'completed' else 1}
        if batch.kind == 'full':
            self.learn(account, h['L'], bid)
            yield
        reply = self.call('advance', bid, nonce, 'RUN', 'FETCH', 'wk', LEASE_MS, *[x for f in fields.items() for x in f])
        yield
        if reply[0] != 'OK':
            return None
        return dict(h, st='FETCH', **{k: str(v) for k, v in fields.items() if v != ''})

    def fetch(self, bid, nonce, h):
        members = self.members(bid, nonce)
        yield
        if members is None:
            return None
        settled, free = self.load_masks(members, h.get('m'))
        at, output_bytes = int(h.get('co', 0)), int(h.get('ob', 0))
        end = output_bytes + int(h.get('eb', 0))
        while at < end:
            name, data = yield from self.next_chunk(h, at, output_bytes, end)
            if data is None:
                self.events['output_gone'] += 1
                h = dict(h, free='1')
                break
            self.note(members, settled, free, data)
            ok, bad = self.newly
            masks = ''.join(mask_of(settled[m]) + mask_of(free[m]) for m in members)
            if self.mutant != 'checkpoint-first':
                self.sink.put(name, data)
                yield
            reply = self.call('chunk', bid, nonce, h.get('rem', ''), at, at + len(data), masks, ok, bad, LEASE_MS)
            yield
            if reply[0] != 'OK':
                return None
            if self.mutant == 'checkpoint-first':
                self.sink.put(name, data)
                yield
            at += len(data)
        return (yield from self.finish(bid, nonce, h, members, settled, free))

    @staticmethod
    def load_masks(members, blob):
        settled, free, at = {}, {}, 0
        for m, v in members.items():
            size = (v['n'] + 7) // 8
            settled[m] = bits_of(blob[at:], v['n']) if blob else list(v['start'])
            free[m] = bits_of(blob[at + size:], v['n']) if blob else [False] * v['n']
            at += 2 * size
        return settled, free

    def next_chunk(self, h, at, output_bytes, end):
        """The chunk at a virtual offset: a function of the remote bytes alone. (name, None) when they are gone."""
        file, base, stop = (h['out'], 0, output_bytes) if at < output_bytes else (h['err'], output_bytes, end)
        name = 'seg:%s.%d' % (file, at - base)
        while True:
            if name in self.sink.names:
                yield
                return name, self.sink.names[name]
            data = self.provider.content(file, at - base, h['A'])
            yield
            if data is None:
                return name, None
            cut = data.find('\n', 60)  # the first newline at or after so many bytes
            if cut >= 0:
                return name, data[:cut + 1]
            if at + len(data) == stop:
                return name, data

    def note(self, members, settled, free, data):
        ok = bad = 0
        for line in data.splitlines():
            ordinal, kind, _ = line.split('|')
            if ordinal == 'alien':
                continue
            w, i = map(int, ordinal.split('-'))
            m = (w, self.windows[w].lane[i])
            if m not in members or members[m]['start'][i]:
                raise AssertionError('the provider answered what was not asked: ' + ordinal)
            free[m][i] = kind == 'free'
            if kind in ('ok', 'perm') and not settled[m][i]:
                settled[m][i] = True
                ok += kind == 'ok'
                bad += kind == 'perm'
        self.newly = ok, bad

    def finish(self, bid, nonce, h, members, settled, free):
        """Evidence for what got no line, then the verdict on every member."""
        seen = set()
        for file in (h.get('out'), h.get('err')):
            prefix = 'seg:%s.' % file
            for name, value in self.sink.names.items():
                if file and name.startswith(prefix):
                    seen |= {line.split('|')[0] for line in value.splitlines()}
        missing, verdicts, answered = [], [], {}
        for (w, k), v in members.items():
            m = (w, k)
            for i in range(v['n']):
                if not v['start'][i] and '%d-%d' % (w, i) not in seen:
                    missing.append('%d-%d|missing|%s' % (w, i, h.get('fail', '')))
                    free[m][i] = 'free' in h
            answered[m] = list(settled[m])
            failed = [i for i in range(v['n']) if not settled[m][i] and not free[m][i]]
            if failed and v['f'] + 1 >= self.max_attempts:
                for i in failed:
                    settled[m][i] = True
            left = settled[m].count(False)
            verdicts += [w, k, left, int(bool(failed)), mask_of(settled[m]), left * 10, *self.left_of(v, left)]
        cost, bill = self.bill(bid, h, seen)
        yield
        if self.mutant != 'done-before-end':
            self.sink.put('end:' + bid, '\n'.join(missing), same=False)
            if cost:
                self.sink.put('bill:' + bid, cost, same=False)
            yield
        reply = self.call('done', bid, nonce, 0, cost, *bill, *verdicts)
        if reply[0] == 'OK':
            self.settled.setdefault(bid, int(cost or 0))
            self.check_settled(members, answered, verdicts)
        yield
        if self.mutant == 'done-before-end':
            self.sink.put('end:' + bid, '\n'.join(missing), same=False)
            yield
        return dict(h, st='CLEAN') if reply[0] == 'OK' else None

    def bill(self, bid, h, seen):
        """Never more than the lines ask for; the same whoever counts. '' when the price is not known."""
        lines = len(seen - {'alien'})
        luck = int(bid[:4], 16) / 65535
        cost = int(self.true_cost(seen - {'alien'}) * luck) if 'q' in h else 0
        return cost if 'q' in h else '', (lines, 100 * lines, int(200 * luck * lines), int(9 * luck * lines))

    def check_settled(self, members, answered, verdicts):
        """Settled in Redis means durable in the sink: an answer, or proof that the last try brought none."""
        if self.sink_broken:
            return
        for i in range(0, len(verdicts), 10):
            m, left = (verdicts[i], verdicts[i + 1]), verdicts[i + 2]
            for line, was_set in enumerate(members[m]['start']):
                ordinal = '%d-%d' % (m[0], line)
                kinds = {kind for kind, _ in self.sink.evidence.get(ordinal, {}).values()}
                if not was_set and answered[m][line]:
                    assert kinds & {'ok', 'perm'}, 'answered without evidence: ' + ordinal
                elif not was_set and left == 0:
                    assert kinds, 'settled without evidence: ' + ordinal

    def merge_part(self, part, nonce, job):
        assert self.sink.generation() >= int(job['gen']), 'Redis knows of a generation before the sink has it'
        generation, rows, holes = self.generation_of(part), [], {}
        for window in self.windows[part * PART_WINDOWS:(part + 1) * PART_WINDOWS]:
            for i, ordinal in enumerate(window.ordinals()):
                best = self.sink.best(ordinal)
                if best is None and self.is_cancelled():
                    best = ('missing', 'job_cancelled')
                if best is None:
                    holes.setdefault((window.number, window.lane[i]), []).append(i)
                rows.append((ordinal, best))
        for _ in range(self.rng.randrange(1, 20)):
            yield
        if holes:
            assert self.sink.generation() or self.sink_broken, 'hole in part %d: %r' % (part, holes)
            self.call('reopen', JOB, nonce, *self.reopen_args(holes))
            yield
            return
        self.sink.put('part:%d.g%d' % (part, generation), rows, same=False)
        yield
        self.call('part_done', JOB, part, nonce)
        yield

    def reopen_args(self, shards):
        args = []
        for (w, k), lines in shards.items():
            window = self.windows[w]
            mask = mask_of([i not in lines for i in range(len(window.lane))])
            left = len(lines)
            tokens, asked, unsaid, most = self.wants(window, [i not in lines for i in range(len(window.lane))])
            args += [w, k, LANES[k], left, left * 10, tokens, 10, mask, len(window.lane), window.offset,
                     window.end - window.offset, window.first_line, 12345, 'payload' if w % 3 == 0 else '', asked, unsaid, *most]
        return args

    # -- operator and reaper

    def operator(self):
        self.call('job_resume', JOB, 'operator')
        yield
        state = self.redis.hmget(P + 'j:' + JOB, 'st', 'cancel')
        yield
        luck = self.rng.random()
        if self.will_cancel and luck < (.5 if self.is_cancelled() else .3) and self.sink.generation() < 2:
            mark = self.sink.generation()
            self.sink.put('cancel-%d' % mark, '')
            yield
            reply = ['MORE']
            while reply[0] == 'MORE':
                reply = self.call('job_cancel', JOB, 5, mark)
                yield
        elif self.will_redo and (luck < .7 or state[0] == 'FINAL'):
            yield from self.redo()
        elif luck < .8:
            self.call('job_hold', JOB, 'operator', 'lunch')
            for _ in range(self.rng.randrange(20)):
                yield
            self.call('job_resume', JOB, '')
            yield
        elif luck < .84:
            self.call('job_unpack', JOB, self.rng.choice(('',) + ACCOUNTS), 5)
            yield
        elif luck < .88:
            self.call('account_note', SITE, self.account(), 0, 'account')
            yield
        elif luck < .94:
            self.learn(self.account(), self.rng.choice(LANES), '')
            yield
        else:
            self.call('rate_hold', self.account(), self.rng.choice(sorted(RATES)), self.rng.randrange(6))
            yield

    def failed(self):
        """What a resubmission would be about: failures of merged parts, and some of those that are known before."""
        rows = {o: best for o, best in self.output(partly=True)}
        if self.rng.random() < .5:
            rows.update((o, self.sink.best(o)) for w in self.windows for o in w.ordinals() if o not in rows)
        return {o for o, best in rows.items() if best and best[0] != 'ok' and best[1] != 'invalid_request_line'}

    def redo(self):
        """A new generation for what failed, first in the sink, or the newest one: Redis is told until it answers."""
        generation = self.sink.generation()
        if generation < GENERATIONS and (not generation or self.rng.random() < .2):
            failed = self.failed()
            if failed:
                generation += 1
                self.sink.put('gen-%d' % generation, (frozenset(failed), frozenset(self.sink.names)), same=False)
                self.events['generation'] += 1
                yield
        if not generation or (self.told == generation and self.mode == 'plain'):
            return
        newest = [(part, self.generation_of(part)) for part in range(PARTS)]
        yield
        reply = self.call('generation', JOB, generation, *[x for pair in newest if pair[1] for x in pair])
        if reply[0] == 'OK':
            self.told = generation
        yield

    def reaper(self):
        """Cancels and deletes what no record can come to reference. The provider is read first, the record second."""
        account = self.account()
        for remote, batch in list(self.provider.batches.items()):
            if batch.account != account:
                continue
            state, rem, file = self.redis.hmget(P + 'b:' + batch.bid, 'st', 'rem', 'file')
            yield
            if rem == remote or (state and file == batch.file):
                continue
            if not batch.cancelled:
                batch.cancelled = batch.ended = True
                self.events['orphan_cancelled'] += 'end:' + batch.bid not in self.sink.names
            for gone in (batch.file, batch.output, batch.error):
                self.provider.delete(gone, account)
                yield
        for file, (_, bid, owner) in list(self.provider.files.items()):
            if owner != account or bid in ('output', 'error') or any(b.file == file for b in self.provider.batches.values()):
                continue
            state, mine = self.redis.hmget(P + 'b:' + bid, 'st', 'file')
            yield
            if state != 'BUILD' and mine != file:
                self.provider.delete(file, account)
                yield

    # -- the world

    def is_over(self):
        if self.redis.hget(P + 'j:' + JOB, 'st') != 'FINAL':
            return False
        due = [P + 'due:%s:%s' % (who, role) for who in (SITE,) + ACCOUNTS for role in ('co', 'wk', 'run')]
        if any(self.redis.zcard(k) for k in due):
            return False
        if self.will_redo and not self.sink.generation():
            return not any(best[0] != 'ok' and best[1] != 'invalid_request_line' for _, best in self.output())
        if self.is_cancelled():  # what it has not opened stays as it was
            return True
        return all(self.redone(part) for part in range(PARTS))

    def generation_of(self, part):
        """The newest that lists rows of the part."""
        return max([g for g, (redo, _) in self.sink.generations()
                    if any(int(o.split('-')[0]) // PART_WINDOWS == part for o in redo)], default=0)

    def newest(self, part):
        return max([g for g in range(GENERATIONS + 1) if 'part:%d.g%d' % (part, g) in self.sink.names], default=None)

    def redone(self, part):
        return self.newest(part) == self.generation_of(part)

    def output(self, partly=False):
        rows = []
        for part in range(PARTS):
            newest = self.newest(part)
            if newest is not None or not partly:
                rows += self.sink.names['part:%d.g%d' % (part, newest)]
        return rows

    def snapshot(self):
        return [(key, self.raw.dump(key)) for key in self.raw.keys('*')]

    def restore(self, snapshot):
        pipe = self.raw.pipeline()
        pipe.flushdb()
        for key, value in snapshot:
            pipe.restore(key, 0, value)
        pipe.execute()

    def faults(self, state):
        rng = self.rng
        if self.mode == 'rollback' and state['left'] > 0:
            if rng.random() < .004:
                state['snapshot'] = self.snapshot()
            if state['snapshot'] and rng.random() < .003:
                self.restore(state['snapshot'])
                state['left'] -= 1
                self.events['rollback'] += 1
        if self.mode == 'wipe' and state['left'] > 3 and rng.random() < .0015:
            self.restore([])
            state['left'] -= 1
            self.events['wipe'] += 1
        if self.breaks_sink and rng.random() < .001:
            names = sorted(n for n in self.sink.names if n.startswith(('seg:', 'end:')))
            if names:
                self.sink_broken = True
                self.sink.lose(rng.choice(names))
                self.events['sink_lost'] += 1

    def run(self):
        self.raw.flushdb()
        rng, live, frozen, steps = self.rng, [], [], 0
        state = {'left': 6, 'snapshot': None}
        kill, freeze = rng.choice([0, .005, .02, .05]), rng.choice([0, .01, .03])
        crowd = (('producer', 2), ('coordinator', 2), ('worker', 3))
        while True:
            steps += 1
            assert steps < 100000, 'no progress'
            for role, count in crowd:
                while sum(r == role for r, _ in live) < count:
                    live.append((role, getattr(self, role)()))
            for role, chance in (('reaper', .002), ('operator', .006)):
                if rng.random() < chance:
                    live.append((role, getattr(self, role)()))
            i = rng.randrange(len(live))
            try:
                next(live[i][1])
                luck = rng.random()
                if luck < kill:
                    live.pop(i)
                    self.events['kill'] += 1
                elif luck < kill + freeze:
                    frozen.append(live.pop(i))
                    self.events['freeze'] += 1
            except StopIteration:
                live.pop(i)
            if frozen and rng.random() < .01:
                live.append(frozen.pop(rng.randrange(len(frozen))))
            self.faults(state)
            if steps % 64 == 0:
                time.sleep(.004)
                if steps % 256 == 0:
                    self.check_redis()
                if self.is_over():
                    self.let_all_run(live + frozen)
                    live, frozen = [], []
                    if self.is_over():
                        break
        self.check_end()
        self.events['steps'] += steps
        self.events['tasks'] += sum(len(w.lane) for w in self.windows)
        self.events.update(self.provider.events)
        return self.events

    def let_all_run(self, processes):
        """Every zombie wakes up after the end."""
        for _, process in processes:
            for _ in range(400):
                try:
                    next(process)
                except StopIteration:
                    break

    # -- invariants

    def check_redis(self):
        """The structures that describe one shard or one batch always agree."""
        r = self.redis
        job = r.hgetall(P + 'j:' + JOB)
        if not job:
            return
        assert int(job.get('cancel', job['gen'])) >= int(job['gen']), 'a cancel of an older generation'
        shards = {k.split(':')[-2] + ':' + k.split(':')[-1]: r.hgetall(k) for k in r.keys(P + 's:*')}
        waiting = collections.Counter(':'.join(e['e'].split(':')[:2]) for lane in LANES
                                      for _, e in r.xrange(P + 'q:%s:%s' % (JOB, lane)))
        waiting.update(':'.join(m.split('|')[1:]) for m in r.zrange(P + 'backoff:' + SITE, 0, -1))
        ready = {k for k, s in shards.items() if s['st'] == 'READY'}
        assert set(waiting) == ready and all(n == 1 for n in waiting.values()), ('ready', waiting, ready)
        batches = {k.split(':')[-1]: r.hgetall(k) for k in r.keys(P + 'b:*')}
        for lane in LANES:
            assert (r.zscore(P + 'ready:' + SITE, JOB + '|' + lane) is not None) == (
                r.xlen(P + 'q:%s:%s' % (JOB, lane)) > 0), 'rotation'
        assert int(job['ub']) == sum('held' in b for b in batches.values()), 'slots of the job'
        due = r.zrange(P + 'due:%s:wk' % SITE, 0, -1)
        assert all(m[0] == 'p' for m in due), 'a batch in a set of the site'
        for account in ACCOUNTS:
            mine = {bid: b for bid, b in batches.items() if b['A'] == account}
            due += self.check_account(account, mine)
        live = collections.Counter(b['A'] for b in batches.values())
        for k in ('acc:' + SITE, 'ja:' + JOB):
            assert r.hgetall(P + k) == {a: str(n) for a, n in live.items()}, 'accounts'
        for bid, b in batches.items():
            own = {':'.join(m.split(':')[:2]) for m in b['mem'].split(',')}
            mine = {k for k, s in shards.items() if s['st'] == 'IN' and s['b'] == bid}
            assert mine == (set() if b['st'] == 'CLEAN' else own), ('members', bid, b, mine)
        assert set(r.smembers(P + 'jb:' + JOB)) == set(batches), 'list of batches'
        self.check_money(job, shards, batches)
        assert int(job['infs']) == len(shards), 'infs'
        parts = collections.Counter(int(k.split(':')[0]) // PART_WINDOWS for k in shards)
        counted = r.hgetall(P + 'pt:' + JOB)
        for part in range(PARTS):
            assert int(counted.get(str(part), 0)) == parts[part], 'part count'
            is_due = 'c%d' % part in counted and 'd%d' % part not in counted and parts[part] == 0
            assert is_due == ('p:%s:%d' % (JOB, part) in due), 'part due'

    def check_money(self, job, shards, batches):
        """What is reserved is what the live records say; what is spent is what was settled; both together keep to the cap."""
        rsv, spent = int(job.get('rsv', 0)), int(job.get('spent', 0))
        assert rsv == sum(int(b.get('rsv', 0)) for b in batches.values()), 'reserved'
        assert all('rsv' not in b for b in batches.values() if b['st'] == 'CLEAN'), 'reserved for what is settled'
        assert all('file' not in b for b in batches.values() if 'idle' in b), 'a batch without a reservation is sent'
        work = {k: int(v) for k, v in self.redis.hgetall(P + 'jm:' + JOB).items() if k[0] == 'w'}
        assert work['w'] == 1, 'work is not counted'
        for lane in LANES:
            mine = [s for s in shards.values() if s['L'] == lane]
            for name, field in (('wn', 'left'), ('wi', 'tk'), ('wo', 'eo'), ('wu', 'un'), ('wx', 'xi')):
                assert work.get('%s:%s' % (name, lane), 0) == sum(int(s.get(field, s['tk'])) for s in mine), ('work', name, lane)
        if self.mode == 'plain':
            assert spent == sum(self.settled.values()), ('spent', spent, sum(self.settled.values()))
            self.check_cap(rsv + spent)

    def check_cap(self, used):
        """A cap that was lowered counts for what is packed from then on: until then nothing may be added."""
        if self.cap >= 0:
            assert used <= max(self.cap, self.bound), ('over the cap', used, self.cap, self.bound)
            self.bound = used

    def check_account(self, account, batches):
        """What is reserved is what its live records say. Its due batches."""
        r, due = self.redis, []
        for role, states in (('co', 'BUILD SUBMIT'), ('wk', 'FETCH CLEAN'), ('run', 'RUN')):
            found = r.zrange(P + 'due:%s:%s' % (account, role), 0, -1)
            assert sorted(m[2:] for m in found) == sorted(i for i, b in batches.items() if b['st'] in states.split()), 'due'
            due += found
        stored = r.hmget(P + 'store:' + account, 'files', 'bytes')
        assert int(stored[0] or 0) == sum(int(b['sf']) for b in batches.values()), 'files'
        assert int(stored[1] or 0) == sum(int(b['sb']) for b in batches.values()), 'bytes'
        for b in batches.values():
            assert int(b['sb']) == int(b['by']) + int(b.get('ob', 0)) + int(b.get('eb', 0)), 'bytes of a batch'
            assert ('at' in b) == (b['st'] == 'RUN' or (b['st'] == 'SUBMIT' and 'its' in b)), 'at the provider'
        for lane in LANES:
            ours = {bid: b for bid, b in batches.items() if b['L'] == lane}
            use = [int(x or 0) for x in r.hmget(P + 'lane:%s:%s' % (account, lane), 'ub', 'ut', 'ur', 'rb', 'rt', 'rr')]
            for field, at in (('held', 0), ('at', 3)):
                some = [b for b in ours.values() if field in b]
                assert use[at:at + 3] == [len(some), sum(int(b['tk']) for b in some), sum(int(b['n']) for b in some)], (
                    'budget', field, use, some)
            waiting = {i for i, b in ours.items() if 'waits' in b}
            assert set(r.zrange(P + 'wait:%s:%s' % (account, lane), 0, -1)) == waiting, 'waiting'
            assert all('held' in ours[i] and ours[i]['st'] in ('BUILD', 'SUBMIT') for i in waiting), 'waiting without a slot'
            caps = r.hmget(P + 'lane:%s:%s' % (account, lane), 'capb', 'capt', 'capr', 'capfr', 'capfb')
            assert all(c is None or int(c) >= 1 for c in caps), ('caps', caps)
        return due

    def check_packed(self, account, h):
        """No budget is overdrawn, but by one shard that is alone."""
        lane = dict(self.redis.hgetall(P + 'lane:%s:%s' % (account, h['L'])))
        stored = [int(x) for x in self.redis.hmget(P + 'store:' + account, 'files', 'bytes')]
        one, limits = ',' not in h['mem'], self.pack_limits

        def cap(limit, learned):
            return min(limit or 10**9, int(lane.get(learned, 10**9)))
        alone = one and lane['ub'] == '1'
        assert int(lane['ub']) <= cap(limits['batches'], 'capb'), 'batches'
        assert alone or int(lane['ut']) <= cap(limits['tokens'], 'capt'), 'tokens'
        assert alone or int(lane['ur']) <= cap(limits['requests'], 'capr'), 'requests'
        assert one or int(h['n']) <= cap(25, 'capfr') and int(h['by']) <= cap(10**6, 'capfb'), 'file'
        assert stored[0] == 3 or stored[0] <= (limits['files'] or 10**9), 'files stored'
        assert (one and stored[0] == 3) or stored[1] <= (limits['bytes'] or 10**9) or self.mode != 'plain' or (
            int(h['by']) == 0), 'bytes stored'

    def check_reserved(self, h):
        """Whatever was settled of them before: what the lines of a batch ask for is reserved."""
        if 'rsv' not in h:
            return
        asked = 0
        for m in h['mem'].split(','):
            w, k = map(int, m.split(':')[:2])
            shard = self.redis.hgetall(P + 's:%s:%d:%d' % (JOB, w, k))
            bits = bits_of(shard['m'], int(shard['n']))
            asked += self.true_cost('%d-%d' % (w, i) for i, is_set in enumerate(bits) if not is_set)
        assert asked <= int(h['rsv']), ('more is asked for than reserved', asked, h)

    def check_rates(self):
        """After its burst a rate gives one turn an interval, over all processes of an account."""
        for (_, rate), times in self.turns.items():
            interval, burst = RATES[rate]
            times.sort()
            for more in (1, 2, 10):
                for first, last in zip(times, times[burst - 1 + more:]):
                    assert last - first >= more * interval, 'rate of %s: %d turns in %d ms' % (rate, burst + more, last - first)

    def check_end(self):
        self.check_redis()
        for _ in range(20):  # both accounts, each twice at least
            for _ in self.reaper():
                pass
        rows = self.output()
        assert [o for o, _ in rows] == [o for w in self.windows for o in w.ordinals()], 'each ordinal once, in order'
        for ordinal, (kind, value) in rows:
            w, i = map(int, ordinal.split('-'))
            text = self.windows[w].text[i]
            if kind == 'ok':
                assert value == answer_of(text), 'wrong answer'
            self.events['row_' + kind] += 1
            if self.windows[w].lane[i] is None:
                assert value == 'invalid_request_line'
            elif text.startswith('bad'):
                assert kind != 'ok'
            elif not self.is_cancelled():
                assert kind != 'perm', 'a good task became a dead letter'
        assert not self.provider.files, 'remote files left: %r' % list(self.provider.files)[:3]
        if self.mode == 'plain' and not self.sink_broken:
            twice = [k for k, n in self.provider.billed.items() if n > 1]
            assert not twice, 'billed twice: %r' % twice[:3]
            self.check_rates()
        job = self.redis.hgetall(P + 'j:' + JOB)
        assert int(job['ok']) + int(job['bad']) + int(job['inv']) == int(job['n']), ('counters', job)
        assert job['done'] == job['shards'] and job['infs'] == job['infb'] == '0', job
        self.call('job_purge', JOB)
        stays = tuple(P + k for k in ('cfg', 'lane:', 'store:', 'rate:'))
        left = [k for k in self.redis.keys('*') if not k.startswith(stays)]
        assert not left, 'keys left: %r' % left
        for account in ACCOUNTS:
            self.check_account(account, {})
