"""A Batch API with no idempotency key, a list that is always up to date, and answers that are hard on its clients."""
import collections
import hashlib


def answer_of(text):
    return hashlib.sha1(text.encode()).hexdigest()[:8]


class Batch:
    def __init__(self, bid, file, kind, polls):
        self.bid, self.file, self.kind, self.polls = bid, file, kind, polls
        self.cancelled = False
        self.output = self.error = ''
        self.output_bytes = self.error_bytes = 0


class Provider:
    """Keeps everything in memory and counts what it bills, per ordinal and batch record."""

    def __init__(self, rng):
        self.rng = rng
        self.files = {}    # id -> (text, name)
        self.batches = {}  # id -> Batch
        self.billed = collections.Counter()
        self.events = collections.Counter()
        self.ids = 0

    def _id(self, prefix):
        self.ids += 1
        return '%s-%d-%04x' % (prefix, self.ids, self.rng.randrange(65536))

    def upload(self, lines, name):
        file = self._id('file')
        self.files[file] = (''.join(line + '\n' for line in lines), name)
        return file

    def delete(self, file):
        return self.files.pop(file, None) is not None

    def create(self, file, bid):
        """A batch id, or None when the request is refused. Both are seen in the wild for a file that does not exist."""
        if file not in self.files:
            if self.rng.random() < .5:
                return None
            kind = 'no_file'
        elif self.rng.random() < .03:
            kind = 'no_file'  # not visible yet
        else:
            kind = self.rng.choices(['completed', 'expired', 'failed'], [86, 10, 4])[0]
        self.events['batch_' + kind] += 1
        batch = Batch(bid, file, kind, self.rng.randrange(3))
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
            batch.output = self.upload(ok, 'output')
            batch.output_bytes = len(self.files[batch.output][0])
        if bad:
            batch.error = self.upload(bad, 'error')
            batch.error_bytes = len(self.files[batch.error][0])

    def poll(self, remote):
        """The batch once it has ended, else None."""
        batch = self.batches[remote]
        if batch.polls > 0:
            batch.polls -= 1
            return None
        return batch

    def cancel(self, remote):
        self.batches[remote].polls = 0

    def find(self, file):
        """Live or ended batches of a file that could do something with it."""
        return [i for i, b in self.batches.items() if b.file == file and not b.cancelled and b.kind != 'no_file']

    def content(self, file, offset):
        """The rest of a file, often cut short; None when it is gone."""
        if file not in self.files:
            return None
        data = self.files[file][0][offset:]
        if self.rng.random() < .2 and len(data) > 3:
            self.events['download_cut'] += 1
            data = data[:self.rng.randrange(1, len(data))]
        return data
