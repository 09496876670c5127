"""The report's part on loads that change: whether the adaptive lock finds the right mode, when, and whether it flaps."""

import plan
import plot
import stats
import verdicts
from tables import body_name, figure, table

SAMPLES_PER_SECOND = 10
T, PHASE, APPENDS, K, SWITCHES, SLEEPS = range(6)
SETTLING = 0.3  # of a phase, which the rates leave out


def rate_of(samples):
    """Appends per second of one phase's samples, without its beginning."""
    settled = samples[int(len(samples) * SETTLING):]
    return sum(sample[APPENDS] for sample in settled) * SAMPLES_PER_SECOND / len(settled)


def phase(samples, number):
    return [sample for sample in samples if sample[PHASE] == number]


def reference(data, lock, shape, number):
    """Rates of a lock that does not adapt, in the phase of that place in the shape."""
    return stats.median(rate_of(phase(samples, number)) for samples in data.values("phases", "samples", lock=lock, shape=shape))


def row(data, shape, number, at):
    runs = data.values("phases", "samples", lock="abs", shape=shape)
    speed = data.cells("phases", "speed", lock="abs", shape=shape)[0][0]
    kind = number % len(plan.SHAPES[shape])
    spinning, sleeping = (reference(data, lock, shape, kind) for lock in ("kBackoff", "mutex"))
    wanted = verdicts.right_mode(spinning, sleeping)
    found, rates, switches = [], [], []
    for samples in runs:
        now = phase(samples, number)
        modes = ["mutex" if sample[SLEEPS] else "spin" for sample in now]
        found.append(verdicts.windows_until(modes, wanted, SAMPLES_PER_SECOND / speed))
        rates.append(rate_of(now))
        switches.append(now[-1][SWITCHES] - now[0][SWITCHES])
    best = max(spinning, sleeping)
    times = "-" if wanted == "either" else ", ".join("never" if windows is None else f"{windows:.0f}" for windows in found)
    return [shape if number == 0 else "", f"{number + 1}: {at[0]} x {body_name(at[1])}", figure(sleeping), figure(spinning), wanted, times,
            ", ".join(map(str, switches)), f"{stats.median(rates) / best:.2f}"]


def timeline(data, shape, directory):
    samples = data.values("phases", "samples", lock="abs", shape=shape)[0]
    name = f"{data.host}-phases-{list(plan.SHAPES).index(shape)}.svg"
    series = {"appends/s": [(s[T], max(1, s[APPENDS] * SAMPLES_PER_SECOND)) + (0, 0) for s in samples],
              "k (1: sleeps)": [(s[T], 1 if s[SLEEPS] else max(1, s[K]), 0, 0) for s in samples]}
    every = [point[1] for points in series.values() for point in points]
    text = plot.lines(f"abs, {shape}", plot.Axis("seconds", [s[T] for s in samples], from_zero=True), plot.Axis("", every, log=True), series)
    (directory / name).write_text(text, encoding="utf-8")
    return f"![]({directory.name}/{name})\n"


def section(data, directory):
    if not data.matching("phases", {"lock": "abs"}):
        return "Nothing measured under `abs` yet.\n"
    speed = data.cells("phases", "speed", lock="abs")[0][0]
    text = (f"put_phases_bench; windows of `abs` pass {speed} times as fast as in the broker. The right mode of a phase is that of the better of "
            f"`mutex` (sleeping) and `kBackoff` (spinning), \"either\" where they are within {verdicts.MODES_EQUAL * 100:.0f} %. It is found when it "
            f"is entered for {verdicts.SETTLED_WINDOWS} windows on end; a return on trial counts as leaving it.\n\n")
    rows = []
    for shape, phases in plan.SHAPES.items():
        if not all(data.values("phases", "samples", lock=lock, shape=shape) for lock in ("abs", "mutex", "kBackoff")):
            continue
        rounds = data.cells("phases", "rounds", lock="abs", shape=shape)[0][0]
        rows += [row(data, shape, number, phases[number % len(phases)]) for number in range(len(phases) * rounds)]
    text += table(["load", "phase", "mutex, appends/s", "kBackoff", "right mode", "found after windows", "switches in the phase", "abs / better of both"], rows)
    return text + "\n" + "".join(timeline(data, shape, directory) for shape in plan.SHAPES if data.values("phases", "samples", lock="abs", shape=shape))
