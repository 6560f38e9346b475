"""Run inside a skill's environment: whether a release's own parser takes command lines. Standard library only.

A command is started as its console script, or as `python -m`, would start it, and stopped as soon as its parser
has taken all of it: nothing behind the parser runs. A parser that takes a part hands the rest on, so the command
may go on to the next parser, but not to another process or to the network. `accepted`, `rejected` or `unseen`.

Each parser library is watched from the moment that it is imported (`WATCHERS`). Every command runs in a child of
its own. What the first one had to import is imported for those that follow it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import importlib.abc
import importlib.metadata
import importlib.util
import io
import json
import os
import re
import runpy
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

ACCEPTED, REJECTED, UNSEEN = "accepted", "rejected", "unseen"

NO_ANSWER = "it came to no parser in time"
"""Said of a command that was stopped by the clock: another day it may answer."""

_STARTS_SOMETHING = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "socket.connect",
    "socket.bind",
)
_FILE_IS_MISSING = re.compile(
    r"\b(file|path|directory|folder)\b.{0,300}\b(does not exist|not found|is required to exist)"
    r"|[\w/]\.\w+\W? (does not exist|not found)|no such file|can't open|cannot open|FileNotFound"
    r"|could not find (the )?(file|path|directory)|is not a (valid )?(file|directory|path)\b",
    re.IGNORECASE | re.DOTALL,
)
_OF_A_DEVICE = re.compile("cuda|gpu|device", re.IGNORECASE)
UNKNOWN_OPTION = re.compile(r"unrecogni[sz]ed|no such option|unknown option|could not consume", re.IGNORECASE)
_HELP = frozenset({"--help", "-h", "--version", "-V", "help", "version", "--helpfull"})

_WITHOUT_A_GPU = {"vllm": ("vllm.platforms", "_current_platform", "vllm.platforms.cpu", "CpuPlatform")}
"""Releases whose parsers want to know the device first: the attribute that says it, and the class to say."""

_STAND_INS = 4
"""Absent modules that are stood in for, at most, until a command comes to its parser."""


class _Stopped(OSError):
    """Raised in the place of another process or a connection."""

    def __init__(self, outcome: str, text: str) -> None:
        super().__init__(text)
        self.outcome = outcome


class Watch:
    """Where a command stands on its way to its parsers.

    Attributes:
        lenient: Whether nothing counts as missing.
        pretends: Whether modules or a device are stood in for: then only an unknown option is a fault.
        depth: Parsers that call one another; only the outermost speaks for the line.
        leftover: What the last parser did not take.
    """

    def __init__(self, found_file: Path, words: Sequence[str], *, lenient: bool, pretends: bool) -> None:
        self.found_file = found_file
        self.words = words
        self.lenient = lenient
        self.pretends = pretends
        self.depth = 0
        self.leftover: list[str] = []

    def finish(self, outcome: str, message: str, *, missing: str = "") -> NoReturn:
        """Write down what became of the command, and end its process; a file of the reader's is no fault."""
        if outcome == REJECTED and (
            _FILE_IS_MISSING.search(message) or (self.pretends and not UNKNOWN_OPTION.search(message))
        ):
            outcome = UNSEEN
        found = {
            "outcome": outcome,
            "message": message[:2000],
            "modules": sorted(sys.modules),
            "missing": missing,
        }
        self.found_file.write_text(json.dumps(found), encoding="utf-8")
        os._exit(0)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """While another parser than the outermost one is at work."""
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1


_now: Watch | None = None
"""The command that this process is about; none while modules are only imported."""


def watch() -> Watch:
    """The command that this process is about."""
    if _now is None:
        raise RuntimeError("a parser was asked while modules were only imported")
    return _now


def _wraps(owner: Any, name: str) -> Callable[[Callable[..., Any]], None]:
    """Put a function in the place of `owner.name`; it is given the old one first."""

    def put(function: Callable[..., Any]) -> None:
        old = getattr(owner, name)
        setattr(owner, name, functools.wraps(old)(functools.partial(function, old)))

    return put


