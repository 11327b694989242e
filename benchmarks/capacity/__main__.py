"""What an installation needs: `python -m benchmarks.capacity --sites 40 --projects 12 --interval 300`.

With `page` the tables of docs/capacity.md are written anew; with `measure` the unit costs are (ten minutes).
"""

from __future__ import annotations

import argparse
import dataclasses
import sys

from benchmarks.capacity import page
from benchmarks.capacity.costs import measured, write
from benchmarks.capacity.measure import measure
from benchmarks.capacity.model import Inputs, plan


def main(arguments: list[str]) -> None:
    line = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    line.add_argument("what", nargs="?", choices=("plan", "page", "measure"), default="plan")
    for field in dataclasses.fields(Inputs):
        line.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    asked = vars(line.parse_args(arguments))
    what = asked.pop("what")
    if min(asked.values()) <= 0:
        line.error("every figure must be greater than 0")
    if what == "measure":
        write(measure())
    elif what == "page":
        page.PAGE.write_text(page.filled(page.PAGE.read_text(encoding="utf-8"), measured()), encoding="utf-8")
    else:
        print(page.results([plan(Inputs(**asked), measured())]))


if __name__ == "__main__":
    main(sys.argv[1:])
