"""A variant: a name, and what is asked of either broker."""

from dataclasses import dataclass
from typing import Callable


@dataclass
class Variant:
    name: str
    steps: Callable
    # Places of answers, with * and ?, whose values say nothing.
    masks: tuple = ()


def one(name, code, fields=None, body=b"", masks=(), **how):
    """One request. `fields` and `body` may be functions of the side, where they depend on what was answered before."""
    def steps(side):
        fields_now = fields(side) if callable(fields) else fields
        body_now = body(side) if callable(body) else body
        side.ask(code, fields_now, body_now, name="answer", **how)
    return Variant(name, steps, tuple(masks))


class Cases(list):
    """Collects the variants of one module, in order."""

    def __init__(self, prefix):
        super().__init__()
        self._prefix = prefix

    def one(self, name, *arguments, **how):
        self.append(one(f"{self._prefix}/{name}", *arguments, **how))

    def steps(self, name, masks=()):
        """Decorates a function of a side, which asks as often as it wants."""
        def take(function):
            self.append(Variant(f"{self._prefix}/{name}", function, tuple(masks)))
            return function
        return take