def _wraps_method(owner: Any, name: str) -> Callable[[Callable[..., Any]], None]:
    """The same for a method."""

    def put(function: Callable[..., Any]) -> None:
        old = getattr(owner, name)

        @functools.wraps(old)
        def method(self: Any, *args: Any, **options: Any) -> Any:
            return function(old, self, *args, **options)

        setattr(owner, name, method)

    return put


def watch_argparse(argparse: Any) -> None:
    """What the outermost parser makes of the line."""

    @_wraps_method(argparse.ArgumentParser, "parse_known_args")
    def parsed(old: Any, self: Any, args: Any = None, namespace: Any = None, *rest: Any, **more: Any) -> Any:
        now = watch()
        if now.lenient:
            for demanding in (*self._actions, *self._mutually_exclusive_groups):
                demanding.required = False
        with now.inside():
            found = old(self, args, namespace, *rest, **more)
        if not now.depth:
            if not found[1]:
                now.finish(ACCEPTED, "")
            now.leftover = [str(word) for word in found[1]]
        return found

    @_wraps_method(argparse.ArgumentParser, "error")
    def refused(_old: Any, _self: Any, message: str) -> NoReturn:
        watch().finish(REJECTED, message)

    @_wraps_method(argparse.ArgumentParser, "exit")
    def ended(_old: Any, _self: Any, status: int = 0, message: str | None = None) -> NoReturn:
        watch().finish(REJECTED if status else ACCEPTED, message or "")

    @_wraps_method(argparse.FileType, "__call__")
    def opened(old: Any, self: Any, name: str) -> Any:
        return old(self, name) if name == "-" or Path(name).exists() else io.StringIO()


def watch_optparse(optparse: Any) -> None:
    @_wraps_method(optparse.OptionParser, "error")
    def refused(_old: Any, _self: Any, message: str) -> NoReturn:
        watch().finish(REJECTED, message)

    @_wraps_method(optparse.OptionParser, "exit")
    def ended(_old: Any, _self: Any, status: int = 0, msg: str | None = None) -> NoReturn:
        watch().finish(REJECTED if status else ACCEPTED, msg or "")

    @_wraps_method(optparse.OptionParser, "parse_args")
    def parsed(old: Any, self: Any, *args: Any, **options: Any) -> Any:
        found = old(self, *args, **options)
        if self.allow_interspersed_args:
            watch().finish(ACCEPTED, "")
        return found


def watch_click(core: Any) -> None:
    exceptions = importlib.import_module(core.UsageError.__module__)
    group = next(kind for kind in core.Group.__mro__ if "invoke" in vars(kind))
    _watch_commands(core.Command, group, core.Option, exceptions)
    kinds = sys.modules.get("click.types") or importlib.import_module("click.types")
    for kind in (kinds.Path, kinds.File):
        _wraps_method(kind, "convert")(lambda _old, _self, value, *_: value)


def watch_typer(core: Any) -> None:
    """A typer that carries a click of its own; an older one is watched by way of click."""
    if own := getattr(core, "_click", None):
        _watch_commands(own.Command, core.TyperGroup, core.TyperOption, own.exceptions)


def _watch_commands(command: Any, group: Any, option: Any, exceptions: Any) -> None:
    """The group takes a part of the line, the command the rest; callbacks of neither run."""

    def asked(old: Any, *args: Any, **options: Any) -> Any:
        try:
            return old(*args, **options)
        except exceptions.UsageError as error:
            if type(error).__name__ == "NoArgsIsHelpError":
                watch().finish(ACCEPTED, "")
            from_elsewhere = getattr(getattr(error, "param", None), "envvar", None)
            is_missing = isinstance(error, exceptions.MissingParameter)
            is_the_readers = is_missing and (watch().lenient or from_elsewhere)
            watch().finish(UNSEEN if is_the_readers else REJECTED, error.format_message())
        except exceptions.Exit as error:
            watch().finish(REJECTED if error.exit_code else ACCEPTED, "")

    _wraps_method(command, "make_context")(asked)
    _wraps_method(group, "invoke")(asked)

    @_wraps_method(command, "invoke")
    def invoked(_old: Any, _self: Any, context: Any) -> None:
        if getattr(context, "invoked_subcommand", None) is None:
            watch().finish(ACCEPTED, "")

    @_wraps_method(option, "prompt_for_value")
    def prompted(_old: Any, _self: Any, *_args: Any) -> NoReturn:
        watch().finish(ACCEPTED, "")


