"""What the warps of one launch ask of memory: sectors of global memory, wavefronts of shared memory.

The model, and its sources:

- Global memory moves sectors of 32 bytes; a request costs as many as its lanes touch (CUDA C++ Best Practices Guide,
  "Coalesced Access to Global Memory"). Caches are not modelled: a sector counts each time a request touches it.
- Shared memory has 32 banks of 4 bytes. Lanes of a warp that want different words of one bank are served one after
  another, lanes that want the same word together (CUDA C++ Programming Guide, "Shared Memory" of compute capability
  5.x, which holds for those after it). Loads and stores of 8 and 16 bytes are served in two halves and four quarters
  of a warp; that is what profilers show, the guide does not promise it.
- Lanes form a request when they execute one instruction for the nth time. Where lanes of a warp leave a loop at
  different times or take different branches this may join what the hardware would split.
- Instructions are g++'s, at -O1 and without vectorisation. nvcc may merge, hoist or drop accesses that g++ keeps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from ai_research_skills.lab.cuda.host import Run, lines_of

SECTOR_BYTES = 32

Kind = Literal["load", "store", "atomic"]
Space = Literal["global", "shared"]


@dataclass(frozen=True)
class Access:
    """All executions of the loads, stores or atomics of one line to one variable.

    Attributes:
        line: Of the cell's text.
        kind: Load, store or atomic.
        space: Which memory.
        where: Argument or shared variable.
        requests: Instructions of a warp.
        transactions: Sectors of global memory, wavefronts of shared memory.
        conflicts: Wavefronts beyond those that the width of the access needs; 0 in global memory.
        bytes: That the lanes asked for.
        code: The text of the line.
    """

    line: int
    kind: Kind
    space: Space
    where: str
    requests: int
    transactions: int
    conflicts: int
    bytes: int
    code: str = ""

    @property
    def per_request(self) -> float:
        """Sectors or wavefronts per request."""
        return self.transactions / self.requests

    @property
    def conflicts_per_request(self) -> float:
        """Wavefronts per request that a better layout would save."""
        return self.conflicts / self.requests

    @property
    def efficiency(self) -> float:
        """Share of the moved bytes that lanes asked for; above 1 where lanes share. Of global memory only."""
        return self.bytes / (self.transactions * SECTOR_BYTES)


@dataclass(frozen=True)
class Traffic:
    """The accesses of one launch.

    Attributes:
        accesses: By line, then kind, space and variable.
    """

    accesses: tuple[Access, ...]

    @property
    def global_sectors(self) -> int:
        """Sectors of 32 bytes that requests touched."""
        return sum(each.transactions for each in self._of("global"))

    @property
    def global_sectors_per_request(self) -> float:
        """4 is ideal for 4 bytes per lane, 16 for 16; 0 where nothing went to global memory."""
        requests = sum(each.requests for each in self._of("global"))
        return self.global_sectors / requests if requests else 0.0

    @property
    def global_bytes_moved(self) -> int:
        """Bytes of those sectors."""
        return self.global_sectors * SECTOR_BYTES

    @property
    def global_bytes_requested(self) -> int:
        """Bytes that lanes asked for."""
        return sum(each.bytes for each in self._of("global"))

    @property
    def shared_wavefronts(self) -> int:
        """Passes through the banks."""
        return sum(each.transactions for each in self._of("shared"))

    @property
    def shared_conflicts(self) -> int:
        """Passes that are there only because lanes met in a bank."""
        return sum(each.conflicts for each in self._of("shared"))

    def by_line(self, line: int) -> tuple[Access, ...]:
        """The accesses of one line of the cell."""
        return tuple(each for each in self.accesses if each.line == line)

    def _of(self, space: str) -> Iterable[Access]:
        return (each for each in self.accesses if each.space == space)

    def __str__(self) -> str:
        rows = [
            f"{'line':>4} {'':6} {'space':6} {'variable':12} {'requests':>9} {'per request':>11} {'conflicts':>9}"
        ]
        for each in self.accesses:
            unit = "sectors" if each.space == "global" else "waves"
            rows.append(
                f"{each.line:4} {each.kind:6} {each.space:6} {each.where:12} {each.requests:9} "
                f"{each.per_request:11.2f} {each.conflicts:9} {unit}"
            )
        return "\n".join(rows)


def read_traffic(text: str, run: Run) -> Traffic:
    """Sum the tracer's sites, which are single instructions, by line, kind and variable."""
    buffers = [each for each in run.variables if not each.shared]
    shared = [each for each in run.variables if each.shared]
    lines = lines_of(run.program, [int(site[1], 16) for site in run.sites])
    sums: dict[tuple[int, str, str, str], list[int]] = {}
    for _, address, target, kind, _, *counted in run.sites:
        requests, transactions, ideal, size = map(int, counted)
        place = int(target)
        space, variable = ("global", buffers[place]) if place >= 0 else ("shared", shared[-1 - place])
        conflicts = transactions - ideal if space == "shared" else 0
        total = sums.setdefault((lines[int(address, 16)], kind, space, variable.name), [0, 0, 0, 0])
        for at, value in enumerate((requests, transactions, conflicts, size)):
            total[at] += value
    code = ["", *(each.strip() for each in text.splitlines())]
    accesses = []
    for (line, kind, space, where), (requests, transactions, conflicts, size) in sorted(sums.items()):
        named = cast("Kind", kind), cast("Space", space)
        accesses.append(Access(line, *named, where, requests, transactions, conflicts, size, code[line]))
    return Traffic(tuple(accesses))
