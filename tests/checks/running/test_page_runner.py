"""The blocks of a page in an interpreter: what they print, how they fail, and what they cannot spoil."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ai_research_skills.checks.running import page_runner

Outcomes = list[dict[str, Any]]
Run = Callable[..., Outcomes]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs blocks, each `(source, mark)`, with ten lines of page for each; gives their outcomes."""

    def run(*blocks: tuple[str, str] | str, **settings: Any) -> Outcomes:
        program = [
            {
                "page": "SKILL.md",
                "line": 10 * (number + 1),
                "source": textwrap.dedent(block if isinstance(block, str) else block[0]),
                "mark": "" if isinstance(block, str) else block[1],
            }
            for number, block in enumerate(blocks)
        ]
        return answer(tmp_path, {"blocks": program, **settings})

    return run


def answer(folder: Path, given: Any) -> Outcomes:
    question, found, work = folder / "given.json", folder / "found.json", folder / "work"
    question.write_text(json.dumps(given), encoding="utf-8")
    work.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, page_runner.__file__, question, found],
        cwd=work,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        check=False,
    )
    outcomes: Outcomes = json.loads(found.read_text(encoding="utf-8"))
    return outcomes


def what(outcomes: Outcomes) -> list[str]:
    return [outcome["outcome"] for outcome in outcomes]


def test_blocks_share_names_until_a_fresh_start(run: Run) -> None:
    found = run("x = 1", "assert x == 1", ("assert 'x' not in globals()", "fresh"), ("y = 2", "alone"), "y")
    assert what(found) == ["ran", "ran", "ran", "ran", "failed"]


def test_after_a_failure_nothing_counts_but_what_stands_alone(run: Run) -> None:
    found = run("1 / 0", "x = 1", ("x = 2", "fails"), ("x = 3", "alone"), ("x = 4", "fresh"))
    assert what(found) == ["failed", "skipped", "skipped", "ran", "ran"]


def test_a_block_that_should_fail_sees_the_names_and_leaves_none(run: Run) -> None:
    found = run(
        "x = 1", ("y = x\nraise ValueError(y)", "fails"), ("x", "fails"), "assert 'y' not in globals()"
    )
    assert what(found) == ["ran", "raised", "failed", "ran"]
    assert found[1]["error"] == "ValueError: 1"
    assert found[2]["message"] == "is marked `fails` but ran"


def test_ending_the_program_is_no_error_that_a_page_may_show(run: Run) -> None:
    assert (
        what(run(("import sys\nsys.exit(2)", "fails"), ("raise KeyboardInterrupt", "fails")))
        == ["failed"] * 2
    )


