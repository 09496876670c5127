"""Compares what two brokers answered to one variant, and knows what is accepted to differ."""

import fnmatch
import re
from dataclasses import dataclass, field

from . import bodies, wire


@dataclass
class Difference:
    where: str
    ours: object
    apaches: object
    reason: str = None

    def __str__(self):
        return f"{self.where}: ours {shown(self.ours)}, Apache's {shown(self.apaches)}"


@dataclass
class Accepted:
    """One row: of which variants, which place of an answer (both with * and ?), and why. `apaches` and `ours`, where
    given, are patterns that the two values must match as well."""

    variants: str
    where: str
    reason: str
    apaches: str = ""
    ours: str = ""
    # Ours begins with Apache's and goes on.
    says_more: bool = False
    used: int = field(default=0, compare=False)

    def takes(self, variant, difference):
        return (fnmatch.fnmatchcase(variant, self.variants) and fnmatch.fnmatchcase(difference.where, self.where)
                and (not self.says_more or str(difference.ours).startswith(str(difference.apaches).rstrip()))
                and bool(re.search(self.apaches, str(difference.apaches), re.DOTALL))
                and bool(re.search(self.ours, str(difference.ours), re.DOTALL)))


NOTHING = "(nothing)"
# Members of bodies that come in no order.
SETS = ("groupList", "topicList", "consumerIdList", "connectionSet", "lockOKMQSet", "tagsSet", "codeSet")
SHOWN_MAX = 220


def shown(value):
    text = value if value is NOTHING else repr(value)
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "..."


def comparable(name, answer, client, side, masks):
    """The answer as a tree of plain values, without what depends on the moment or on the ports that were free."""
    if not isinstance(answer, wire.Answer):
        return _mask(answer, name, masks, client, side)
    if answer.closed:
        return "connection closed"
    tree = {"code": answer.code, "flag": answer.flag, "remark": answer.remark or NOTHING, "ext": answer.fields,
            "body": bodies.value_of(answer.body)}
    return _mask(tree, name, masks, client, side)


def _mask(value, where, masks, client, side):
    if any(fnmatch.fnmatchcase(where, mask) for mask in masks):
        return "(masked)"
    if isinstance(value, dict):
        return {_addresses(name, client, side): _mask(value[name], f"{where}.{name}", masks, client, side) for name in value}
    if isinstance(value, list) and where.rpartition(".")[2] in SETS:
        value = sorted(value, key=str)
    if isinstance(value, (list, tuple)):
        return [_mask(item, f"{where}.{at}", masks, client, side) for at, item in enumerate(value)]
    return _addresses(value, client, side)


def _addresses(value, client, side):
    """Ports are those that were free."""
    if not isinstance(value, str):
        return value
    value = value.replace(client, "<client>").replace(f"127.0.0.1:{side.port}", "<broker>")
    # Of a message id: address, port, position in the log.
    return value.replace(f"7F000001{side.port:08X}", "<broker>")


def differences(ours, apaches, where=""):
    if isinstance(ours, dict) and isinstance(apaches, dict):
        for name in sorted({*ours, *apaches}):
            yield from differences(ours.get(name, NOTHING), apaches.get(name, NOTHING), f"{where}.{name}".lstrip("."))
    elif isinstance(ours, list) and isinstance(apaches, list) and len(ours) == len(apaches):
        for at, pair in enumerate(zip(ours, apaches)):
            yield from differences(*pair, f"{where}.{at}".lstrip("."))
    elif ours != apaches or isinstance(ours, bool) != isinstance(apaches, bool):
        yield Difference(where, ours, apaches)


def compare(variant, our_side, apache_side, accepted):
    """All differences; those that a row accepts carry its reason."""
    trees = {}
    for side in (our_side, apache_side):
        trees[side.kind] = {}
        for name, answer, client in side.answers:
            assert name not in trees[side.kind], f"two answers are named {name}"
            trees[side.kind][name] = comparable(name, answer, client, side, variant.masks)
    found = list(differences(trees["tern"], trees["apache"]))
    for difference in found:
        for row in accepted:
            if row.takes(variant.name, difference):
                row.used += 1
                difference.reason = row.reason
                break
    return found
