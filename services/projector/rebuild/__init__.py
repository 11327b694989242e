"""Making the read tables again from the log: beside the old ones, with as many processes as there are processors.

`generation`: a new set of tables, from its first row until it takes the place of the old one · `last_facts`: the fast
way to fill it · `ahead`: processes that read and fold the log for the one that writes.
"""

from services.projector.rebuild.generation import RebuildError, rebuild

__all__ = ["RebuildError", "rebuild"]