def watch_fire(core: Any) -> None:
    """Classes are made, for their methods are the commands; functions are only held against their signature."""

    @_wraps(core, "Fire")
    def fired(old: Any, *args: Any, **options: Any) -> Any:
        now = watch()
        with now.inside():
            try:
                found = old(*args, **options)
            except core.FireExit as error:
                trace = error.trace
                if trace.HasError():
                    now.finish(REJECTED, str(trace.elements[-1].ErrorAsStr()))
                now.finish(ACCEPTED, "")
        now.finish(ACCEPTED, "")
        return found

    @_wraps(core, "_CallAndUpdateTrace")
    def called(old: Any, component: Any, args: Any, trace: Any, *rest: Any, **options: Any) -> Any:
        treatment = options.get("treatment", rest[0] if rest else "class")
        if treatment == "class":
            return old(component, args, trace, *rest, **options)
        return judged(component, args, treatment)

    def judged(component: Any, args: Any, treatment: str) -> NoReturn:
        made = component.__call__ if treatment == "callable" else component
        parse = core._MakeParseFn(made, core.decorators.GetMetadata(component))
        _, _, remaining, _ = parse(args)
        if not remaining:
            watch().finish(ACCEPTED, "")
        if remaining[0].startswith("-") and not set(remaining) & _HELP:
            watch().finish(REJECTED, f"Could not consume arg: {remaining[0]}")
        watch().finish(UNSEEN, f"only running it shows what takes {' '.join(remaining)}")


def watch_tyro(cli: Any) -> None:
    @_wraps(cli, "_cli_impl")
    def parsed(old: Any, *args: Any, **options: Any) -> Any:
        now, said = watch(), io.StringIO()
        try:
            with now.inside(), contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
                found = old(*args, **options)
        except SystemExit as error:
            now.finish(REJECTED if error.code else ACCEPTED, re.sub(r"[^\x20-\x7e]+", " ", said.getvalue()))
        if options.get("return_parser"):
            return found
        if options.get("return_unknown_args") and found[1]:
            now.leftover = list(found[1])
            return found
        now.finish(ACCEPTED, "")
        return found


def watch_absl(app: Any) -> None:
    @_wraps(app, "_run_main")
    def started(_old: Any, *_: Any) -> NoReturn:
        watch().finish(ACCEPTED, "")

    @_wraps_method(app.flags.FlagValues, "__call__")
    def parsed(old: Any, self: Any, *args: Any, **options: Any) -> Any:
        try:
            return old(self, *args, **options)
        except app.flags.Error as error:
            watch().finish(REJECTED, str(error))


def watch_hydra(utils: Any) -> None:
    """The overrides are held against the composed configuration; the task itself never starts."""
    errors = (
        importlib.import_module("hydra.errors").HydraException,
        importlib.import_module("omegaconf.errors").OmegaConfBaseException,
    )

    @_wraps(utils, "run_and_report")
    def reported(_old: Any, function: Any) -> Any:
        try:
            return function()
        except errors as error:
            cause = f" {error.__cause__}" if error.__cause__ else ""
            is_the_readers = any("config" in word and word.startswith("-") for word in watch().words)
            outcome = UNSEEN if is_the_readers and "config" in type(error).__name__.lower() else REJECTED
            watch().finish(outcome, f"{error}{cause}")

    @_wraps(utils, "_run_app")
    def composed(_old: Any, *, hydra: Any, config_name: Any, overrides: Any, run: bool, **_: Any) -> NoReturn:
        modes = importlib.import_module("hydra.types").RunMode
        utils.run_and_report(
            lambda: hydra.compose_config(
                config_name=config_name,
                overrides=overrides,
                with_log_configuration=False,
                run_mode=modes.RUN if run else modes.MULTIRUN,
            )
        )
        watch().finish(ACCEPTED, "")

    @_wraps(utils, "get_args_parser")
    def made(old: Any) -> Any:
        parser = old()
        plain = parser.parse_args

        def parse_args(*args: Any, **options: Any) -> Any:
            with watch().inside():
                return plain(*args, **options)

        parser.parse_args = parse_args
        return parser


