"""The report's part on put_lock_bench: locks alone, over a log in memory."""

import plan
import plot
import stats
import verdicts
from tables import body_name, figure, ranged, table


def rates(data, locks):
    """{(threads, body): {lock: Spread}} of the points at which all of these were measured."""
    points = {}
    for threads, body in data.cells("micro", "threads", "body"):
        at = {lock: data.spread("micro", "appends/s", lock=lock, threads=threads, body=body) for lock in locks}
        if all(at.values()):
            points[threads, body] = at
    return points


def costs(data, locks, points):
    return {point: {lock: data.spread("micro", "cpu_ns", lock=lock, threads=point[0], body=point[1]).median for lock in locks}
            for point in points}


def medians(spreads):
    return {lock: spread.median for lock, spread in spreads.items()}


def which_lock_when(data):
    """The user's table: by body and by threads against cores, the lock to take."""
    cores = data.machine["cores"]
    points = rates(data, plan.LOCKS)
    cost = costs(data, plan.LOCKS, points)
    rows = []
    for body in plan.BODIES:
        for name, holds in ((f"1", lambda threads: threads == 1), (f"2 to {cores} (cores)" if cores > 2 else "2 (cores)", lambda threads: 1 < threads <= cores),
                            (f"more than {cores}", lambda threads: threads > cores)):
            chosen = [point for point in points if point[1] == body and holds(point[0])]
            if not chosen:
                continue
            cells = [points[point] for point in chosen]
            take, fastest, equal = verdicts.advised(cells, [cost[point] for point in chosen], plan.LOCKS)
            rows.append([body_name(body), name, f"`{take}`", f"`{fastest}`", as_fast(cells, fastest, equal)])
    return (f"As fast as the fastest is a lock whose range overlaps its at most of the points, and which has at least "
            f"{verdicts.APART_FLOOR:.2f} of its rate at the others. Of those, the one to take costs the least processor time.\n\n" +
            table(["bodies", "threads that append", "take", "fastest on the mean", "as fast (points at which the ranges overlap)"], rows))


def as_fast(cells, fastest, equal):
    return ", ".join(f"`{lock}` ({verdicts.overlaps(cells, lock, fastest)} of {len(cells)})" for lock in equal if lock != fastest) or "-"


def matrix(data, name, locks, times=1):
    rows = []
    for body in plan.BODIES:
        for threads in plan.THREADS:
            cells = [ranged(data.spread("micro", name, lock=lock, threads=threads, body=body), times) for lock in locks]
            if any(cell != "-" for cell in cells):
                rows.append([body_name(body), threads, *cells])
    return table(["body", "threads", *locks], rows)


def abs_parts(points):
    return {point: verdicts.part_of(at["abs"].median, max(at[lock].median for lock in ("mutex", "spin", "kBackoff")))
            for point, at in points.items()}


def targets(data):
    points = rates(data, plan.LOCKS)
    if not points:
        return "No point has been measured under all locks yet.\n"
    parts = abs_parts(points)
    worst, mean, holds = verdicts.of_abs(parts)
    text = (f"`abs` against the best of mutex, spin and kBackoff at each point: at least {verdicts.ABS_FLOOR:.2f} everywhere and "
            f"{verdicts.ABS_MEAN_FLOOR:.2f} on the geometric mean are wanted. Measured: {parts[worst]:.2f} at worst "
            f"({worst[0]} threads, {body_name(worst[1])}), {mean:.2f} on the mean. **{'Holds' if holds else 'Does not hold'}.**\n\n")
    rows = [[body_name(body), threads, f"{parts[threads, body]:.2f}",
             f"{at['reserve'].median / at['kBackoff'].median:.2f}", f"{at['reserve'].median / at['abs'].median:.2f}"]
            for (threads, body), at in sorted(points.items(), key=lambda item: (item[0][1], item[0][0]))]
    text += table(["body", "threads", "abs / best of three", "reserve / kBackoff", "reserve / abs"], rows)
    wins = {threads: at for (threads, body), at in points.items() if body == 1024 and threads >= 4}
    won = [threads for threads, at in wins.items() if at["reserve"].median > max(at["kBackoff"].median, at["abs"].median)]
    text += (f"\n`reserve` should win against both at 1 KB with 4 threads and more: it does at {len(won)} of {len(wins)} points"
             f"{' (' + ', '.join(map(str, sorted(won))) + ' threads)' if won else ''}.\n")
    return text


CLASSES = {"all bodies": plan.BODIES, "up to 1 KB": [2, 1024], "100 KB": [102400]}


