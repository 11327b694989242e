"""How fast this machine is: a loop of fixed work, beside the machine on which targets in seconds were set.

`python -m benchmarks.pace` prints the loop's CPU seconds here.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from functools import cache
from typing import Final

import zstandard

LOOP_SECONDS: Final = 0.15
"""CPU seconds that the loop takes on the two cores on which the targets were set."""
ROUNDS: Final = 10
ROWS: Final = 6000


@cache
def measured_pace() -> float:
    """How many times slower than that machine this one is; below 1 where it is faster."""
    return loop_seconds() / LOOP_SECONDS


def allowance() -> float:
    """By how much targets in seconds are longer here. On a faster machine they stay what they are."""
    return max(1.0, measured_pace())


def loop_seconds() -> float:
    """CPU seconds of the loop; the least of some rounds, for what else runs only ever adds."""
    return min(_round() for _ in range(ROUNDS))


def _round() -> float:
    """What the system does most: JSON apart and together, compress, insert."""
    began = time.process_time()
    text = json.dumps({f"field{number}": f"value {number}" for number in range(60)})
    compressor = zstandard.ZstdCompressor(level=1)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, state BLOB)")
        for number in range(ROWS):
            fields = json.loads(text)
            fields["number"] = number
            state = compressor.compress(json.dumps(fields).encode())
            connection.execute("INSERT INTO rows VALUES (?, ?)", (number, state))
    return time.process_time() - began


if __name__ == "__main__":
    print(f"{loop_seconds():.3f} CPU seconds; where targets were set, {LOOP_SECONDS:.3f}")
