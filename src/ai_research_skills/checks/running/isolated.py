"""Running a script in another interpreter: offline, without a GPU, in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "WANDB_MODE": "disabled",
    "CUDA_VISIBLE_DEVICES": "",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "no_proxy": "127.0.0.1,localhost",
}
"""An example that needs the network does not run: what it fetched could be another thing tomorrow."""


def run_inside(python: Path, script: str, given: Any, timeout: float) -> Any | None:
    """What `script` makes of `given` in the interpreter `python`, or None if it did not end in time or well.

    Both go through files: what the packages print is nobody's answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        question, answer, work = Path(folder, "given.json"), Path(folder, "found.json"), Path(folder, "work")
        question.write_text(json.dumps(given), encoding="utf-8")
        work.mkdir()
        try:
            subprocess.run(
                [python, script, question, answer],
                cwd=work,
                env={**os.environ, **OFFLINE},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout,
                check=False,
            )
            return json.loads(answer.read_text(encoding="utf-8"))
        except (subprocess.TimeoutExpired, FileNotFoundError):
            return None
