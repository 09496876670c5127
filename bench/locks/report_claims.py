"""The report's part on what was published: the field's tables and figures with ours beside them, one verdict for each claim."""

import plan
import plot
import published
import stats
import verdicts
from report_broker import FLAG_TEXT, flagged, sweep_rates
from tables import body_name, figure, percent, ranged, table


def row(data, claim, printed, ours, show, judge, arch=None):
    """One for each claim, measured or not. `ours`: the spreads that it takes, None where one is missing."""
    if arch not in (None, data.machine["arch"]):
        return [claim, printed, "-", f"not testable on {data.machine['arch']}"]
    if not all(ours):
        return [claim, printed, "-", verdicts.NOT_MEASURED]
    return [claim, printed, show(*ours), judge(*ours)]


def exactly(part):
    return f"{part * 100:+.2f} %"


def from_to(times, unit):
    return lambda before, after: f"{figure(before.median * times)} -> {figure(after.median * times)}{unit} ({percent(stats.gain(before, after))})"


def saved(before_percent, after_percent):
    """Judges a saving: what the first costs over the second, as a gain."""
    return lambda before, after: verdicts.of_gain(after, before, before_percent / after_percent - 1)


def sweep_claims(data):
    rows = []
    for policy in plan.POLICIES:
        rates = sweep_rates(data, policy, False)
        best = f"{max(rates, key=lambda k: rates[k].median):,}" if rates else "-"
        rows.append([f"k = {published.BEST_K:,} is best ({policy})", f"{published.BEST_K:,}", best, verdicts.of_optimum(rates, published.BEST_K)])
    for arch, policy, gain in published.SWEEP_GAINS:
        rows.append(row(data, f"gain of the best k, {arch} ({policy}; ours: over the largest k, the nearest to spinning for ever)", exactly(gain),
                        around_best(data, policy, "messages/s"), lambda *pair: percent(stats.gain(*pair)),
                        lambda *pair, gain=gain: verdicts.of_gain(*pair, gain), arch))
    rows.append(row(data, "rate at that k, x86_64, SYNC_FLUSH", f"{published.SWEEP_RATE:,}", around_best(data, "SYNC_FLUSH", "messages/s")[1:], ranged,
                    lambda rate: verdicts.of_rate(rate, published.SWEEP_RATE, data.machine["cores"], published.PUBLISHED_CORES), "x86_64"))
    before, after = published.SWEEP_CPU_PERCENT
    rows.append(row(data, "processor time at the best k (SYNC_FLUSH; ours: from the largest k)", f"{before} -> {after} %",
                    around_best(data, "SYNC_FLUSH", "cpu_cores"), from_to(100, " %"), saved(before, after)))
    return rows


def around_best(data, policy, name):
    """At the largest k, and at the published one."""
    ks = [k for (k,) in data.cells("sweep", "k", policy=policy, group=False)]
    return [data.spread("sweep", name, policy=policy, group=False, k=k) for k in (max(ks, default=0), published.BEST_K)]


def without_and_with(data, name, policy, io_threads=16, body=1024, rate=0):
    """The published experiment's two: the mutex, and the adaptive lock."""
    return [data.spread("published", name, lock=lock, policy=policy, io=io_threads, body=body, rate=rate) for lock in ("mutex", "abs")]