def watch_jsonargparse(core: Any) -> None:
    @_wraps_method(core.ArgumentParser, "parse_args")
    def parsed(old: Any, self: Any, *args: Any, **options: Any) -> Any:
        now = watch()
        with now.inside():
            found = old(self, *args, **options)
        if not now.depth:
            now.finish(ACCEPTED, "")
        return found

    @_wraps_method(core.ArgumentParser, "error")
    def refused(_old: Any, self: Any, message: str, error: Any = None) -> NoReturn:
        if not self.exit_on_error and error is not None:
            raise error
        watch().finish(REJECTED, message)


def watch_cyclopts(core: Any) -> None:
    errors = importlib.import_module("cyclopts.exceptions").CycloptsError

    @_wraps_method(core.App, "__call__")
    def called(old: Any, self: Any, tokens: Any = None, **options: Any) -> Any:
        if getattr(self, "_meta_parent", None) is not None:
            return old(self, tokens, **options)
        return judged(self, tokens)

    def judged(app: Any, tokens: Any) -> NoReturn:
        try:
            app.parse_args(tokens, exit_on_error=False, print_error=False)
        except errors as error:
            watch().finish(REJECTED, str(error))
        watch().finish(ACCEPTED, "")


def watch_cleo(application: Any) -> None:
    @_wraps_method(application.Application, "_run_command")
    def ran(_old: Any, _self: Any, command: Any, terminal: Any) -> NoReturn:
        command.merge_application_definition()
        terminal.input.bind(command.definition)
        if terminal.input.has_argument("command") and terminal.input.argument("command") is None:
            terminal.input.set_argument("command", command.name)
        terminal.input.validate()
        watch().finish(ACCEPTED, "")

    @_wraps_method(application.Application, "render_error")
    def refused(_old: Any, _self: Any, error: Exception, _terminal: Any) -> NoReturn:
        watch().finish(REJECTED, str(error))


def watch_docopt(docopt: Any) -> None:
    @_wraps(docopt, "docopt")
    def parsed(old: Any, *args: Any, **options: Any) -> Any:
        try:
            old(*args, **options)
        except docopt.DocoptExit as error:
            watch().finish(REJECTED, str(error).strip() or "it does not match the usage")
        except SystemExit:
            pass
        watch().finish(ACCEPTED, "")


def watch_transformers(hf_argparser: Any) -> None:
    """Mappings, as files have them, come to `parse_dict`: a key that no dataclass has is an error there.

    The dataclasses are made first. One that refuses its values because this machine has no GPU, or because a file is not
    shown, must not keep the keys from being held.
    """

    @_wraps_method(hf_argparser.HfArgumentParser, "parse_dict")
    def parsed(old: Any, self: Any, args: Any, allow_extra_keys: bool = False) -> Any:
        now = watch()
        known = {
            field.name for kind in self.dataclass_types for field in dataclasses.fields(kind) if field.init
        }
        unknown = sorted(set(args) - known)
        if unknown and not allow_extra_keys:
            now.finish(REJECTED, f"Some keys are not used by the HfArgumentParser: {unknown}")
        try:
            found = old(self, args, allow_extra_keys)
        except ValueError as error:
            if now.lenient or _OF_A_DEVICE.search(str(error)):
                now.finish(ACCEPTED, "")
            raise
        if not allow_extra_keys:
            now.finish(ACCEPTED, "")
        return found


def watch_pip(base_command: Any) -> None:
    @_wraps_method(base_command.Command, "parse_args")
    def parsed(old: Any, self: Any, args: Any) -> NoReturn:
        old(self, args)
        watch().finish(ACCEPTED, "")


WATCHERS: Mapping[str, Callable[[Any], None]] = {
    "absl.app": watch_absl,
    "argparse": watch_argparse,
    "cleo.application": watch_cleo,
    "click.core": watch_click,
    "cyclopts.core": watch_cyclopts,
    "docopt": watch_docopt,
    "fire.core": watch_fire,
    "hydra._internal.utils": watch_hydra,
    "jsonargparse._core": watch_jsonargparse,
    "optparse": watch_optparse,
    "pip._internal.cli.base_command": watch_pip,
    "transformers.hf_argparser": watch_transformers,
    "typer.core": watch_typer,
    "tyro._cli": watch_tyro,
}
"""What is done to a parser library once it is imported."""


