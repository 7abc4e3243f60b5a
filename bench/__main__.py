"""``python -m bench [PART ...]``: runs the benchmarks, prints their table, and draws it as docs/bench.svg.

Exits 1 when a goal is missed. Parts run alone print their table and draw nothing.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import batches, crowd, decisions, foreign, many, reads, revocation, starting, writes
from bench.drawing import svg
from bench.figures import Figure, table

PARTS: Mapping[str, Callable[[], list[Figure]]] = {
    "reads": reads.measure, "batches": batches.measure, "writes": writes.measure, "decisions": decisions.measure,
    "starting": starting.measure, "many": many.measure, "crowd": crowd.measure, "revocation": revocation.measure,
    "foreign": foreign.measure,
}  # fmt: skip
PICTURE = Path(__file__).parent.parent / "docs" / "bench.svg"


def main(names: list[str]) -> int:
    """Run the parts of these names, or all."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"no part is named {unknown[0]!r}; there are: {', '.join(PARTS)}")
    figures = [figure for name in names or PARTS for figure in PARTS[name]()]
    print(f"\n{table(figures)}")
    if not names:
        machine = f"Python {platform.python_version()}, {platform.machine()}, {time.strftime('%Y-%m-%d')}"
        PICTURE.write_text(svg(figures, f"make bench: medians of alternated rounds; {machine}"), encoding="utf-8")
        print(f"\ndrawn: {PICTURE}")
    return 0 if all(figure.met for figure in figures) else 1


sys.exit(main(sys.argv[1:]))
