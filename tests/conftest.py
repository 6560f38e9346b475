"""Trees to read: small ones that tests write themselves, and the repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ai_research_skills.llama import Llama, Tokenizer

ROOT = Path(__file__).parent.parent

SKILL = """\
---
name: {name}
description: Does one thing. Use it when that thing is to be done.
license: MIT
metadata:
  title: {title}
  version: "1.0.0"
  authors: Somebody
  tags: lora, adapters
  packages: numpy==2.4.6
  homepage: https://example.org/docs
  repository: https://example.org/source
  upstream-license: Apache-2.0
  hardware: cpu
  lifecycle: active
  reviewed: "2026-11-01"
---

# {title}

```python
# one plus one
two = 1 + 1
```
"""


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of this repository."""
    return ROOT


@pytest.fixture
def write_skill(tmp_path: Path) -> Callable[..., Path]:
    """Writes a skill below `tmp_path` and returns its folder."""

    def write(name: str = "example", *, text: str | bytes | None = None, category: str = "04-peft") -> Path:
        folder = tmp_path / "skills" / category / name
        folder.mkdir(parents=True)
        content = SKILL.format(name=name, title=name.title()) if text is None else text
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / "SKILL.md").write_bytes(raw)
        return folder

    return write


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much of what is proven is proven again."""
    parser.addoption(
        "--every-planted-bug", action="store_true", help="plant all bugs, not the commit's sample"
    )


@pytest.fixture(scope="session")
def smollm2() -> tuple[Llama, Tokenizer]:
    """Loaded once for all tests, in float32; imported here, for most tests need no torch."""
    from ai_research_skills.llama import load_smollm2

    return load_smollm2()