class _AfterImport(importlib.abc.MetaPathFinder):
    """Calls the watcher of a library when its module is executed, before anything takes a name out of it."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in WATCHERS:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                if module.__name__ == name:  # the loader of an archive is one for all its modules
                    WATCHERS[name](module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


class _StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules that only a machine with a GPU has: there, and of no use."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] in self.names:
            return importlib.util.spec_from_loader(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        module = mock.MagicMock(name=spec.name, spec=None)
        module.__spec__, module.__path__, module.__name__ = spec, [], spec.name
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def start(words: list[str]) -> None:
    """Start the command as its console script would, or as `python -m` would."""
    if words[0] == "-m":
        if words[1] == "pip" and importlib.util.find_spec("pip") is None:
            import ensurepip  # noqa: PLC0415  # some systems leave it out

            sys.path += map(str, Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
        if _is_gone(words[1]):
            watch().finish(REJECTED, f"there is no module {words[1]}")
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        return
    sys.argv = list(words)
    for script in importlib.metadata.entry_points(group="console_scripts", name=words[0]):
        script.load()()
        return
    file = Path(sys.executable).with_name(words[0])
    if b"python" not in file.read_bytes()[:200].partition(b"\n")[0]:
        watch().finish(UNSEEN, "it is no Python program: its parser is not looked at")
    runpy.run_path(str(file), run_name="__main__")


def _is_gone(module: str) -> bool:
    """Whether a package of the environment does not have the module that is asked of it."""
    package = module.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        return False
    try:
        return importlib.util.find_spec(module) is None
    except ModuleNotFoundError as error:
        return bool(error.name) and f"{module}.".startswith(f"{error.name}.")


def pretend(script: str, stand_ins: Sequence[str], *, device: bool) -> None:
    """Tell a release of the modules and of the device that its parser wants to know of."""
    if stand_ins:
        sys.meta_path.append(_StandIns(stand_ins))
    if script in _WITHOUT_A_GPU:
        place, name, module, kind = _WITHOUT_A_GPU[script]
        setattr(importlib.import_module(place), name, getattr(importlib.import_module(module), kind)())
    if device and importlib.util.find_spec("torch") is not None:
        cuda = importlib.import_module("torch").cuda
        cuda.is_available = lambda: True
        cuda.device_count = lambda: 1
        cuda.current_device = lambda: 0
        cuda.set_device = lambda *_: None
        cuda.get_device_capability = lambda *_: (9, 0)
        cuda.get_device_name = lambda *_: "a device that is not there"
        cuda.is_bf16_supported = lambda *_, **__: True
        cuda.get_device_properties = lambda *_: types.SimpleNamespace(
            major=9,
            minor=0,
            name="a device that is not there",
            total_memory=1 << 36,
            multi_processor_count=128,
        )


def _started(event: str, arguments: Any) -> None:
    """Nothing else starts once a parser has left a part of the line."""
    if _now is None or not _now.leftover or event not in _STARTS_SOMETHING:
        return
    text = f"unrecognized arguments: {' '.join(_now.leftover)}"
    frame, is_import = sys._getframe(), False
    while frame is not None:
        is_import = is_import or frame.f_code.co_filename.startswith("<frozen importlib")
        frame = frame.f_back  # type: ignore[assignment]
    if is_import or any(word in repr(arguments) for word in _now.leftover):
        raise _Stopped(UNSEEN, f"it would hand on to another program: {' '.join(_now.leftover)}")
    raise _Stopped(REJECTED, text)


def run_line(line: dict[str, Any], found_file: Path, stand_ins: Sequence[str], *, device: bool) -> NoReturn:
    """Start one command; what becomes of it, and what it imported, goes into `found_file`."""
    global _now  # noqa: PLW0603  # a forked process is about one command
    words = line["words"]
    now = _now = Watch(found_file, words, lenient=line["lenient"], pretends=bool(stand_ins) or device)
    for name, text in line["files"].items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    try:
        pretend(words[0], stand_ins, device=device)
        start(words)
    except _Stopped as error:
        now.finish(error.outcome, str(error))
    except SystemExit as error:
        ended_well = error.code in {0, None} and bool(set(words) & _HELP)
        now.finish(ACCEPTED if ended_well else UNSEEN, f"it ended by itself: {error.code}")
    except ImportError as error:
        now.finish(UNSEEN, f"{type(error).__name__}: {error}", missing=(error.name or "").partition(".")[0])
    except BaseException as error:
        is_refused = any(word.startswith("-") and word in str(error) for word in now.leftover)
        now.finish(REJECTED if is_refused else UNSEEN, f"{type(error).__name__}: {error}")
    now.finish(UNSEEN, "it asked no parser that is known here")


def run_lines(lines: list[dict[str, Any]], timeout: float) -> list[dict[str, str]]:
    """What becomes of each command, in order."""
    found: list[dict[str, str]] = []
    prepared: set[str] = set()
    for number, line in enumerate(lines):
        outcome = _outcome(line, number, timeout)
        script = " ".join(line["words"][: 1 + (line["words"][0] == "-m")])
        if script not in prepared:
            prepared.add(script)
            _prepare(line["words"][0], outcome.get("modules", []))
        found.append({"outcome": outcome["outcome"], "message": outcome["message"]})
    return found


def _outcome(line: dict[str, Any], number: int, timeout: float) -> dict[str, Any]:
    """What becomes of a command, at last with stand-ins for what this machine has not."""
    stand_ins: list[str] = []
    first = outcome = _tried(line, Path(f"line_{number}"), timeout, stand_ins, device=False)
    while outcome["outcome"] == UNSEEN and len(stand_ins) < _STAND_INS:
        missing = outcome.get("missing", "")
        is_the_command = missing == line["words"][1] if line["words"][0] == "-m" else False
        if not missing or missing in stand_ins or is_the_command or _is_installed(missing):
            break
        stand_ins.append(missing)
        folder = Path(f"line_{number}_{len(stand_ins)}")
        outcome = _tried(line, folder, timeout, stand_ins, device=False)
    if outcome["outcome"] == UNSEEN and _OF_A_DEVICE.search(outcome["message"]):
        outcome = _tried(line, Path(f"line_{number}_device"), timeout, stand_ins, device=True)
    return first if outcome["outcome"] == UNSEEN else outcome


def _is_installed(module: str) -> bool:
    with contextlib.suppress(ImportError, ValueError):
        return importlib.util.find_spec(module) is not None
    return False


def _tried(
    line: dict[str, Any], folder: Path, timeout: float, stand_ins: Sequence[str], *, device: bool
) -> dict[str, Any]:
    folder = folder.absolute()
    folder.mkdir()
    child = os.fork()
    if not child:
        os.chdir(folder)
        run_line(line, folder.with_suffix(".json"), stand_ins, device=device)
    return _awaited(child, folder.with_suffix(".json"), timeout)


def _awaited(child: int, found_file: Path, timeout: float) -> dict[str, Any]:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if os.waitpid(child, os.WNOHANG)[0]:
            break
        time.sleep(0.01)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return {"outcome": UNSEEN, "message": NO_ANSWER}
    if not found_file.is_file():
        return {"outcome": UNSEEN, "message": "it ended without a word"}
    found: dict[str, Any] = json.loads(found_file.read_text(encoding="utf-8"))
    return found


def _prepare(script: str, modules: list[str]) -> None:
    with contextlib.suppress(BaseException):
        pretend(script, (), device=False)
    for module in modules:
        if module not in sys.modules and module != "__main__" and not module.startswith("pip."):
            with contextlib.suppress(BaseException):
                importlib.import_module(module)


def install() -> None:
    """Watch every parser library, those that are imported and those that will be."""
    for name in ("argparse", "optparse"):
        importlib.import_module(name)
    for name, begin in WATCHERS.items():
        if name in sys.modules:
            begin(sys.modules[name])
    sys.meta_path.insert(0, _AfterImport())
    sys.addaudithook(_started)


def main() -> None:
    given_file, found_file = sys.argv[1:]
    given = json.loads(Path(given_file).read_text(encoding="utf-8"))
    sys.path[0] = ""
    install()
    found = run_lines(given["lines"], given["timeout"])
    Path(found_file).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
