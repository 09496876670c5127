"""Which runs there are, in which order, and how long they take. Nothing is run here.

A run is a list of cells that one process goes through in turn, with a record for each: a broker has one for each rate of its
load, a run of the locks alone has a single one.
"""

import itertools
import random

LOCKS = ["mutex", "spin", "kBackoff", "parking", "abs", "reserve"]
RIVALS = ["mcs", "clh", "delaySlots", "pPersistent"]
RIVAL_REPEATS = 3
END_TO_END = ["mutex", "kBackoff", "abs", "reserve"]
THREADS = [1, 2, 4, 16, 64]
BODIES = [2, 1024, 102400]
POLICIES = ["ASYNC_FLUSH", "SYNC_FLUSH"]
# Warm-ups are those of the load, never of the lock: who warms up longer writes more, and meets the disk in another state.
RATE_WARM_S = 1
SATURATION_WARM_S = {1: 2, 2: 3, 16: 5}  # by io threads, after the lower rates, which warm up too
AT_ONCE_WARM_S = 8  # for loads that begin at saturation: the windows that abs needs from its smallest k to sleeping
SHAPES = {  # loads that change: phases of (threads, body)
    "100 KB <-> 2 B, 4 threads": [(4, 102400), (4, 2)],
    "100 KB <-> 2 B, 64 threads": [(64, 102400), (64, 2)],
    "64 <-> 1 threads, 2 B": [(64, 2), (1, 2)],
}


def micro(quick):
    """A lock that does not adapt is warm at once."""
    runs = []
    for lock, threads, body in itertools.product(LOCKS + RIVALS, THREADS, BODIES):
        warm_ms = (400 if quick else 800) if lock == "abs" else 200
        runs.append([{"lock": lock, "threads": threads, "body": body, "warm_ms": warm_ms, "run_ms": 150 if quick else 400}])
    return runs


def warm_s(io_threads, rate, at_once, quick):
    if rate:
        return RATE_WARM_S
    if at_once:
        return AT_ONCE_WARM_S // 2 if quick else AT_ONCE_WARM_S
    return 2 if quick else SATURATION_WARM_S[io_threads]


def broker_run(lock, policy, io_threads, body, rates, quick, **more):
    """One broker under these rates, one after the other; 0 is saturation."""
    return [{"lock": lock, "policy": policy, "io": io_threads, "body": body, "rate": rate,
             "warm_s": warm_s(io_threads, rate, len(rates) == 1, quick), "run_s": 2 if quick else 4 if rate else 3,
             "group": True, "k": 0, **more} for rate in rates]


def end_to_end(quick):
    runs = []
    for lock, policy, io_threads, body in itertools.product(END_TO_END, POLICIES, [1, 2] if quick else [1, 2, 16], [2, 1024]):
        rates = [20000, 80000, 0] if not quick or (io_threads == 2 and body == 1024) else [0]
        runs.append(broker_run(lock, policy, io_threads, body, rates, quick))
    return runs


def share(quick):
    """Of a send: waiting for the lock, holding it. With the default number of io threads, end_to_end has that."""
    return [broker_run(lock, policy, 64, 1024, [0], quick) for lock in END_TO_END for policy in POLICIES[:1 if quick else 2]]


def sweep(quick):
    """One lock, which does not adapt: warm at once."""
    ks = [1, 100, 1000, 100000] if quick else [1, 10, 100, 1000, 10000, 100000]
    return [broker_run("kBackoff", policy, 16, 1024, [0], quick, k=k, group=group, warm_s=2)
            for k in ks for policy in POLICIES for group in ([False] if quick else [False, True])]


def published(quick):
    """One acquisition for each message, many io threads: as the field's experiments did it. 64 is their extreme contention."""
    runs = []
    for lock, policy in itertools.product(END_TO_END, POLICIES):
        runs.append(broker_run(lock, policy, 16, 1024, [0] if quick else [20000, 50000, 80000, 110000, 0], quick, group=False))
        runs.append(broker_run(lock, policy, 64, 1024, [0], quick, group=False))
        runs += [] if quick else [broker_run(lock, policy, 16, 2, [0], quick, group=False)]
    return runs


def phases(quick):
    runs = []
    for shape in SHAPES:
        runs.append([{"lock": "abs", "shape": shape, "speed": 10 if quick else 1, "phase_s": 3 if quick else 15, "rounds": 2}])
        runs += [[{"lock": lock, "shape": shape, "speed": 1, "phase_s": 1 if quick else 4, "rounds": 1}] for lock in ("mutex", "kBackoff")]
    return runs


PARTS = {
    # name: runs, repeats of the quick and the full set
    "micro": (micro, 3, 7),
    "end_to_end": (end_to_end, 1, 3),
    "share": (share, 1, 3),
    "sweep": (sweep, 1, 3),
    "published": (published, 1, 3),
    "phases": (phases, 1, 2),
}


def repeats_of(part, run, quick):
    _, quick_repeats, full_repeats = PARTS[part]
    repeats = quick_repeats if quick else full_repeats
    return min(repeats, RIVAL_REPEATS) if run[0]["lock"] in RIVALS else repeats


def runs(part, quick, seed):
    """(repeat, run) in the order they are made: each repeat is one round over all, shuffled, so that whatever drifts on the
    machine falls on all of them alike. The same seed gives the same order, which is what resuming needs."""
    once = PARTS[part][0](quick)
    rounds = []
    for repeat in range(max(repeats_of(part, run, quick) for run in once)):
        shuffled = [run for run in once if repeat < repeats_of(part, run, quick)]
        random.Random(f"{seed}/{part}/{repeat}").shuffle(shuffled)
        rounds += [(repeat, run) for run in shuffled]
    return rounds


def seconds_of(part, run):
    """About how long a run takes, start and end of its processes included."""
    if part == "micro":
        return (run[0]["warm_ms"] + run[0]["run_ms"]) / 1000 + 0.2
    if part == "phases":
        return run[0]["phase_s"] * run[0]["rounds"] * 2 + 0.3
    return 0.6 + sum(cell["warm_s"] + cell["run_s"] + 0.3 for cell in run)


def seconds(part, quick):
    return sum(seconds_of(part, run) for _, run in runs(part, quick, 0))
