"""The raw data: one JSON line for each run, so that a run that was cut goes on where it stopped.

A record is {"host", "set" (quick or full), "part", "repeat", "cell": {...}, "values": {...}, "took_s", "commit", "load"}, or,
once for each host, {"host", "machine": {...}}.
"""

import json


def key_of(record):
    """What makes two records one and the same measurement."""
    return (record["host"], record["set"], record["part"], record["repeat"], cell_key(record["cell"]))


def cell_key(cell):
    return tuple(sorted((name, str(value)) for name, value in cell.items()))


def parse(lines, name="data"):
    """Records and machines of a text. The last line may be cut off, which is what a killed run leaves."""
    lines = list(lines)
    records, machines = [], {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as problem:
            if number == len(lines) and not line.endswith("\n"):
                break
            raise ValueError(f"{name}:{number}: {problem}") from None
        if "machine" in record:
            machines[record["host"]] = record["machine"]
        else:
            records.append(record)
    return records, machines


def without(records, host, chosen_set, parts):
    """All but those of these parts: they are measured anew."""
    return [record for record in records
            if (record["host"], record["set"]) != (host, chosen_set) or record["part"] not in parts]


def left_of(runs, records, of):
    """The runs of which a record is missing, and the records without those of a run that was cut in its middle. `of`: host,
    set and part of the runs."""
    done = {key_of(record) for record in records}
    left, cut = [], set()
    for repeat, run in runs:
        keys = keys_of_run(repeat, run, of)
        if not done.issuperset(keys):
            left.append((repeat, run))
            cut.update(keys)
    return left, [record for record in records if key_of(record) not in cut]


def unplanned(runs, records, of):
    """Those of this part that no run would make: an older plan's."""
    planned = {key for repeat, run in runs for key in keys_of_run(repeat, run, of)}
    return [record for record in records if of.items() <= record.items() and key_of(record) not in planned]


def keys_of_run(repeat, run, of):
    return [key_of({**of, "repeat": repeat, "cell": cell}) for cell in run]


def merged(several):
    """One list out of several files' records. Of one measurement that is in two of them the later file's counts."""
    by_key = {}
    for records in several:
        for record in records:
            by_key[key_of(record)] = record
    return list(by_key.values())


def best_set(records):
    """Of each host and part the full runs, and the quick ones only where there are no full ones."""
    full = {(record["host"], record["part"]) for record in records if record["set"] == "full"}
    return [record for record in records
            if record["set"] == "full" or (record["host"], record["part"]) not in full]


class File:
    def __init__(self, path):
        self.path = path
        self.records, self.machines = [], {}
        if path.exists():
            with open(path, encoding="utf-8") as text:
                self.records, self.machines = parse(text, path.name)

    def write(self):
        """All of it anew, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        with open(new, "w", encoding="utf-8") as text:
            for host, machine in sorted(self.machines.items()):
                text.write(json.dumps({"host": host, "machine": machine}, sort_keys=True) + "\n")
            for record in self.records:
                text.write(json.dumps(record, sort_keys=True) + "\n")
        new.replace(self.path)

    def append(self, records):
        self.records += records
        with open(self.path, "a", encoding="utf-8") as text:
            text.write("".join(json.dumps(record, sort_keys=True) + "\n" for record in records))
