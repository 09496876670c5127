"""Numbers out of repeats: medians, ranges, and when two of them differ."""

import math


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


class Spread:
    """The median of some repeats, and the range they lie in."""

    def __init__(self, values):
        if not values:
            raise ValueError("no values")
        self.values = list(values)
        self.low, self.median, self.high = min(values), median(values), max(values)

    def __len__(self):
        return len(self.values)


def geometric_mean(values):
    values = list(values)
    if not values or any(value <= 0 for value in values):
        raise ValueError(f"no geometric mean of {values}")
    return math.exp(sum(math.log(value) for value in values) / len(values))


def gain(before, after):
    """How much larger `after` is, as a part of `before`, by their medians."""
    return after.median / before.median - 1


def differ(one, other):
    """Whether the ranges of two spreads do not overlap. A single run has no range: then it is not known, and False."""
    if len(one) < 2 or len(other) < 2:
        return False
    return one.high < other.low or other.high < one.low
