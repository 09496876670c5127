"""The report's part on what was published: the field's tables and figures with ours beside them, one verdict for each claim."""

import plan
import plot
import published
import stats
import verdicts
from report_broker import sweep_rates
from tables import body_name, figure, percent, ranged, table


def sweep_claims(data):
    arch, cores = data.machine["arch"], data.machine["cores"]
    rows = []
    for policy in plan.POLICIES:
        rates = sweep_rates(data, policy, False)
        if published.BEST_K not in rates:
            continue
        best = max(rates, key=lambda k: rates[k].median)
        rows.append([f"k = {published.BEST_K:,} is best ({policy})", f"{published.BEST_K:,}", f"{best:,}", verdicts.of_optimum(rates, published.BEST_K)])
        gain, largest = published.SWEEP_GAIN.get(arch), max(rates)
        if gain:
            rows.append([f"gain of the best k ({policy}; ours: over k = {largest:,}, the nearest to spinning for ever)", percent(gain),
                         percent(stats.gain(rates[largest], rates[published.BEST_K])),
                         verdicts.of_gain(rates[largest], rates[published.BEST_K], gain)])
        if policy == "SYNC_FLUSH":
            rows.append(["rate at that k, SYNC_FLUSH (another machine: no verdict)", figure(published.SWEEP_RATE), ranged(rates[published.BEST_K]), "-"])
    before, after = published.SWEEP_CPU_PERCENT
    rows.append(["processor time at the best k", f"{before} -> {after} %", "-",
                 verdicts.not_testable(cores, published.PUBLISHED_CORES) or "see the sweep's table"])
    return rows


def abs_claims(data):
    arch, cores = data.machine["arch"], data.machine["cores"]
    rows = []
    for (claimed_arch, policy), (before, after, printed) in published.ABS_RATES.items():
        name = f"maximum rate, {claimed_arch}, {policy}"
        claim = f"{figure(before)} -> {figure(after)} ({percent(printed)})"
        ours = [data.spread("published", "messages/s", lock=lock, policy=policy, io=16, body=1024, rate=0) for lock in ("mutex", "abs")]
        if claimed_arch != arch:
            rows.append([name, claim, "-", f"not testable on {arch}"])
        elif all(ours):
            rows.append([name, claim, f"{figure(ours[0].median)} -> {figure(ours[1].median)} ({percent(stats.gain(*ours))})",
                         verdicts.of_gain(*ours, printed)])
    for policy in plan.POLICIES:
        rates = [rate for (rate,) in data.cells("published", "rate", policy=policy, io=16, body=1024)]
        pairs = [tuple(data.spread("published", "p99.99_ms", lock=lock, policy=policy, io=16, body=1024, rate=rate) for lock in ("mutex", "abs"))
                 for rate in rates]
        pairs = [pair for pair in pairs if all(pair)]
        if len(pairs) > 1:
            rows.append([f"p99.99 is better at every rate ({policy})", "better", "; ".join(f"{figure(a.median)} -> {figure(b.median)} ms" for a, b in pairs),
                         verdicts.of_every_rate(pairs)])
    for policy in plan.POLICIES:
        pair = [data.spread("published", "mean_ms", lock=lock, policy=policy, io=16, body=2, rate=0) for lock in ("mutex", "abs")]
        if all(pair):
            rows.append([f"response time halves at the maximum rate with small sections ({policy}, 2 B)", "-50 %",
                         f"{figure(pair[0].median)} -> {figure(pair[1].median)} ms ({percent(stats.gain(*pair))})", verdicts.of_gain(pair[1], pair[0], 1.0)])
    before, after = published.ABS_CPU_PERCENT
    rows.append(["processor time with large critical sections", f"{before} -> {after} %", "-",
                 verdicts.not_testable(cores, published.PUBLISHED_CORES) or "see the tables"])
    pair = [data.spread("share", "mean_ms", lock=lock, policy="ASYNC_FLUSH", io=64) for lock in ("mutex", "abs")] if data.has("share") else [None]
    if all(pair):
        difference = pair[1].median - pair[0].median
        rows.append(["mean under extreme contention (ours: 64 io threads)", f"+{published.EXTREME_MEAN_MS} ms", f"{difference:+.3f} ms",
                     "within it" if difference <= published.EXTREME_MEAN_MS else "more than that"])
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
            f"published experiments do it. \"Original\" is the mutex, their default. A gain counts as reproduced if it is at least half of what was "
            f"published and the ranges of the repeats do not overlap. In a closed loop the mean latency follows from the rate.\n\n")
    rows = (sweep_claims(data) if data.has("sweep") else []) + (abs_claims(data) if data.has("published") else [])
    text += table(["claim", "published", "here", "verdict"], rows)
    if data.has("published"):
        text += "\nMessages per second, one acquisition for each message:\n\n"
        rows = [[policy, body_name(body), f"{rate:,}" if rate else "maximum",
                 *(ranged(data.spread("published", "messages/s", policy=policy, body=body, rate=rate, lock=lock)) for lock in plan.END_TO_END)]
                for policy, body, rate in data.cells("published", "policy", "body", "rate")]
        text += table(["policy", "body", "offered", *plan.END_TO_END], rows) + "\n" + curves(data, directory)
    return text
