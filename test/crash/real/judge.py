"""What was acknowledged against what is stored: nothing missing, nothing invented, order kept, duplicates only by retry."""

import collections


class Attempts:
    """Of one message: how often it was sent, and where acknowledgements said that it stands."""

    def __init__(self):
        self.tries = 0
        self.acknowledged = []  # (broker, queue, offset)


def judge(journal, stored):
    """`journal`: {(sender, number): Attempts}; `stored`: {(broker, queue): [(offset, (sender, number))]}, by offset.
    Returns the problems as lines of text, and how many messages are stored more than once."""
    problems = []
    places = collections.defaultdict(list)
    at = {}
    for (broker, queue), records in stored.items():
        for offset, key in records:
            places[key].append((broker, queue, offset))
            at[broker, queue, offset] = key
    for key, attempts in journal.items():
        for place in attempts.acknowledged:
            if at.get(place) != key:
                problems.append(f"message {key} was acknowledged at {place}, where {at.get(place, 'nothing')} stands")
    for key, found in places.items():
        attempts = journal.get(key)
        if attempts is None:
            problems.append(f"message {key} at {found[0]} was never sent")
        elif len(found) > attempts.tries:
            problems.append(f"message {key} was sent {attempts.tries} times and is stored {len(found)} times: {found}")
    problems += out_of_order(journal)
    return problems, sum(len(found) > 1 for found in places.values())


def out_of_order(journal):
    """A sender waits for each answer, so what it got acknowledged in one queue stands there in its order."""
    last = {}
    for key in sorted(journal):
        for broker, queue, offset in journal[key].acknowledged:
            line = key[0], broker, queue
            if offset <= last.get(line, -1):
                yield f"message {key} of queue {broker}#{queue} is at {offset}, behind a later one at {last[line]}"
            last[line] = max(offset, last.get(line, -1))
