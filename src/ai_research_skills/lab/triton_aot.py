"""Ahead-of-time compilation of Triton kernels: what a GPU would run, read on a machine that has none.

The compiler runs in a process of its own, on a copy of the kernel's source. There `TRITON_INTERPRET` is not set, so
this works for kernels that the notebook itself only interprets: under `TRITON_INTERPRET=1` not only they but also
Triton's own library (`tl.sum`, `tl.cdiv`) consists of interpreted functions, which the compiler refuses.
"""

from __future__ import annotations

import ast
import base64
import builtins
import importlib
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import types
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ai_research_skills.lab.machine_code import MachineCode

DIVISIBLE = 16
"""What Triton's launcher looks for in pointers and integers: only with 16-byte alignment are loads 16 bytes wide."""

TIMEOUT = 600.0
"""Seconds for the compilations of one call."""

CPUS_OF_A_COMPILER = 4
"""CPUs for which one more process pays off: each imports Triton anew."""

_compiled: dict[str, MachineCode] = {}


class CompileError(Exception):
    """Triton refused a kernel; the message is Triton's."""


@dataclass(frozen=True)
class Specialization:
    """A kernel with all that decides about its machine code.

    Attributes:
        kernel: The decorated kernel: `@triton.jit`, also below `@triton.autotune` and `@triton.heuristics`.
        signature: Triton's type of each argument of the launch: `*fp16` (a pointer), `i32`, `fp32`,
            `tensordesc<fp16[64, 64]>` (a descriptor made on the host).
        constants: Value of each `tl.constexpr` parameter, and of any other that the launcher would turn into a
            constant (None, or a stride of 1). Parameters with a default may be left out. What autotuning would
            choose has to be given.
        architecture: `sm_80`, `sm_90`, `sm_100`.
        warps: Warps of one program.
        stages: Depth of software pipelining.
        aligned: Parameters known to be divisible by 16, as the launcher finds out from the arguments; None means
            every pointer and no integer. Row strides that are multiples of 16 have to be named for wide loads of
            matrices: then name the pointers too.
        options: Further options of Triton's compiler, `{"maxnreg": 64}`.
    """

    kernel: Any
    signature: Mapping[str, str]
    constants: Mapping[str, object] = field(default_factory=dict)
    architecture: str = "sm_90"
    warps: int = 4
    stages: int = 3
    aligned: Collection[str] | None = None
    options: Mapping[str, object] = field(default_factory=dict)


def compile_for(
    kernel: Any,
    *,
    signature: Mapping[str, str],
    constants: Mapping[str, object],
    architecture: str = "sm_90",
    warps: int = 4,
    stages: int = 3,
    aligned: Collection[str] | None = None,
    options: Mapping[str, object] | None = None,
) -> MachineCode:
    """Compile one kernel; the arguments are those of `Specialization`.

    Raises:
        CompileError: Triton refuses the kernel.
        ValueError: The parameters do not fit the kernel, or it refers to something that cannot be copied.
    """
    asked = Specialization(
        kernel, signature, constants, architecture, warps, stages, aligned, dict(options or {})
    )
    return compile_all((asked,))[0]


def compile_all(specializations: Sequence[Specialization]) -> tuple[MachineCode, ...]:
    """Compile several kernels at once: on a small host in one process, which saves the second that importing takes.

    What this process has compiled before is not compiled again. `shared_bytes` is not held against what the
    architecture offers: Triton checks that when it loads a kernel, so compare it yourself.

    Raises:
        CompileError: Triton refuses one of them.
        ValueError: The parameters do not fit a kernel, or it refers to something that cannot be copied.
    """
    programs = [_program(each) for each in specializations]
    missing = list(dict.fromkeys(program for program in programs if program not in _compiled))
    names = {
        program: _function(each.kernel).__name__
        for program, each in zip(programs, specializations, strict=True)
    }
    for program, answer in zip(missing, _answers(missing), strict=True):
        if "error" in answer:
            raise CompileError(f"{names[program]}: {answer['error']}")
        architecture = specializations[programs.index(program)].architecture
        _compiled[program] = MachineCode.from_cubin(
            base64.b64decode(answer["cubin"]),
            kernel=answer["name"],
            architecture=architecture,
            ptx=answer["ptx"],
            dynamic_shared_bytes=answer["shared"],
        )
    return tuple(_compiled[program] for program in programs)


