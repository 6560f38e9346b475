"""Runs inside an environment: reads blocks from one file, writes what each uses, with the truth, to another."""

from __future__ import annotations

import json
import os
import sys
import traceback
import warnings
from dataclasses import asdict
from pathlib import Path


def main() -> None:
    """`judge GIVEN FOUND`: `given` holds packages and blocks, `found` gets a list of uses for each block."""
    root = Path(__file__).parents[2]
    sys.path[:] = [path for path in sys.path if Path(path or ".").resolve() != root]
    from tests.oracle.reading import read_block

    warnings.simplefilter("ignore")
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    packages = frozenset(given["packages"])
    found = []
    for number, block in enumerate(given["blocks"]):
        try:
            uses = [asdict(use) for use in read_block(block["source"], block["prelude"], packages)]
        except Exception:
            print(f"block {number} cannot be read\n{traceback.format_exc()}", file=sys.stderr, flush=True)
            uses = []
        found.append(uses)
        if number % 200 == 0:
            print(number, len(given["blocks"]), file=sys.stderr, flush=True)
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")
    sys.stderr.flush()
    os._exit(0)  # Threads and atexit hooks of the packages have no say in the answer.


if __name__ == "__main__":
    main()
