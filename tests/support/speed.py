"""How fast this machine is: limits in seconds are for the one that they were set on."""

from __future__ import annotations

import ast
import time
from typing import Final

# What `_work` takes on a processor of 2.5 GHz that others are busy on, too (Python 3.11).
_USUAL: Final = 0.12


def slowness() -> float:
    """How many times longer than there something takes here and now; 1 on a faster machine."""
    return max(1.0, min(_work() for _ in range(3)) / _USUAL)


def _work() -> float:
    """The processor time of a fixed piece of work: what a check does most, parsing and looking up."""
    text = "x = {'a': [1, 2, 3], 'b': (f(y, z=1), 'text')}\n" * 2000
    found: dict[int, int] = {}
    total = 0
    start = time.process_time()
    ast.parse(text)
    for number in range(400_000):
        found[number & 1023] = total
        total += number ^ (total & 255)
    return time.process_time() - start
