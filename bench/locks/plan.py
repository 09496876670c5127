"""Which runs there are, in which order, and how long they take. Nothing is run here."""

import itertools
import random

LOCKS = ["mutex", "spin", "kBackoff", "parking", "abs", "reserve"]
RIVALS = ["mcs", "clh", "delaySlots", "pPersistent"]
END_TO_END = ["mutex", "kBackoff", "abs", "reserve"]
THREADS = [1, 2, 4, 16, 64]
BODIES = [2, 1024, 102400]
POLICIES = ["ASYNC_FLUSH", "SYNC_FLUSH"]
ABS_WARM_S = 8  # as many windows as it takes from the smallest k to sleeping
SHAPES = {  # loads that change: phases of (threads, body)
    "100 KB <-> 2 B, 4 threads": [(4, 102400), (4, 2)],
    "100 KB <-> 2 B, 64 threads": [(64, 102400), (64, 2)],
    "64 <-> 1 threads, 2 B": [(64, 2), (1, 2)],
}


def micro(quick):
    cells = []
    for lock, threads, body in itertools.product(LOCKS + RIVALS, THREADS, BODIES):
        cells.append({"lock": lock, "threads": threads, "body": body,
                      "warm_ms": 400 if quick else 800, "run_ms": 150 if quick else 500})
    return cells


def broker_cell(lock, policy, io_threads, body, rate, quick, **more):
    warm_s = (1 if quick else 2) if lock != "abs" else (4 if quick else ABS_WARM_S)
    return {"lock": lock, "policy": policy, "io": io_threads, "body": body, "rate": rate, "warm_s": warm_s,
            "run_s": 2 if quick else 5, "group": True, "k": 0, **more}


def end_to_end(quick):
    cells = []
    for lock, policy, io_threads, body in itertools.product(END_TO_END, POLICIES, [1, 2] if quick else [1, 2, 16], [2, 1024]):
        rates = [0, 20000, 80000] if not quick or (io_threads == 2 and body == 1024) else [0]
        cells += [broker_cell(lock, policy, io_threads, body, rate, quick) for rate in rates]
    return cells


def share(quick):
    """Of a send: waiting for the lock, holding it. io 0 is the default."""
    return [broker_cell(lock, policy, io_threads, 1024, 0, quick)
            for lock in END_TO_END for policy in POLICIES[:1 if quick else 2] for io_threads in (0, 64)]


def sweep(quick):
    ks = [1, 100, 1000, 100000] if quick else [1, 10, 100, 1000, 10000, 100000]
    return [broker_cell("kBackoff", policy, 16, 1024, 0, quick, k=k, group=group)
            for k in ks for policy in POLICIES for group in ([False] if quick else [False, True])]


def published(quick):
    """One acquisition for each message, many io threads: as the field's experiments did it."""
    cells = []
    for lock, policy in itertools.product(END_TO_END, POLICIES):
        cells += [broker_cell(lock, policy, 16, 1024, rate, quick, group=False)
                  for rate in ([0] if quick else [20000, 50000, 80000, 110000, 0])]
        cells += [] if quick else [broker_cell(lock, policy, 16, 2, 0, quick, group=False)]
    return cells


def phases(quick):
    cells = []
    for shape in SHAPES:
        cells.append({"lock": "abs", "shape": shape, "speed": 10 if quick else 1, "phase_s": 3 if quick else 30, "rounds": 2})
        cells += [{"lock": lock, "shape": shape, "speed": 1, "phase_s": 1 if quick else 4, "rounds": 1}
                  for lock in ("mutex", "kBackoff", "reserve")]
    return cells


PARTS = {
    # name: cells, repeats of the quick and the full run
    "micro": (micro, 3, 7),
    "end_to_end": (end_to_end, 1, 3),
    "share": (share, 1, 3),
    "sweep": (sweep, 1, 3),
    "published": (published, 1, 3),
    "phases": (phases, 1, 3),
}


def runs(part, quick, seed):
    """(repeat, cell) in the order they are made: each repeat is one round over all cells, shuffled, so that whatever
    drifts on the machine falls on all of them alike. The same seed gives the same order, which is what resuming needs."""
    cells, quick_repeats, full_repeats = PARTS[part]
    rounds = []
    for repeat in range(quick_repeats if quick else full_repeats):
        shuffled = cells(quick)
        random.Random(f"{seed}/{part}/{repeat}").shuffle(shuffled)
        rounds += [(repeat, cell) for cell in shuffled]
    return rounds


def seconds_of(part, cell):
    """About how long a run takes, start and end of its processes included."""
    if part == "micro":
        return (cell["warm_ms"] + cell["run_ms"]) / 1000 + 0.2
    if part == "phases":
        return cell["phase_s"] * cell["rounds"] * 2 + 0.3
    return cell["warm_s"] + cell["run_s"] + 0.9


def seconds(part, quick):
    return sum(seconds_of(part, cell) for _, cell in runs(part, quick, 0))