def rivals(data):
    """Rows and rivals by one and the same rule, and what each rival wins and loses."""
    locks = plan.LOCKS + plan.RIVALS
    points = rates(data, locks)
    classes = {name: [medians(at) for point, at in points.items() if point[1] in bodies] for name, bodies in CLASSES.items()}
    found = {name: verdicts.standings(cells, locks, plan.LOCKS) for name, cells in classes.items() if cells}
    if not found:
        return "No point has been measured under all of them yet.\n"
    text = "Each lock's part of the rate of the best row at a point: geometric mean, and at worst.\n\n"
    text += table(["lock", *(f"{name}: {what}" for name in found for what in ("mean", "worst"))],
                  [[f"`{lock}`", *(f"{value:.2f}" for standing in found.values() for value in standing[lock])] for lock in locks])
    return text + "\n" + table(["lock", "bodies", "against the rows", "verdict"], [row for rival in plan.RIVALS for row in rival_rows(found, rival)])


def rival_rows(found, rival):
    rows = []
    for name, standing in found.items():
        is_worth_it, words = verdicts.of_rival(standing, rival, plan.LOCKS)
        better = verdicts.as_good_in_both(standing, rival, plan.LOCKS)
        reason = "as good or better in both: " + ", ".join(f"`{row}`" for row in better) if better else "no single row is as good in both, but it falls behind in one"
        rows.append([f"`{rival}`", name, words, "worth a row" if is_worth_it else f"no row ({reason})"])
    return rows


def possible_shares(data, at):
    """(waiting, holding) of each run. Left out are those whose timed acquisitions met a holder that lost its processor, so that 64
    times that would be more than there is: more than all of one thread, or than the time inside."""
    runs = zip(data.values("micro", "wait_share", **at), data.values("micro", "hold_share", **at))
    return [(wait, hold) for wait, hold in runs if wait >= 0 and hold <= 1 / at["threads"]]


def shares(data):
    rows = []
    for body in plan.BODIES:
        for threads in (1, 4, 64):
            for lock in plan.END_TO_END:
                at = {"lock": lock, "threads": threads, "body": body}
                made, possible = len(data.matching("micro", at)), possible_shares(data, at)
                if made:
                    waiting, holding = (f"{stats.median(values) * 100:.1f} %" for values in zip(*possible)) if possible else ("-", "-")
                    rows.append([body_name(body), threads, f"`{lock}`", waiting, holding, f"{len(possible)} of {made}"])
    return table(["body", "threads", "lock", "of a thread's time: waiting", "holding", "runs"], rows)


def plots(data, directory):
    names = []
    for body in plan.BODIES:
        series = {lock: [(threads, s.median, s.low, s.high) for threads in plan.THREADS
                         if (s := data.spread("micro", "appends/s", lock=lock, threads=threads, body=body))] for lock in plan.LOCKS}
        series = {lock: points for lock, points in series.items() if points}
        if not series:
            continue
        highs = [point[3] for points in series.values() for point in points]
        name = f"{data.host}-micro-{body}.svg"
        x = plot.Axis("threads", plan.THREADS, log=True, at=plan.THREADS)
        y = plot.Axis("appends/s", highs, from_zero=True)
        (directory / name).write_text(plot.lines(f"Appends per second, bodies of {body_name(body)}", x, y, series), encoding="utf-8")
        names.append(name)
    return names


def repeats(data, locks):
    return max((1 + record["repeat"] for record in data.parts["micro"] if record["cell"]["lock"] in locks), default=0)


def section(data, directory):
    warm_ms = max(warm for (warm,) in data.cells("micro", "warm_ms"))
    text = (f"Each thread stages a record (outside of the lock, as an io thread does), appends it and waits until it is published; the log is "
            f"the real tail over memory. Medians of {repeats(data, plan.LOCKS)} interleaved runs ({repeats(data, plan.RIVALS)} of the locks that are "
            f"no rows), and their ranges. The windows of `abs` pass 20 times as fast as in the broker, and it has had {warm_ms / 50:.0f} of them "
            f"before it is measured.\n\n")
    text += "".join(f"![]({directory.name}/{name})\n" for name in plots(data, directory)) + "\n"
    text += "Appends per second:\n\n" + matrix(data, "appends/s", plan.LOCKS)
    text += "\nProcessor time per append, in nanoseconds of all threads:\n\n" + matrix(data, "cpu_ns", plan.LOCKS)
    for name, title in (("p50_us", "p50"), ("p99_us", "p99"), ("p9999_us", "p99.99")):
        text += f"\nFrom entry to *published past my own record*, {title} in microseconds:\n\n" + matrix(data, name, plan.LOCKS)
    text += "\nFairness (appends of the slowest thread / mean; 0: a thread got none in the measured time):\n\n" + matrix(data, "fair", plan.LOCKS)
    text += "\n### Targets\n\n" + targets(data)
    text += "\n### Locks that are no rows\n\n" + rivals(data)
    text += "\n" + matrix(data, "appends/s", plan.RIVALS)
    text += "\n### Waiting for the lock, holding it\n\nWaiting is all time inside of append() but holding, which is timed "
    text += "at one acquisition in 64; under `reserve`, which copies outside of its lock, that is copying too. What is not in the table is work "
    text += "outside of append(). A run is left out where a timed holder lost its processor, which 64 times over is more than there was.\n\n" + shares(data)
    return text