def test_a_failure_names_the_lines_of_the_page_and_the_exception(run: Run) -> None:
    source = """
    import json

    def load(text):
        return json.loads(text)
    """
    found = run(source, "value = 1\nload('{')")
    assert found[1]["message"].splitlines() == [
        "SKILL.md:22: load('{')",
        "SKILL.md:15: return json.loads(text)",
        "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ]
    assert found[1]["line"] == 15


def test_a_message_does_not_change_with_where_an_object_lies(run: Run) -> None:
    (found,) = run("raise ValueError(object())")
    assert found["message"].splitlines()[-1] == "ValueError: <object object at 0x…>"
    assert "…" not in found["error"]


def test_a_syntax_error_names_its_line_of_the_page(run: Run) -> None:
    (found,) = run("x = 1\nreturn x")
    assert found["line"] == 12
    assert found["message"].splitlines()[-1] == "SyntaxError: 'return' outside function"


@pytest.mark.parametrize(
    "source",
    [
        "def f(): f()\nf()",
        "raise ValueError('\\n'.join(['x' * 10_000] * 1_000))",
        "class E(Exception):\n    def __str__(self): raise BaseException\nraise E",
        "class E(Exception):\n    def __str__(self): return 3\nraise E",
        "raise ValueError('\\ud800')",
        "raise ExceptionGroup('x', [ValueError(n) for n in range(99)])",
        "raise SystemExit",
    ],
)
def test_a_message_is_short_whatever_the_exception_says(run: Run, source: str) -> None:
    (found,) = run(source)
    assert found["outcome"] == "failed"
    lines = found["message"].splitlines()
    assert 1 <= len(lines) <= 30
    assert max(map(len, lines)) <= 500
    found["message"].encode()


def test_what_a_block_prints_is_kept_for_it_alone(run: Run) -> None:
    child = (
        "import os, subprocess, sys\nprint('a', end='')\nsubprocess.run(['echo', 'b'])\nos.write(1, b'c\\n')"
    )
    found = run(f"{child}\nprint('e', file=sys.stderr)", "print('é')", "pass")
    assert sorted(found[0]["stdout"]) == sorted("ab\nc\n")
    assert found[0]["stderr"] == "e\n"
    assert [outcome["stdout"] for outcome in found[1:]] == ["é\n", ""]


def test_what_is_printed_without_end_is_cut(run: Run) -> None:
    (found,) = run("print('x' * 1_000_000)")
    assert found["outcome"] == "ran"
    assert len(found["stdout"]) == page_runner.LONGEST_OUTPUT
    assert found["truncated"]


def test_a_block_for_a_gpu_is_passed_over_and_the_types_of_its_names_are_told(run: Run) -> None:
    source = "import decimal\nnumber, text, value, here = 1, '', decimal.Decimal(1), object()"
    found = run(source, ("launch()", "gpu"), "x = 2")
    assert what(found) == ["ran", "skipped", "ran"]
    assert found[1]["types"] == {"number": "builtins:int", "text": "builtins:str", "value": "decimal:Decimal"}


def test_with_a_gpu_its_blocks_run_like_any_other(run: Run) -> None:
    assert what(run(("x = 1", "gpu"), "assert x == 1", gpu=True)) == ["ran", "ran"]
    assert what(run(("1 / 0", "gpu"), "x = 1", gpu=True)) == ["failed", "skipped"]


def test_the_gpu_that_a_page_has_used_is_named(run: Run) -> None:
    pretend = """
    import sys, types
    cuda = types.SimpleNamespace(is_initialized=lambda: True, get_device_name=lambda: "Some GPU")
    sys.modules["torch"] = types.SimpleNamespace(cuda=cuda)
    """
    found = run("x = 1", (pretend, "gpu"), gpu=True)
    assert [outcome.get("device") for outcome in found] == [None, "Some GPU"]


def test_a_block_that_is_not_to_run_never_does(tmp_path: Path) -> None:
    block = {"page": "SKILL.md", "line": 1, "source": "- a\n+ b", "mark": "", "run": False}
    assert what(answer(tmp_path, {"blocks": [block], "gpu": True})) == ["skipped"]


def test_a_list_of_blocks_is_a_question_too(tmp_path: Path) -> None:
    blocks = [{"page": "SKILL.md", "line": 1, "source": "x = 1", "mark": mark} for mark in ("", "gpu")]
    assert what(answer(tmp_path, blocks)) == ["ran", "skipped"]
    assert answer(tmp_path, []) == []


def test_deprecations_of_the_page_s_own_lines_are_collected(run: Run) -> None:
    source = """
    import warnings
    def old(level):
        warnings.warn("old ends in 2.0", FutureWarning, stacklevel=level)
    """
    found = run(source, "x = 1\nold(2)\nexec(compile('old(2)', 'elsewhere', 'exec'))", "pass")
    assert [outcome["deprecations"] for outcome in found] == [
        [],
        [{"line": 22, "category": "FutureWarning", "text": "old ends in 2.0"}],
        [],
    ]
    assert "old ends in 2.0" in found[1]["stderr"]


def test_time_and_memory_are_told(run: Run) -> None:
    found = run("import time\ntime.sleep(0.05)", "data = b'x' * 50_000_000", "pass")
    assert found[0]["seconds"] >= 0.05
    assert found[1]["peak_mib"] > found[0]["peak_mib"] + 40


NOT_THE_END = {
    "it exits": "import sys\nsys.exit()",
    "a thread goes on": "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()",
    "something waits for the end": "import atexit, time\natexit.register(time.sleep, 60)",
    "standard output is closed": "import sys\nsys.stdout.close()\nsys.stderr.close()",
    "the file of standard output is closed": "import os\nos.close(1)\nos.close(2)",
    "standard output is gone": "import sys\nsys.stdout = None",
    "standard output is another": "import io, sys\nsys.stdout = io.StringIO()",
    "the folder is another": "import os\nos.chdir('/')",
    "the folder is gone": "import os, tempfile\nwith tempfile.TemporaryDirectory() as there: os.chdir(there)",
    "builtins are replaced": "import builtins\nbuiltins.print = builtins.len = builtins.open = builtins.dict = None",
    "the modules are gone": "import sys\nsys.modules.clear()",
    "the arguments are gone": "import sys\nsys.argv.clear()\nsys.path.clear()",
    "warnings are errors": "import warnings\nwarnings.simplefilter('error')",
    "warnings go elsewhere": "import warnings\nwarnings.showwarning = None",
    "it is another process": "import os\nos.fork()",
    "names are deleted": "globals().clear()",
}


@pytest.mark.parametrize("source", NOT_THE_END.values(), ids=NOT_THE_END)
def test_a_block_that_changes_the_process_spoils_no_other(run: Run, source: str) -> None:
    started = time.perf_counter()
    found = run("print('before')", source, ("print('after')", "fresh"))
    assert [found[0]["outcome"], found[2]["outcome"]] == ["ran", "ran"]
    assert found[0]["stdout"] == "before\n"
    assert time.perf_counter() - started < 20


THE_END = {
    "it ends the process": "import os\nos._exit(0)",
    "it is killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "it crashes": "import ctypes\nctypes.string_at(0)",
    "it does not end": "while True: pass",
    "it waits where no Python runs": "import ctypes\nctypes.PyDLL(None).sleep(60)",
}


@pytest.mark.parametrize("source", THE_END.values(), ids=THE_END)
def test_a_block_that_ends_the_process_is_named_and_the_others_keep_their_outcome(
    run: Run, source: str
) -> None:
    found = run("print('before')", source, ("x = 1", "fresh"), seconds=1)
    assert what(found) == ["ran", "failed", "skipped"]
    assert found[0]["stdout"] == "before\n"
    assert "ended the interpreter" in found[1]["message"]


def test_a_page_looks_like_a_program_to_itself(run: Run) -> None:
    source = """
    import dataclasses, inspect, pickle, sys

    @dataclasses.dataclass
    class Point:
        x: int

    assert Point.__annotations__ == {"x": int}, "this file's own __future__ has leaked"
    assert pickle.loads(pickle.dumps(Point(1))) == Point(1)
    """
    found = run(
        source,
        "def double(x):\n    return 2 * x",
        "assert inspect.getsource(double) == 'def double(x):\\n    return 2 * x\\n'",
        "assert __name__ == '__main__' and sys.argv == ['SKILL.md'] and sys.path[0] == ''",
        "try:\n    import expected_output\nexcept ModuleNotFoundError:\n    pass\nelse:\n    1 / 0",
        ("from __future__ import annotations\nimport pickle", "fresh"),
        "def f(x: nowhere): pass",
        ("class A: pass\npickle.loads(pickle.dumps(A()))\nraise ValueError", "fails"),
    )
    assert what(found) == ["ran"] * 7 + ["raised"], [outcome["message"] for outcome in found]


def test_a_block_alone_leaves_the_working_folder(run: Run) -> None:
    found = run(
        "import os\nhere = os.getcwd()", ("import os\nos.chdir('/')", "alone"), "assert os.getcwd() == here"
    )
    assert what(found) == ["ran", "ran", "ran"]
