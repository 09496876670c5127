"""Figures by cell, and tables of Markdown."""

import stats


class Data:
    """The records of one host, of which each part is either full or quick."""

    def __init__(self, host, machine, records):
        self.host, self.machine = host, machine
        self.parts = {}
        for record in sorted(records, key=lambda record: record["repeat"]):
            self.parts.setdefault(record["part"], []).append(record)
        self.found = {}

    def has(self, part):
        return part in self.parts

    def matching(self, part, cell):
        """The records of these cells, in the order of the repeats."""
        key = (part, *sorted(cell.items()))
        if key not in self.found:
            wanted = cell.items()
            self.found[key] = [record for record in self.parts.get(part, ()) if wanted <= record["cell"].items()]
        return self.found[key]

    def values(self, part, name, **cell):
        """One for each repeat, in their order."""
        return [record["values"][name] for record in self.matching(part, cell)]

    def spread(self, part, name, **cell):
        """None where there is no such run."""
        values = self.values(part, name, **cell)
        return stats.Spread(values) if values else None

    def cells(self, part, *names, **cell):
        """The different values of these keys, as tuples, sorted."""
        return sorted({tuple(record["cell"][name] for name in names) for record in self.matching(part, cell)})


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def figure(value):
    """Three figures that count, thousands with commas."""
    if value is None:
        return "-"
    if abs(value) >= 999.5:
        digits = len(str(int(abs(value))))
        return f"{round(value, -(digits - 4) if digits > 4 else 0):,.0f}"
    return f"{value:.3g}"


def ranged(spread, times=1):
    """Median and range."""
    if spread is None:
        return "-"
    if len(spread) == 1:
        return figure(spread.median * times)
    return f"{figure(spread.median * times)} ({figure(spread.low * times)} - {figure(spread.high * times)})"


def percent(part):
    return f"{part * 100:+.1f} %"


def body_name(body):
    return {2: "2 B", 1024: "1 KB", 102400: "100 KB"}.get(body, f"{body} B")
