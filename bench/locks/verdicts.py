"""What the figures say: one rule for each kind of statement, so that the report's conclusions follow from its figures."""

import stats

LOCKS_EQUAL = 0.03  # closer than this, two medians count as equal
APART_FLOOR = 0.90  # of the fastest, where the ranges do not overlap: what is slower anywhere is not as fast
ABS_FLOOR, ABS_MEAN_FLOOR = 0.90, 0.97  # of the best of mutex, spin and kBackoff
MODES_EQUAL = 0.05
SETTLED_WINDOWS = 3
REPRODUCED, IN_PART, NOT_REPRODUCED = "reproduced", "in part", "not reproduced"
NOT_MEASURED = "not testable: not measured"
NEAR = 2  # a published difference shows if ours is within this factor of it


def part_of(rate, best):
    """Of the best. A lock under which nothing at all came through in the measured time counts as a thousandth."""
    return max(rate / best, 0.001)


def not_testable(cores, needed):
    """None where the machine will do."""
    return f"not testable on {cores} cores" if cores < needed else None


def of_gain(before, after, published):
    """Whether a gain that was published shows here: at least half of it, and more than the repeats differ."""
    ours = stats.gain(before, after)
    if ours <= 0:
        return NOT_REPRODUCED
    if not stats.differ(before, after):
        return f"{NOT_REPRODUCED}: within the spread of the repeats" if len(before) > 1 else f"{NOT_REPRODUCED}: one run shows no spread"
    return REPRODUCED if ours >= published / 2 else IN_PART


def of_rate(ours, published, cores, needed):
    """A rate that was reached. A smaller machine that does not reach it says nothing."""
    if ours.median >= published:
        return REPRODUCED
    return not_testable(cores, needed) or NOT_REPRODUCED


def of_extra(before, after, published):
    """A published cost, as a difference: whether ours is about as large."""
    if after.median <= before.median:
        return f"{NOT_REPRODUCED}: no extra cost"
    if not stats.differ(before, after):
        return f"{NOT_REPRODUCED}: within the spread of the repeats" if len(before) > 1 else f"{NOT_REPRODUCED}: one run shows no spread"
    extra = after.median - before.median
    if extra > published * NEAR:
        return f"{NOT_REPRODUCED}: it costs more"
    return REPRODUCED if extra >= published / NEAR else f"{NOT_REPRODUCED}: it costs less"


def of_optimum(rates, published):
    """Where the best k lies, of {k: Spread}: reproduced if the published one is within LOCKS_EQUAL of the best and some
    other is clearly worse, which a flat curve has not."""
    if published not in rates:
        return f"not testable: k = {published} was not measured"
    best = max(rates, key=lambda k: rates[k].median)
    if rates[published].median < rates[best].median * (1 - LOCKS_EQUAL):
        return NOT_REPRODUCED
    if any(stats.differ(spread, rates[published]) and spread.median < rates[published].median for spread in rates.values()):
        return REPRODUCED
    return f"{NOT_REPRODUCED}: no k differs from it"


def of_every_rate(pairs):
    """A claim "better at every rate" of [(without, with)] where less is better."""
    better = sum(stats.gain(before, after) < 0 for before, after in pairs)
    if better == len(pairs) and all(stats.differ(before, after) for before, after in pairs):
        return REPRODUCED
    return f"{IN_PART if better > len(pairs) / 2 else NOT_REPRODUCED}: better at {better} of {len(pairs)} rates"


def ranking(cells, locks):
    """Of [{lock: rate}], for each lock the geometric mean of its part of the best, the best lock first."""
    parts = {lock: [] for lock in locks}
    for cell in cells:
        best = max(cell[lock] for lock in locks)
        for lock in locks:
            parts[lock].append(part_of(cell[lock], best))
    return sorted(((stats.geometric_mean(values), lock) for lock, values in parts.items()), reverse=True)


def overlaps(cells, lock, other):
    """In how many of [{lock: Spread}] the ranges of these two overlap."""
    return sum(not stats.differ(cell[lock], cell[other]) for cell in cells)


def is_as_fast(cells, lock, fastest):
    """Their ranges overlap in most cells, and it is not clearly slower in the others."""
    apart = [cell for cell in cells if stats.differ(cell[lock], cell[fastest])]
    return 2 * len(apart) < len(cells) and all(part_of(cell[lock].median, cell[fastest].median) >= APART_FLOOR for cell in apart)


def advised(cells, costs, locks):
    """The lock to take, the fastest on the mean, and all that count as fast as that, of [{lock: Spread}]. To take is the one
    of these that costs the least."""
    fastest = ranking([{lock: cell[lock].median for lock in locks} for cell in cells], locks)[0][1]
    equal = [lock for lock in locks if is_as_fast(cells, lock, fastest)]
    return min(equal, key=lambda lock: stats.geometric_mean(cost[lock] for cost in costs)), fastest, equal


def of_abs(parts):
    """Of {cell: part of the best of the three}: the worst cell, the mean, and whether both targets hold."""
    worst = min(parts, key=parts.get)
    mean = stats.geometric_mean(parts.values())
    return worst, mean, parts[worst] >= ABS_FLOOR and mean >= ABS_MEAN_FLOOR


def standings(cells, locks, rows):
    """Of [{lock: rate}], for each lock the mean and the worst of its parts of the best row: rows by the same rule as others."""
    parts = {lock: [part_of(cell[lock], max(cell[row] for row in rows)) for cell in cells] for lock in locks}
    return {lock: (stats.geometric_mean(values), min(values)) for lock, values in parts.items()}


def compared(own, best):
    if own > best * (1 + LOCKS_EQUAL):
        return "ahead of"
    return "behind" if own < best * (1 - LOCKS_EQUAL) else "level with"


def of_rival(standing, rival, rows):
    """What a lock that is no row wins and loses against the rows: (whether it is worth a row, in words)."""
    words, results = [], []
    for name, place in (("mean", 0), ("worst", 1)):
        best = max(rows, key=lambda row: standing[row][place])
        results.append(compared(standing[rival][place], standing[best][place]))
        words.append(f"{name} {standing[rival][place]:.2f}, {results[-1]} the best row's (`{best}` {standing[best][place]:.2f})")
    return "ahead of" in results and "behind" not in results, "; ".join(words)


def as_good_in_both(standing, rival, rows):
    """The rows that lose to it neither on the mean nor at worst."""
    return [row for row in rows if all(compared(*pair) != "ahead of" for pair in zip(standing[rival], standing[row]))]


def right_mode(spinning, sleeping):
    """Which of an adaptive lock's modes a load wants, by the rates of the locks that know only one of them."""
    if sleeping > spinning * (1 + MODES_EQUAL):
        return "mutex"
    return "spin" if spinning > sleeping * (1 + MODES_EQUAL) else "either"


def windows_until(modes, wanted, per_window):
    """How many windows from the beginning of a phase until the mode is the wanted one and stays for SETTLED_WINDOWS (or
    till the end). `modes`: one a sample, `per_window` samples to a window. None: never; 0: from the beginning."""
    if wanted == "either":
        return 0
    settled = max(1, round(SETTLED_WINDOWS * per_window))
    for begin in range(len(modes)):
        if all(mode == wanted for mode in modes[begin:begin + settled]):
            return begin / per_window
    return None
