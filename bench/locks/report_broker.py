"""The report's parts on the whole broker: end to end, the k sweep, the shares of a send."""

import plan
import plot
import stats
import verdicts
from tables import body_name, figure, ranged, table


NOT_READY = "†"
FLAG_TEXT = f"{NOT_READY}: in one run at least, appends found the tail of the log not prepared in time, and waited for that and not for the lock."


def flagged(data, part, name, **at):
    """Median and range, and a flag where the tail was not prepared in time."""
    late = sum(data.values(part, "not_ready", **at))
    return ranged(data.spread(part, name, **at)) + (NOT_READY if late else "")


def end_to_end_table(data, name, rate):
    rows = []
    for policy, io_threads, body in data.cells("end_to_end", "policy", "io", "body", rate=rate):
        rows.append([policy, io_threads, body_name(body)] +
                    [flagged(data, "end_to_end", name, policy=policy, io=io_threads, body=body, rate=rate, lock=lock)
                     for lock in plan.END_TO_END])
    return table(["policy", "io threads", "body", *plan.END_TO_END], rows)


def saturation(data):
    """[{lock: Spread of messages/s}] of the cells with at most as many io threads as cores, and their median costs."""
    rates, costs = [], []
    for policy, io_threads, body in data.cells("end_to_end", "policy", "io", "body", rate=0):
        at = {"policy": policy, "io": io_threads, "body": body, "rate": 0}
        rate = {lock: data.spread("end_to_end", "messages/s", lock=lock, **at) for lock in plan.END_TO_END}
        if io_threads <= data.machine["cores"] and all(rate.values()):
            rates.append(rate)
            costs.append({lock: data.spread("end_to_end", "cpu_us", lock=lock, **at).median for lock in plan.END_TO_END})
    return rates, costs


def default_lock(data):
    """What wins end to end at ioThreads <= cores, and by how much."""
    rates, costs = saturation(data)
    if not rates:
        return "No cell with at most as many io threads as cores has been measured under all locks yet.\n"
    ranked = verdicts.ranking([{lock: spread.median for lock, spread in cell.items()} for cell in rates], plan.END_TO_END)
    text = (f"At saturation with at most as many io threads as cores, geometric means of each lock's part of the best of its cell: "
            f"{', '.join(f'`{lock}` {part:.3f}' for part, lock in ranked)}. ")
    if min(len(spread) for cell in rates for spread in cell.values()) < 2:
        return text + "One run of each shows no spread: no default follows.\n"
    take, fastest, equal = verdicts.advised(rates, costs, plan.END_TO_END)
    others = ", ".join(f"`{lock}` ({verdicts.overlaps(rates, lock, fastest)} of {len(rates)})" for lock in equal if lock != fastest)
    text += f"As fast as `{fastest}`, with ranges that overlap in most cells: {others}. " if others else f"No other is as fast as `{fastest}`. "
    cost = "" if take == fastest else ", which of these costs the least processor time"
    return text + f"The default that follows: **`{take}`**{cost}.\n"


def end_to_end(data):
    text = (f"`ternctl bench produce` on the same machine, 16 connections, 512 sends under way at saturation (closed loop); at fixed rates "
            f"open loop, latencies from the intended send time. `groupAppendEnable` as by default. The generator shares the "
            f"machine's {data.machine['cores']} cores with the broker. One broker is loaded with the rates one after the other, saturation last; "
            f"the warm-ups are the same for all locks. What the lock counted is the difference of two looks at `ternctl broker status`: when the "
            f"warm-up of the rate is over, and when its last send is answered. {FLAG_TEXT}\n\n")
    text += "Messages per second at saturation:\n\n" + end_to_end_table(data, "messages/s", 0)
    text += "\nThe broker's processor time per message at saturation, in microseconds:\n\n" + end_to_end_table(data, "cpu_us", 0)
    text += "\n" + default_lock(data)
    for (rate,) in data.cells("end_to_end", "rate"):
        if rate == 0:
            continue
        text += f"\nAt {rate:,} messages/s, p99.99 of the latency in milliseconds:\n\n" + end_to_end_table(data, "p99.99_ms", rate)
        text += f"\nAt {rate:,} messages/s, p50:\n\n" + end_to_end_table(data, "p50_ms", rate)
    return text


def default_io_threads(data):
    return max(1, data.machine["cores"] // 2)


def share(data):
    """With the default number of io threads from end_to_end, where that was measured with as many; with 64 of its own."""
    default = default_io_threads(data)
    rows = []
    for policy in plan.POLICIES:
        for part, io_threads, name in (("end_to_end", default, f"{default} (default)"), ("share", 64, "64")):
            for lock in plan.END_TO_END:
                at = {"policy": policy, "io": io_threads, "lock": lock, "body": 1024, "rate": 0}
                if data.matching(part, at):
                    rows.append([policy, name, f"`{lock}`", *share_row(data, part, at)])
    return ("1 KB bodies at saturation. A send waits for the lock as long as the turn that it is in, so the shares are of its mean latency. "
            "One acquisition in 64 is timed: \"timed\" says how many of one run that were, the fewest of the repeats.\n\n" +
            table(["policy", "io threads", "lock", "messages/s", "records per acquisition", "timed", "waiting, us", "holding, us",
                   "of a send: waiting", "holding"], rows))


def share_row(data, part, at):
    def median(name):
        return data.spread(part, name, **at).median
    return [flagged(data, part, "messages/s", **at), figure(median("records_per_acquisition")), f"{data.spread(part, 'timed', **at).low:,}",
            figure(median("wait_us")), figure(median("hold_us")), f"{median('wait_share') * 100:.2f} %", f"{median('hold_share') * 100:.2f} %"]


def sweep_rates(data, policy, group):
    return {k: data.spread("sweep", "messages/s", policy=policy, group=group, k=k)
            for (k,) in data.cells("sweep", "k", policy=policy, group=group)}


def sweep(data, directory):
    text = "`kBackoff`, 16 io threads, 1 KB, at saturation.\n\n"
    rows = []
    for policy, group in data.cells("sweep", "policy", "group"):
        rates = sweep_rates(data, policy, group)
        best = max(rates, key=lambda k: rates[k].median)
        for k in rates:
            at = {"policy": policy, "group": group, "k": k}
            rows.append([policy, "on" if group else "off", f"**{k:,}**" if k == best else f"{k:,}", flagged(data, "sweep", "messages/s", **at),
                         ranged(data.spread("sweep", "cpu_us", **at)), figure(data.spread("sweep", "retreats_per_1000", **at).median)])
    text += table(["policy", "group append", "k (bold: best)", "messages/s", "broker CPU, us per message", "retreats per thousand messages"], rows)
    series = {}
    for policy, group in data.cells("sweep", "policy", "group"):
        series[("sync" if policy == "SYNC_FLUSH" else "async") + (", group" if group else "")] = [
            (k, s.median, s.low, s.high) for k, s in sweep_rates(data, policy, group).items()]
    name = f"{data.host}-sweep.svg"
    ks = [k for (k,) in data.cells("sweep", "k")]
    highs = [point[3] for points in series.values() for point in points]
    (directory / name).write_text(plot.lines("Messages per second over k", plot.Axis("k", ks, log=True, at=ks),
                                             plot.Axis("messages/s", highs, from_zero=True), series), encoding="utf-8")
    return text + f"\n![]({directory.name}/{name})\n"