def _answers(programs: Sequence[str]) -> list[dict[str, Any]]:
    """An answer for each program, in their order."""
    workers = max(1, min(len(programs), (os.cpu_count() or 1) // CPUS_OF_A_COMPILER))
    shares = [programs[first::workers] for first in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        answered = list(pool.map(_answers_of_one_process, shares))
    return [answered[number % workers][number // workers] for number in range(len(programs))]


def _answers_of_one_process(programs: Sequence[str]) -> list[dict[str, Any]]:
    if not programs:
        return []
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    # Triton 3.9 warns where this is unset; the value is its default.
    environment.setdefault("TRITON_DEFAULT_FP_FUSION", "1")
    with tempfile.TemporaryDirectory() as folder:
        for number, program in enumerate(programs):
            Path(folder, f"kernel_{number}.py").write_text(program, encoding="utf-8")
        command = [sys.executable, "-m", __name__, folder, str(len(programs))]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=TIMEOUT, check=False
        )
        answers = [Path(folder, f"kernel_{number}.json") for number in range(len(programs))]
        read = [json.loads(path.read_text(encoding="utf-8")) for path in answers if path.exists()]
    # A pass of the compiler that fails says why on the standard error only, and one that crashes leaves no answer.
    detail = done.stderr.strip()[-4000:]
    for answer in read:
        if answer.pop("see_stderr", False):
            answer["error"] = f"{answer['error']}\n{detail}"
    return read + [{"error": f"the compiler crashed:\n{detail}"}] * (len(programs) - len(read))


def _program(asked: Specialization) -> str:
    """Python source that defines the kernel as `KERNEL` and what the compiler needs beside it."""
    function = _function(asked.kernel)
    parameters = inspect.signature(function).parameters
    constants = {
        name: each.default for name, each in parameters.items() if each.default is not inspect.Parameter.empty
    }
    constants = {name: value for name, value in constants.items() if name not in asked.signature}
    constants |= asked.constants
    _check(function.__name__, tuple(parameters), asked, constants)
    copy = _Copy()
    copy.add(function.__name__, asked.kernel)
    values = {name: copy.expression(name, value) for name, value in constants.items()}
    pointers = [name for name, kind in asked.signature.items() if kind.startswith("*")]
    aligned = pointers if asked.aligned is None else asked.aligned
    order = list(parameters)
    target = re.fullmatch(r"sm_(\d+)a?", asked.architecture)
    if target is None:
        raise ValueError(f"{asked.architecture!r} is no architecture → write it as sm_90")
    return "\n".join(
        (
            *copy.lines,
            f"KERNEL = {function.__name__}",
            f"SIGNATURE = { {name: asked.signature.get(name, 'constexpr') for name in order}!r}",
            f"CONSTANTS = {{{', '.join(f'{name!r}: {value}' for name, value in values.items())}}}",
            f"ALIGNED = {sorted((order.index(name),) for name in aligned)!r}",
            f"ARCHITECTURE = {int(target[1])}",
            f"OPTIONS = { {'num_warps': asked.warps, 'num_stages': asked.stages, **asked.options}!r}",
            "",
        )
    )


def _check(
    kernel: str, parameters: Sequence[str], asked: Specialization, constants: Mapping[str, object]
) -> None:
    known = set(parameters)
    unknown = (set(asked.signature) | set(constants) | set(asked.aligned or ())) - known
    if unknown:
        raise ValueError(f"{kernel} has no {', '.join(sorted(unknown))} → it has {', '.join(parameters)}")
    twice = set(asked.signature) & set(constants)
    if twice:
        raise ValueError(
            f"{', '.join(sorted(twice))} of {kernel} is an argument and a constant → name it once"
        )
    missing = [name for name in parameters if name not in asked.signature and name not in constants]
    if missing:
        raise ValueError(
            f"{kernel} also needs {', '.join(missing)} → add it to the signature or the constants"
        )
    fixed = set(asked.aligned or ()) & set(constants)
    if fixed:
        raise ValueError(
            f"{', '.join(sorted(fixed))} of {kernel} is a constant → only arguments can be aligned"
        )


def _function(kernel: Any) -> types.FunctionType:
    """The plain function below the decorators; compiled, interpreted and autotuned kernels all keep it as `fn`."""
    function = kernel
    while not inspect.isfunction(function):
        if not hasattr(function, "fn"):
            raise ValueError(f"{kernel!r} is no kernel → decorate it with @triton.jit")
        function = function.fn
    return function


class _Copy:
    """Source of a kernel and of all that it refers to, in an order in which it can be executed."""

    def __init__(self) -> None:
        self.lines = ["from __future__ import annotations", "import triton", "import triton.language"]
        self.names: dict[str, Any] = {}

    def add(self, name: str, value: Any) -> None:
        """Define `name`; functions bring what they refer to along."""
        if name in self.names:
            if self.names[name] is not value and self.names[name] != value:
                raise ValueError(
                    f"two of the functions mean different things by {name} → rename one, to compile them together"
                )
            return
        self.names[name] = value
        if inspect.ismodule(value):
            self.lines.append(f"import {value.__name__} as {name}")
        elif _is_tritons(value):
            self.lines.append(f"from {_home(value)} import {value.__name__} as {name}")
        elif inspect.isfunction(value) or hasattr(value, "fn"):
            self._function(name, value)
        else:
            self.lines.append(f"{name} = {self.expression(name, value)}")

    def _function(self, name: str, value: Any) -> None:
        function = _function(value)
        source = textwrap.dedent(_source(function))
        definition = ast.parse(source).body[0]
        assert isinstance(definition, ast.FunctionDef)
        for used, meaning in _meanings(function, definition).items():
            self.add(used, meaning)
        body = source.splitlines()[definition.lineno - 1 :]
        if type(value).__name__ == "ConstexprFunction":
            body.insert(0, "@triton.constexpr_function")
        elif not inspect.isfunction(value):
            body.insert(0, f"@triton.jit(noinline={_settings(value).get('noinline')!r})")
        self.lines.extend(body)
        if function.__name__ != name:
            self.lines.append(f"{name} = {function.__name__}")

    def expression(self, name: str, value: Any) -> str:
        """Source of a constant."""
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return repr(value)
        if kind is float:
            return f"float({str(value)!r})"
        if kind in (tuple, list):
            return f"{kind.__name__}(({''.join(self.expression(name, each) + ', ' for each in value)}))"
        if kind.__name__ == "constexpr" and kind.__module__.startswith("triton."):
            return f"triton.language.constexpr({self.expression(name, value.value)})"
        if kind.__name__ == "dtype" and kind.__module__.startswith("triton."):
            return f"triton.language.dtype({value.name!r})"
        if _is_tritons(value) or hasattr(value, "fn"):
            plain = value.__name__ if _is_tritons(value) else _function(value).__name__
            self.add(plain, value)
            return str(plain)
        raise ValueError(
            f"{name} is a {kind.__name__}, which cannot be copied to the compiler → "
            "use a number, a string, a tl.dtype, a tl.constexpr or a jitted function"
        )


def _is_tritons(value: Any) -> bool:
    return not inspect.ismodule(value) and hasattr(value, "__name__") and _home(value).startswith("triton.")


def _home(value: Any) -> str:
    # An interpreted function has the module of its class; the function below has the one that it was written in.
    return str(getattr(getattr(value, "fn", value), "__module__", ""))


def _settings(value: Any) -> Mapping[str, Any]:
    while not hasattr(value, "noinline"):
        if hasattr(value, "kwargs") and "noinline" in value.kwargs:
            return dict(value.kwargs)
        if not hasattr(value, "fn"):
            return {}
        value = value.fn
    return {"noinline": value.noinline}


def _source(function: types.FunctionType) -> str:
    try:
        return inspect.getsource(function)
    except OSError as error:
        raise ValueError(
            f"the source of {function.__name__} is not to be found → define it in a file or in a notebook's cell"
        ) from error


def _meanings(function: types.FunctionType, definition: ast.FunctionDef) -> dict[str, Any]:
    """What the free names in the body and in the defaults mean now, without Python's own."""
    nodes: list[ast.AST] = [*definition.body, definition.args]
    names = [node for each in nodes for node in ast.walk(each) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    bound |= set(inspect.signature(function).parameters) | {function.__name__}
    captured = inspect.getclosurevars(function).nonlocals
    meanings = {}
    for name in dict.fromkeys(node.id for node in names):
        if name in bound:
            continue
        scope = captured if name in captured else function.__globals__
        if name in scope:
            meanings[name] = scope[name]
        elif not hasattr(builtins, name):
            raise ValueError(f"{function.__name__} refers to {name}, which is not defined → define it first")
    return meanings


def _compile_folder(folder: Path, count: int) -> None:
    """What the process of its own does: an answer in JSON for each program."""
    triton: Any = importlib.import_module("triton")
    for number in range(count):
        answer = _answer(triton, folder / f"kernel_{number}.py")
        (folder / f"kernel_{number}.json").write_text(json.dumps(answer), encoding="utf-8")


def _answer(triton: Any, path: Path) -> dict[str, Any]:
    compiler: Any = importlib.import_module("triton.compiler")
    target: Any = importlib.import_module("triton.backends.compiler")
    try:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        program: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(program)
        source = compiler.ASTSource(
            fn=program.KERNEL,
            signature=program.SIGNATURE,
            constexprs=program.CONSTANTS,
            attrs={place: [["tt.divisibility", DIVISIBLE]] for place in program.ALIGNED},
        )
        built = triton.compile(
            source, target=target.GPUTarget("cuda", program.ARCHITECTURE, 32), options=program.OPTIONS
        )
    except compiler.CompilationError as error:
        cause = f"\n{error.__cause__}" if error.__cause__ is not None else ""
        return {"error": f"{error}{cause}"}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}", "see_stderr": True}
    return {
        "name": built.metadata.name,
        "shared": built.metadata.shared,
        "ptx": built.asm["ptx"],
        "cubin": base64.b64encode(built.asm["cubin"]).decode(),
    }


if __name__ == "__main__":
    _compile_folder(Path(sys.argv[1]), int(sys.argv[2]))
