"""A Batch API with no idempotency key, a list that is always up to date, and answers that are hard on its clients.

Accounts do not see each other's files and batches; each lane of one has room for so much at once."""
import collections
import hashlib


def answer_of(text):
    return hashlib.sha1(text.encode()).hexdigest()[:8]


class Batch:
    def __init__(self, bid, file, kind, polls, account, lane):
        self.bid, self.file, self.kind, self.polls = bid, file, kind, polls
        self.account, self.lane, self.lines = account, lane, 0
        self.cancelled = self.ended = False
        self.output = self.error = ''
        self.output_bytes = self.error_bytes = 0


class Provider:
    """Keeps everything in memory and counts what it bills, per ordinal and batch record."""

    def __init__(self, rng):
        self.rng = rng
        self.room = (rng.choice([1, 2, 3, 99]), rng.choice([12, 30, 999]))  # batches, requests of a lane
        self.refuses = rng.random() < .5  # to create, else what it has no room for fails
        self.files = {}    # id -> (text, name, account)
        self.batches = {}  # id -> Batch
        self.billed = collections.Counter()
        self.events = collections.Counter()
        self.ids = 0

    def _id(self, prefix):
        self.ids += 1
        return '%s-%d-%04x' % (prefix, self.ids, self.rng.randrange(65536))

    def upload(self, lines, name, account):
        file = self._id('file')
        self.files[file] = (''.join(line + '\n' for line in lines), name, account)
        return file

    def sees(self, file, account):
        return file in self.files and self.files[file][2] == account

    def delete(self, file, account):
        return self.sees(file, account) and self.files.pop(file) is not None

    def is_full(self, file, account, lane):
        alive = [b for b in self.batches.values() if b.account == account and b.lane == lane and not b.ended]
        lines = self.files[file][0].count('\n') if file in self.files else 0
        return bool(alive) and (len(alive) >= self.room[0] or sum(b.lines for b in alive) + lines > self.room[1])

    def create(self, file, bid, account, lane):
        """A batch id; None when the request is refused, 'full' for want of room. Both happen to a file that does not exist."""
        full = self.is_full(file, account, lane)
        if full and self.refuses:
            self.events['create_full'] += 1
            return 'full'
        if not self.sees(file, account):
            if self.rng.random() < .5:
                return None
            kind = 'no_file'
        elif full:
            kind = 'full'
        elif self.rng.random() < .03:
            kind = 'no_file'  # not visible yet
        else:
            kind = self.rng.choices(['completed', 'expired', 'failed'], [86, 10, 4])[0]
        self.events['batch_' + kind] += 1
        batch = Batch(bid, file, kind, self.rng.randrange(3), account, lane)
        batch.ended = kind in ('no_file', 'full')
        if file in self.files:
            batch.lines = self.files[file][0].count('\n')
        if kind in ('completed', 'expired'):
            self._execute(batch)
        remote = self._id('batch')
        self.batches[remote] = batch
        return remote

    def _execute(self, batch):
        ok, bad = [], []
        for line in self.files[batch.file][0].splitlines():
            ordinal, text = line.split('|')
            if batch.kind == 'expired' and self.rng.random() < .5:
                bad.append(ordinal + '|free|batch_expired')
                continue
            self.billed[ordinal + '@' + batch.bid] += 1
            luck = self.rng.random()
            if text.startswith('bad'):
                bad.append(ordinal + '|perm|invalid')
            elif luck < .10:
                bad.append(ordinal + '|retry|500')
            elif luck < .18:
                self.events['line_missing'] += 1
            else:
                ok.append(ordinal + '|ok|' + answer_of(text))
                if luck > .96:
                    ok.append(ordinal + '|ok|' + answer_of(text))
                    self.events['line_twice'] += 1
                elif luck > .94:
                    ok.append('alien|ok|x')
        self.rng.shuffle(ok)
        if ok:
            batch.output = self.upload(ok, 'output', batch.account)
            batch.output_bytes = len(self.files[batch.output][0])
        if bad:
            batch.error = self.upload(bad, 'error', batch.account)
            batch.error_bytes = len(self.files[batch.error][0])

    def poll(self, remote, account):
        """The batch once it has ended, else None."""
        batch = self.batches[remote]
        assert batch.account == account, 'polled with the key of another account'
        if batch.polls > 0:
            batch.polls -= 1
            return None
        batch.ended = True
        return batch

    def cancel(self, remote):
        self.batches[remote].polls = 0
        self.batches[remote].ended = True

    def find(self, file, account):
        """Live or ended batches of a file that could do something with it."""
        return [i for i, b in self.batches.items() if b.file == file and b.account == account and not b.cancelled and
                b.kind not in ('no_file', 'full')]

    def content(self, file, offset, account):
        """The rest of a file, often cut short; None when it is gone."""
        if not self.sees(file, account):
            return None
        data = self.files[file][0][offset:]
        if self.rng.random() < .2 and len(data) > 3:
            self.events['download_cut'] += 1
            data = data[:self.rng.randrange(1, len(data))]
        return data