def abs_claims(data):
    rows = []
    for (arch, policy), (before, after, printed) in published.ABS_RATES.items():
        rows.append(row(data, f"maximum rate, {arch}, {policy}", f"{before:,.2f} -> {after:,.2f} ({exactly(printed)})",
                        without_and_with(data, "messages/s", policy), from_to(1, ""), lambda *pair, printed=printed: verdicts.of_gain(*pair, printed), arch))
    for policy in plan.POLICIES:
        rates = [rate for (rate,) in data.cells("published", "rate", policy=policy, io=16, body=1024)]
        pairs = [pair for pair in (without_and_with(data, "p99.99_ms", policy, rate=rate) for rate in rates) if all(pair)]
        rows.append(row(data, f"p99.99 is better at every rate ({policy})", "better", [pairs if len(pairs) > 1 else None],
                        lambda pairs: "; ".join(f"{figure(a.median)} -> {figure(b.median)} ms" for a, b in pairs), verdicts.of_every_rate))
    for policy in plan.POLICIES:
        rows.append(row(data, f"response time halves at the maximum rate with small sections ({policy}, 2 B)", "-50 %",
                        without_and_with(data, "mean_ms", policy, body=2), from_to(1, " ms"), saved(2, 1)))
    before, after = published.ABS_CPU_PERCENT
    for policy in plan.POLICIES:
        rows.append(row(data, f"processor time with large critical sections ({policy}; ours: 1 KB)", f"{before} -> {after} %",
                        without_and_with(data, "cpu_cores", policy), from_to(100, " %"), saved(before, after)))
    for policy in plan.POLICIES:
        rows.append(row(data, f"mean under extreme contention ({policy}; ours: 64 io threads)", f"+{published.EXTREME_MEAN_MS} ms",
                        without_and_with(data, "mean_ms", policy, io_threads=64), lambda a, b: f"{b.median - a.median:+.3f} ms ({ranged(a)} -> {ranged(b)})",
                        lambda *pair: verdicts.of_extra(*pair, published.EXTREME_MEAN_MS)))
    return rows


def curves(data, directory):
    """CPU, p99.99 and mean over the rate, as the field draws them."""
    text = ""
    for policy in plan.POLICIES:
        for name, label, log in (("cpu_cores", "cores used by the broker", False), ("p99.99_ms", "p99.99, ms", True), ("mean_ms", "mean, ms", True)):
            series = {}
            for lock in plan.END_TO_END:
                points = []
                for (rate,) in data.cells("published", "rate", policy=policy, io=16, body=1024, lock=lock):
                    at = {"lock": lock, "policy": policy, "io": 16, "body": 1024, "rate": rate}
                    spread = data.spread("published", name, **at)
                    points.append((data.spread("published", "messages/s", **at).median, spread.median, spread.low, spread.high))
                if len(points) > 1:
                    series[lock] = points
            if not series:
                continue
            every = [point for points in series.values() for point in points]
            file = f"{data.host}-{policy.split('_')[0].lower()}-{name.split('_')[0].replace('.', '')}.svg"
            x = plot.Axis("messages/s", [point[0] for point in every], from_zero=True)
            y = plot.Axis(label, [value for point in every for value in point[2:]], log=log, from_zero=not log)
            (directory / file).write_text(plot.lines(f"{policy}: {label}", x, y, series), encoding="utf-8")
            text += f"![]({directory.name}/{file})\n"
    return text


def section(data, directory):
    text = (f"The sweep: {published.SWEEP_SOURCE}. The adaptive lock: {published.ABS_SETUP}. Ours: one machine with {data.machine['cores']} "
            f"cores that the generator shares, 16 io threads, `groupAppendEnable=false`: one acquisition for each message, as the "
            f"published experiments do it. \"Original\" is the mutex, their default. A gain or a saving counts as reproduced if it is at least half of what was "
            f"published and the ranges of the repeats do not overlap; an extra cost, if it is within a factor of {verdicts.NEAR} of the published one. "
            f"In a closed loop the mean latency follows from the rate. {FLAG_TEXT}\n\n")
    text += table(["claim", "published", "here", "verdict"], sweep_claims(data) + abs_claims(data))
    if data.has("published"):
        text += "\nMessages per second, one acquisition for each message:\n\n" + rates_table(data) + "\n" + curves(data, directory)
    return text


def rates_table(data):
    """The field's table of maximum rates, theirs beside ours."""
    rows = []
    for policy, io_threads, body, rate in data.cells("published", "policy", "io", "body", "rate"):
        at = {"policy": policy, "io": io_threads, "body": body, "rate": rate}
        theirs = published.ABS_RATES.get((data.machine["arch"], policy)) if (io_threads, body, rate) == (16, 1024, 0) else None
        rows.append([policy, io_threads, body_name(body), f"{rate:,}" if rate else "maximum",
                     *((f"{number:,.2f}" for number in theirs[:2]) if theirs else ("-", "-")),
                     *(flagged(data, "published", "messages/s", lock=lock, **at) for lock in plan.END_TO_END)])
    return table(["policy", "io threads", "body", "offered", "published: original", "published: adaptive", *plan.END_TO_END], rows)
