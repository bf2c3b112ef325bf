"""python -m tests.bank: run all scripts of the bank, print how often the diagnosis is right; 1 if below the targets."""

from __future__ import annotations

import sys

from tests.bank.runs import diagnosed
from tests.bank.scripts import BROKEN, HEALTHY
from tests.bank.table import Results


def main() -> int:
    """Run everything, print the table."""
    results = Results(
        broken=[(script, diagnosed(script)) for script in BROKEN],
        repaired=[(script, diagnosed(script, repaired=True)) for script in BROKEN],
        healthy=[(script, diagnosed(script)) for script in HEALTHY],
    )
    print(results)
    for missed in results.missed_targets:
        print(f"below its target: {missed}")
    return 1 if results.missed_targets else 0


if __name__ == "__main__":
    sys.exit(main())
