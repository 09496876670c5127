"""What the figures say: one rule for each kind of statement, so that the report's conclusions follow from its figures."""

import stats

LOCKS_EQUAL = 0.03  # closer than this, two locks count as equally fast
ABS_FLOOR, ABS_MEAN_FLOOR = 0.90, 0.97  # of the best of mutex, spin and kBackoff
MODES_EQUAL = 0.05
SETTLED_WINDOWS = 3
REPRODUCED, IN_PART, NOT_REPRODUCED = "reproduced", "in part", "not reproduced"


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


def of_optimum(rates, published):
    """Where the best k lies, of {k: Spread}: reproduced if the published one is within LOCKS_EQUAL of the best and some
    other is clearly worse, which a flat curve has not."""
    best = max(rates, key=lambda k: rates[k].median)
    if published not in rates:
        return f"not testable: k = {published} was not measured"
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


def advised(cells, costs, locks):
    """The lock to take, and those as good: the fastest, and of equally fast ones the one that costs the least."""
    ranked = ranking(cells, locks)
    equal = [lock for part, lock in ranked if part >= ranked[0][0] * (1 - LOCKS_EQUAL)]
    cost = {lock: stats.geometric_mean(cell[lock] for cell in costs) for lock in equal}
    chosen = min(equal, key=lambda lock: cost[lock])
    return chosen, [lock for lock in equal if lock != chosen]


def of_abs(parts):
    """Of {cell: part of the best of the three}: the worst cell, the mean, and whether both targets hold."""
    worst = min(parts, key=parts.get)
    mean = stats.geometric_mean(parts.values())
    return worst, mean, parts[worst] >= ABS_FLOOR and mean >= ABS_MEAN_FLOOR


def of_rival(parts):
    """Of {cell: part of the best row's rate}, for a lock that is no row."""
    won = [cell for cell, part in parts.items() if part > 1 + LOCKS_EQUAL]
    mean, worst = stats.geometric_mean(parts.values()), min(parts.values())
    text = f"{mean:.2f} of the best row on the mean, {worst:.2f} at worst; ahead at {len(won)} of {len(parts)} points"
    if mean > 1 and worst >= 0.9:
        return f"worth a row: {text}"
    if worst < 0.5:
        return f"no row: collapses somewhere ({text})"
    return f"no row: nothing gained ({text})"


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
