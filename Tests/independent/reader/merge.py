"""SPEC.md section 14: what operations come to.

The rule as it is written, over one list of all scalars of a document. What an author saw is the
set of the events that precede its run, kept as the bits of a number: bit n is the n-th event this
document took in, and a set always holds what precedes its members. No effort is made to be fast.
"""

from bisect import bisect_right

from .operations import DELETE, DELETE_BACKWARD, GATHER, INSERT, REMOVE, SET


class Scalar:
    """One inserted scalar; left and right are its neighbours in the text its author saw."""

    __slots__ = ("bit", "id", "text", "left", "right", "deletions")

    def __init__(self, bit, event, text, left, right):
        self.bit = bit
        self.id = event
        self.text = text
        self.left = left
        self.right = right
        self.deletions = 0

    def is_in(self, seen):
        return seen >> self.bit & 1


class Document:
    def __init__(self):
        self.order = []  # every scalar, deleted ones included
        self.count = 0  # of events
        self.runs = []  # (first bit, what the run had seen), ascending
        self.numbers = {}  # log -> (first number, end, first bit) of its runs, ascending
        self.changes = []  # (event, bit, what it had seen, key, value or None)
        self.needs_update = False
        self.void = []
        self._texts = {}  # version -> visible scalars, of the last few versions

    @property
    def version(self):
        return (1 << self.count) - 1

    def bit(self, event):
        """The bit of an event, or None if this document doesn't have it."""
        log, number = event
        runs = self.numbers.get(log, [])
        index = bisect_right(runs, (number, 1 << 62, 0)) - 1
        if index < 0 or number >= runs[index][1]:
            return None
        return runs[index][2] + number - runs[index][0]

    def past(self, event):
        """What precedes an event, and itself: the events of a run follow one another."""
        bit = self.bit(event)
        first, seen = self.runs[bisect_right(self.runs, (bit, 1 << (self.count + 1))) - 1]
        return seen | (1 << (bit + 1)) - (1 << first)

    def apply(self, run, log, parents):
        """Takes a run in, whose parents are events this document has."""
        seen = 0
        for parent in parents:
            seen |= self.past(parent)
        first_bit = self.count
        if run.kind == INSERT:
            self._insert(run, log, seen, first_bit)
        elif run.kind in (DELETE, DELETE_BACKWARD):
            self._delete(run, log, seen, first_bit)
        else:
            if run.kind in (SET, REMOVE):
                event = (log, run.first)
                value = run.value if run.kind == SET else None
                self.changes.append((event, first_bit, seen, run.key, value))
            elif run.kind > GATHER:
                self.needs_update = True
            self._add_events(run, log, seen)

    def text_at(self, seen):
        text = self._texts.get(seen)
        if text is None:
            text = [each for each in self.order if each.is_in(seen) and not each.deletions & seen]
        return text

    @property
    def text(self):
        return "".join(each.text for each in self.text_at(self.version))

    def values(self):
        """The values of the map: key -> [(event, value)] in the order of their events."""
        overwritten = {}
        for _, _, seen, key, _ in self.changes:
            overwritten[key] = overwritten.get(key, 0) | seen
        values = {}
        for event, bit, _, key, value in self.changes:
            if value is not None and not overwritten[key] >> bit & 1:
                values.setdefault(key, []).append((event, value))
        for each in values.values():
            each.sort()
        return values

    def _add_events(self, run, log, seen):
        """The version that has seen the run."""
        first = self.count
        self.runs.append((first, seen))
        self.numbers.setdefault(log, []).append((run.first, run.end, first))
        self.count += run.count
        return seen | (1 << self.count) - (1 << first)

    def _remember(self, seen, text):
        self._texts[seen] = text
        while len(self._texts) > 8:
            del self._texts[next(iter(self._texts))]

    def _delete(self, run, log, seen, bit):
        text = self.text_at(seen)
        after = self._add_events(run, log, seen)
        if run.position + run.count > len(text):
            self.void.append((log, run.first))
            return
        gone = text[run.position : run.position + run.count]
        if run.kind == DELETE_BACKWARD:
            gone.reverse()
        for place, scalar in enumerate(gone):
            scalar.deletions |= 1 << (bit + place)
        left = text[: run.position] + text[run.position + run.count :]
        self._remember(after, left)

    def _insert(self, run, log, seen, bit):
        text = self.text_at(seen)
        version = self._add_events(run, log, seen)
        if run.position > len(text):
            self.void.append((log, run.first))
            return
        # The scalar stands right behind the visible one before its position. Its right neighbour
        # is the next one its author saw, be it deleted or not.
        left = text[run.position - 1] if run.position else None
        after = self.order.index(left) + 1 if left else 0
        right = next((each for each in self.order[after:] if each.is_in(seen)), None)
        inserted = []
        for place, character in enumerate(run.text):
            scalar = Scalar(bit + place, (log, run.first + place), character, left, right)
            index = self._place(scalar, after)
            self.order.insert(index, scalar)
            inserted.append(scalar)
            left, after = scalar, index + 1
        self._remember(version, text[: run.position] + inserted + text[run.position :])

    def _place(self, new, start):
        """Passes what the author had not seen between the scalar's left and right."""
        order = self.order
        left_index, right_index = self._left(new.left), self._right(new.right)
        place = start  # behind the last scalar that is passed for good
        is_open = False  # whether some were passed since, and not for good
        for index in range(start, right_index):
            other = order[index]
            other_left = self._left(other.left)
            if other_left < left_index:
                break
            if other_left == left_index:
                other_right = self._right(other.right)
                if other_right == right_index and new.id < other.id:
                    break
                is_open = other_right < right_index
            if not is_open:
                place = index + 1
        return place

    def _left(self, scalar):
        return -1 if scalar is None else self.order.index(scalar)

    def _right(self, scalar):
        return len(self.order) if scalar is None else self.order.index(scalar)
