"""Running a script in another interpreter: in a sandbox, offline, without a GPU, in an empty folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ai_research_skills.checks.running import page_runner
from ai_research_skills.checks.running.limits import Limits
from ai_research_skills.checks.running.plan import HOME, HOST, TEMPORARY, USER
from ai_research_skills.checks.running.sandbox import NoSandbox, Outcome, run_sandboxed

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "WANDB_MODE": "disabled",
    "CUDA_VISIBLE_DEVICES": "",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "no_proxy": f"127.0.0.1,localhost,{HOST}",
}
"""An example that needs the network does not run: what it fetched could be another thing tomorrow.

The sandbox sees to that. These tell libraries at once, so that none of them tries again and again."""

PASSED_ON = (
    "LD_LIBRARY_PATH",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "OPENBLAS_NUM_THREADS",
    "TZ",
)
"""Variables about the machine. No other one is seen by an example: it might be a secret."""


def run_inside(
    python: Path, script: str, given: Any, timeout: float, limits: Limits | None = None
) -> Any | None:
    """What `script` answers to `given` in the interpreter `python`, or None if it came to no answer in time.

    Both go through files: what the packages print is nobody's answer. A script whose answer is of use only when it
    is whole writes it last.

    Raises:
        NoSandbox: The machine cannot isolate the script.
    """
    return outcome_inside(python, script, given, replace(limits or Limits(), seconds=timeout)).answer


def outcome_inside(python: Path, script: str, given: Any, limits: Limits) -> Outcome:
    """As `run_inside`, with the reason if the script did not end in time or well.

    Raises:
        NoSandbox: The machine cannot isolate the script.
    """
    return run_sandboxed(python, script, given, limits, inner_environment(python, limits, os.environ))


@cache
def can_isolate() -> bool:
    """Whether this machine has sandboxes; found out once, by making one."""
    try:
        run_sandboxed(Path(sys.executable), page_runner.__file__, [], Limits(seconds=60), {})
    except NoSandbox:
        return False
    return True


def inner_environment(python: Path, limits: Limits, outer: Mapping[str, str]) -> dict[str, str]:
    """The variables that a script in the sandbox has, where those of this process are `outer`."""
    passed = (*PASSED_ON, "CUDA_VISIBLE_DEVICES") if limits.gpu else PASSED_ON
    offline = {name: value for name, value in OFFLINE.items() if name not in passed}
    return {
        "PATH": f"{python.absolute().parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": HOME,
        "TMPDIR": TEMPORARY,
        "USER": USER,
        "LANG": "C.UTF-8",
        **offline,
        **{name: outer[name] for name in passed if name in outer},
    }
