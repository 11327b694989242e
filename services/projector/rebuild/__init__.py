"""Making the read tables again from the log: beside the old ones, with as many processes as there are processors.

`generation`: a new set of tables, from its first row until it takes the place of the old one · `ahead`: processes that
read and fold the log for the one that writes · `last_facts`: what they make of it in the fast way · `loading`: what the
writer does with that.
"""

from services.projector.rebuild.generation import RebuildError, rebuild

__all__ = ["RebuildError", "rebuild"]
