"""The sink: names that are written once, and what they prove."""

RANK = {'missing': 0, 'free': 1, 'retry': 2, 'perm': 3, 'ok': 4}


def bits_of(mask, count):
    return [bool(ord(mask[i >> 3]) >> (i & 7) & 1) for i in range(count)]


def mask_of(bits):
    out = bytearray((len(bits) + 7) // 8)
    for i, bit in enumerate(bits):
        if bit:
            out[i >> 3] |= 1 << (i & 7)
    return out.decode('latin-1')


class Sink:
    def __init__(self):
        self.names = {}
        self.evidence = {}  # ordinal -> {name: (class, value)}

    def put(self, name, value, same=True):
        """Put-if-absent. Two writers of one name must agree, unless @same is false."""
        if name in self.names:
            assert not same or self.names[name] == value, 'not deterministic: ' + name
            return False
        self.names[name] = value
        self._index(name, value)
        return True

    def _index(self, name, value):
        if not name.startswith(('seg:', 'end:', 'inv:')):
            return
        for line in value.splitlines():
            ordinal, kind, text = line.split('|')
            old = self.evidence.setdefault(ordinal, {}).get(name)
            if old is None or RANK[old[0]] < RANK[kind]:
                self.evidence[ordinal][name] = (kind, text)

    def lose(self, name):
        """What a broken disk does."""
        del self.names[name]
        self.evidence = {}
        for name, value in self.names.items():
            self._index(name, value)

    def generation(self):
        return max([int(name[4:]) for name in self.names if name.startswith('gen-')], default=0)

    def generations(self):
        return [(g, self.names['gen-%d' % g]) for g in range(1, self.generation() + 1)]

    def cancel_mark(self):
        """The newest generation that was cancelled, or None."""
        return max([int(name[7:]) for name in self.names if name.startswith('cancel-')], default=None)

    def best(self, ordinal):
        """(class, value) that counts for an ordinal, or None. Failures from before a generation that redoes it do not."""
        found = self.evidence.get(ordinal, {})
        outdated = [before for _, (redo, before) in self.generations() if ordinal in redo]
        best = None
        for name in sorted(found):
            kind, value = found[name]
            if kind != 'ok' and any(name in before for before in outdated):
                continue
            if best is None or RANK[kind] > RANK[best[0]]:
                best = (kind, value)
        return best

    def settled(self, ordinal):
        best = self.best(ordinal)
        return best is not None and best[0] in ('ok', 'perm')
