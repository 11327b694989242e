"""Which seeds a test of many trials tries: few by default, as many as an environment variable says."""

import os


def seeds_of(variable: str, default: int) -> list[int]:
    """`VARIABLE=500`: so many, from 0 on. `VARIABLE=17,230-260`: certain ones. Unset: `default` of them."""
    asked = os.environ.get(variable, str(default))
    if asked.isdecimal():
        return list(range(int(asked)))
    ranges = [part.partition("-") for part in asked.split(",")]
    return [seed for first, _, last in ranges for seed in range(int(first), int(last or first) + 1)]
