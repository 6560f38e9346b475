"""Commands of the system that start another command: what stands between them and it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Wrapper:
    """How a command line goes on after a wrapper.

    Attributes:
        valued: Options that take the next word.
        operands: How many words of its own come before the other command.
    """

    valued: frozenset[str] = frozenset()
    operands: int = 0


def _wrapper(valued: str = "", operands: int = 0) -> Wrapper:
    return Wrapper(frozenset(valued.split()), operands)


_MPI = _wrapper(
    """-n -np -c -N -H -host --host -hostfile --hostfile -machinefile --machinefile -x -wdir --wdir --map-by
    --bind-to --rank-by -ppn --ppn -f -env -genv --prefix --oversubscribe-nodes --report-bindings-to"""
)

WRAPPERS: Mapping[str, Wrapper] = {
    "chrt": _wrapper(operands=1),
    "command": _wrapper(),
    "env": _wrapper("-u --unset -C --chdir"),
    "exec": _wrapper("-a"),
    "ionice": _wrapper("-c -n"),
    "mpiexec": _MPI,
    "mpirun": _MPI,
    "ncu": _wrapper(
        """-o --export -k --kernel-name --set --section --metrics -c --launch-count -s --launch-skip --target-processes
        --nvtx-include --page --kernel-name-base --replay-mode"""
    ),
    "nice": _wrapper("-n"),
    "nohup": _wrapper(),
    "numactl": _wrapper("-N -m -C -i -p --cpunodebind --membind --physcpubind --interleave --preferred"),
    "setsid": _wrapper(),
    "srun": _wrapper(
        """-A -C -G -J -N -c -e -n -o -p -q -t -w -x --account --constraint --container-image --container-mounts
        --cpus-per-task --error --export --gpus --gpus-per-node --gpus-per-task --gres --job-name --jobid --mem
        --mem-per-cpu --mem-per-gpu --nodelist --nodes --ntasks --ntasks-per-node --output --partition --qos
        --time --reservation --cpu-bind --mpi --exclude"""
    ),
    "stdbuf": _wrapper("-i -o -e"),
    "sudo": _wrapper("-u -g -h -p -C -D -R -T"),
    "taskset": _wrapper(operands=1),
    "time": _wrapper("-f -o"),
    "timeout": _wrapper("-k -s --kill-after --signal", operands=1),
    "watch": _wrapper("-n --interval"),
    "xargs": _wrapper("-I -n -P -L -d -s -a -E"),
}
"""Their own options are not judged."""

_TWO_WORDS: Mapping[tuple[str, str], Wrapper] = {
    ("conda", "run"): _wrapper("-n --name -p --prefix --cwd"),
    ("mamba", "run"): _wrapper("-n --name -p --prefix --cwd"),
    ("nsys", "profile"): _wrapper(
        """-o --output -t --trace -s --sample -c --capture-range --capture-range-end -d --duration -y --delay
        -w --show-output -f --force-overwrite --stats --cuda-memory-usage --gpu-metrics-devices --python-backtrace"""
    ),
    ("pdm", "run"): _wrapper(),
    ("poetry", "run"): _wrapper(),
}


def unwrapped(words: Sequence[str]) -> Sequence[str]:
    """The command at the heart of `words`: `train` of `nohup env X=1 train`.

    A wrapper that starts nothing, as in `sudo -v`, is a command of its own.
    """
    wrapper, length = _of(words)
    if wrapper is None:
        return words
    rest = list(words[length:])
    while rest and (rest[0].startswith("-") or (words[0] in {"env", "sudo"} and "=" in rest[0])):
        option = rest.pop(0)
        if option == "--":
            break
        if option in wrapper.valued:
            del rest[:1]
    rest = rest[wrapper.operands :]
    return unwrapped(rest) if rest else words


def _of(words: Sequence[str]) -> tuple[Wrapper | None, int]:
    two = _TWO_WORDS.get((words[0], words[1])) if len(words) > 1 else None
    if two is not None:
        return two, 2
    return (WRAPPERS.get(words[0]), 1) if words else (None, 0)
