"""Takes over data files that were made elsewhere."""

import machine
import results


def take_over(path, directory):
    """Into the hosts' files in `directory`. ValueError says what is wrong with the file; then nothing was written."""
    given = results.File(path)
    if not given.records:
        raise ValueError(f"{path} holds no records")
    hosts = sorted({record["host"] for record in given.records})
    changed = [joined(given, host, results.File(directory / f"{host}.jsonl")) for host in hosts]
    for data in changed:
        data.write()


def joined(given, host, data):
    if host not in given.machines:
        raise ValueError(f"{given.path} does not say what machine \"{host}\" is: the line {{\"host\": \"{host}\", \"machine\": ...}} is missing")
    if data.records and machine.is_another(data.machines.get(host), given.machines[host]):
        raise ValueError(f"{given.path} has figures of {machine.name(given.machines[host])} as \"{host}\", {data.path} those of "
                         f"{machine.name(data.machines.get(host))}: measure with a --host-label of its own")
    data.records = results.merged([data.records, [record for record in given.records if record["host"] == host]])
    data.machines[host] = given.machines[host]
    return data
