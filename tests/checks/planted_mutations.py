"""Pages over the made-up release, and faults planted in them: what is changed, and at which level it must be found."""

from __future__ import annotations

from dataclasses import dataclass

from ai_research_skills.catalog.evidence import Level

PARSED, RESOLVED, EXECUTED = Level.PARSED, Level.RESOLVED, Level.EXECUTED


@dataclass(frozen=True)
class Mutation:
    """One fault.

    Attributes:
        page: The page that it is planted in.
        old: Text of the page that stands there once, and `new` what it becomes.
        level: The level that must find it, and that the example does not reach.
        words: What the finding must say.
    """

    page: str
    old: str
    new: str
    level: Level
    words: str

    @property
    def text(self) -> str:
        """The page with the fault in it."""
        assert PAGES[self.page].count(self.old) == 1, f"{self.page} does not hold {self.old!r} once"
        return PAGES[self.page].replace(self.old, self.new)


PAGES = {
    "use": """\
# Using it

```python gpu
import toolbox
import toolbox.core
from toolbox import Machine, Result, connect, passes
from toolbox.core import Bag
from toolbox.gpu import kernel

machine = Machine(speed=2)
result: Result = machine.run(steps=3)
print(result.total, Bag().extra)
toolbox.Lazy(speed=1)
passes(size=2, speed=3)
connect("a", retries=1).run(1)
options = {"speed": 4}
Machine(**options)
kernel(1, causal=True)
print(f"{machine.speed:>3}")
```

```python gpu
class Mine(Machine):
    def twice(self, steps: int) -> int:
        return self.run(steps).total * 2


mine = Mine(speed=5)
print(mine.twice(6))
```

```python gpu
width = 7
```

```python gpu
print(width)
```
""",
    "shell": """\
# From the shell

```bash
export HERE=1
toolbox serve MODEL \\
    --port 80 | tee log.txt
python -c 'import toolbox; toolbox.Lazy'
python -m json.tool --indent 2
```

```json
{"port": 90}
```

```bash
toolbox serve MODEL --config serve.json
```
""",
    "changed": """\
# What changed

```diff
- from toolbox import Engine
+ from toolbox import Machine
- Engine(velocity=1)
+ Machine(speed=1).run(2)
```

```diff
- toolbox serve MODEL --swap 8
+ toolbox serve MODEL --port 8
```
""",
    "run": """\
# Running it

```python
from toolbox import Machine

machine = Machine(speed=2)
settings = {"steps": 3}
total = machine.run(settings["steps"]).total
print("total", total)
print("speed", machine.speed)
print("at", hex(id(machine)))
```

It prints:

```text prints
total 0
speed 2
at 0x...
```

```python fails
machine.run()
```

```text prints
TypeError: Machine.run() missing 1 required positional argument: 'steps'
```

```python alone
count = 1
```

```python
assert total == 0
```

```python fresh
count = 2
print(count)
```
""",
    "python": """\
# Python

```python
def f(x, *, size=1):
    if x:
        return "one", size
    return "two", size


f(1, size=2)
```
""",
    "bash": """\
# Bash

```bash
SIZE=1
for i in 1 2; do
    if [ -f "$i" ]; then echo "$SIZE"; fi
done
cat <<END
text
END
```
""",
    "sh": """\
# Shell

```sh
if true; then
    ls
fi
```
""",
    "yaml": """\
# YAML

```yaml
model:
  name: small
  sizes: [1, 2]
seed: 3
```
""",
    "json": """\
# JSON

```json
{
  "name": "small",
  "sizes": [1, 2]
}
```

```jsonc
{"seed": 3} // a comment
```

```jsonl
{"text": "one"}
{"text": "two"}
```
""",
    "toml": """\
# TOML

```toml
[model]
name = "small"
size = 1
```
""",
    "ini": """\
# INI

```ini
[model]
name = 100%
size = 1
```
""",
    "diff": """\
# A diff

```diff
--- a/x.cfg
+++ b/x.cfg
@@ -1,2 +1,2 @@
 [model]
-size: 1 of 2
+size: 2 of 2
```
""",
    "dockerfile": """\
# A container

```dockerfile
FROM python:3.12
COPY train.py /app/
RUN pip install toolbox
CMD ["python", "/app/train.py"]
```
""",
}

_USES = (
    # An import.
    ("Machine, Result, connect", "Engine as Machine, Result, connect", "`toolbox.Engine`"),
    ("from toolbox.core import Bag", "from toolbox.bags import Bag", "toolbox.bags"),
    ("from toolbox.core import Bag", "from toolbox.core import Bags as Bag", "`toolbox.core.Bags`"),
    ("from toolbox.core import Bag", "from toolbox import Bag", "`toolbox.Bag`"),
    ("import toolbox.core\n", "import toolbox.kore\n", "toolbox.kore"),
    ("from toolbox.gpu import kernel", "from toolbox.cuda import kernel", "toolbox.cuda"),
    ("from toolbox.gpu import kernel", "from toolbox.gpu import kernels as kernel", "`toolbox.gpu.kernels`"),
    ("import toolbox\nimport", "import tollbox\nimport", "tollbox"),
    ("Result, connect, passes", "Result, connect", "`passes`"),
    # An attribute.
    ("toolbox.Lazy(", "toolbox.Lasy(", "`toolbox.Lasy`"),
    ("machine.run(steps=3)", "machine.start(steps=3)", "start"),
    ("print(result.total,", "print(result.sum,", "sum"),
    ("Bag().extra", "Bag().extras", "extras"),
    ("{machine.speed:>3}", "{machine.sped:>3}", "sped"),
    ("retries=1).run(1)", "retries=1).go(1)", "go"),
    ("self.run(steps).total", "self.runs(steps).total", "runs"),
    ("mine.twice(6)", "mine.thrice(6)", "thrice"),
    # A keyword.
    ("Machine(speed=2)", "Machine(velocity=2)", "velocity"),
    ("Machine(speed=2)", "Machine(speed=2, turbo=True)", "turbo"),
    ("run(steps=3)", "run(steps=3, warm=True)", "warm"),
    ("size=2, speed=3", "size=2, velocity=3", "velocity"),
    ("retries=1", "tries=1", "`connect(...)`"),
    ('{"speed": 4}', '{"velocity": 4}', "velocity"),
    ("causal=True", "casual=True", "casual"),
    ("toolbox.Lazy(speed=1)", "toolbox.Lazy(pace=1)", "pace"),
    ("Mine(speed=5)", "Mine(pace=5)", "pace"),
    # The number of arguments.
    ("Machine(speed=2)", "Machine(2)", "Machine"),
    ("run(steps=3)", "run(3, 4)", "run"),
    ("run(steps=3)", "run()", "run"),
    ("kernel(1, causal=True)", "kernel(causal=True)", "kernel"),
    ("mine.twice(6)", "mine.twice(6, 7)", "twice"),
    ("mine.twice(6)", "mine.twice()", "twice"),
    # A name.
    ("print(result.total,", "print(results.total,", "results"),
    ("**options", "**option", "option"),
    ("print(width)", "print(depth)", "depth"),
    (
        "```python gpu\nwidth = 7\n```\n\n```python gpu\nprint(width)\n```\n",
        "```python gpu\nprint(width)\n```\n\n```python gpu\nwidth = 7\n```\n",
        "width",
    ),
    ("```python gpu\nprint(width)", "```python fresh\n```\n\n```python gpu\nprint(width)", "width"),
)

_COMMANDS = (
    ("--port 80", "--prot 80", "--prot"),
    ("--port 80", "--port eighty", "eighty"),
    ("--port 80", "--port", "--port"),
    ("--port 80", "--port 80 --workers 2", "--workers"),
    ("export HERE=1\ntoolbox serve MODEL", "export HERE=1\ntoolbox server MODEL", "server"),
    ("export HERE=1\ntoolbox serve MODEL", "export HERE=1\ntoolbox serve", "model"),
    ("export HERE=1\ntoolbox serve MODEL", "export HERE=1\ntoolbox serve MODEL OTHER", "OTHER"),
    ("toolbox.Lazy", "toolbox.Lasy", "toolbox.Lasy"),
    ("json.tool --indent 2", "json.tool --nonsense", "--nonsense"),
    ('"port": 90', '"prot": 90', "--prot"),
    ('"port": 90', '"port": "ninety"', "ninety"),
)

_CHANGES = (
    ("import Machine", "import Machin", "Machin"),
    ("Machine(speed=1)", "Machine(pace=1)", "pace"),
    ("--port 8", "--prot 8", "--prot"),
)

_RUNS = (
    # What is printed.
    ("total 0\n", "total 1\n", "-total 1"),
    ("total 0\nspeed", "total 0\nand\nspeed", "-and"),
    ("speed 2\nat 0x...\n", "at 0x...\n", "+speed 2"),
    ("at 0x...", "at 1x...", "-at 1x..."),
    ('"total", total', '"sum", total', "+sum 0"),
    ("TypeError: Machine.run() missing", "TypeError: Machine.run() lacks", "lacks"),
    ("TypeError: Machine", "ValueError: Machine", "ValueError"),
    # A mark.
    ("machine.run()", "machine.run(1)", "is marked `fails` but ran"),
    ("```python fails\nmachine.run()", "```python\nmachine.run()", "missing 1 required positional argument"),
    ("```python\nassert total == 0", "```python fresh\nassert total == 0", "NameError"),
    ("```python\nassert total == 0", "```python alone\nassert total == 0", "NameError"),
    ("assert total == 0", "assert count == 1", "NameError"),
    # What only running shows.
    ("assert total == 0", "assert total == 1", "AssertionError"),
    ('settings["steps"]', 'settings["step"]', "KeyError: 'step'"),
    ("Machine(speed=2)", "Machine(velocity=2)", "velocity"),
    ("from toolbox import Machine", "from toolbox import Engine", "Engine"),
    ("assert total == 0", "import sys\nsys.exit(1)", "SystemExit"),
    ("assert total == 0", "import os\nos._exit(0)", "ended the interpreter"),
    ("print(count)", "print(counts)", "counts"),
)

_SYNTAX = (
    ("python", "size=1):", "size=1)", "expected ':'"),
    ("python", "f(1, size=2)", "f(1, size=2", "was never closed"),
    ("python", '    return "two"', 'return "two"', "outside function"),
    ("python", '"one"', '"one', "unterminated string"),
    ("python", "f(1, size=2)", "f(1, size=2, size=3)", "keyword argument repeated"),
    ("python", "f(1, size=2)", "await f(1, size=2)", "outside function"),
    ("python", "f(1, size=2)", "f(size=2, 1)", "positional argument follows keyword argument"),
    ("bash", "done\n", "\n", "syntax error"),
    ("bash", '"$SIZE"', '"$SIZE', "unexpected EOF"),
    ("bash", '"$i" ]', '"$i"]', "SC10"),
    ("bash", "SIZE=1", "SIZE = 1", "spaces around ="),
    ("bash", "text\nEND", "text", "END"),
    ("sh", "fi\n", "\n", "syntax error"),
    ("yaml", "  name: small", "   name: small", "did not find expected"),
    ("yaml", "[1, 2]", "[1, 2", "flow sequence"),
    ("yaml", "seed: 3", "model: 3", "'model' twice"),
    ("yaml", "  name", "\tname", "cannot start any token"),
    ("json", "[1, 2]", "[1, 2],", "is not valid json"),
    ("json", '"small"', "'small'", "Expecting value"),
    ("json", '"sizes"', '"name"', "'name' twice"),
    ("json", "[1, 2]", "[1, NaN]", "NaN"),
    ("json", '"seed": 3', '"seed" 3', "Expecting ':'"),
    ("json", '{"text": "two"}', '{"text": "two"', "Expecting"),
    ("toml", '"small"', "small", "Invalid value"),
    ("toml", "size = 1", "name = 1", "overwrite"),
    ("ini", "size = 1", "name = 1", "name twice"),
    ("ini", "[model]\n", "", "before any [section]"),
    ("diff", "+1,2 @@", "+1,3 @@", "fewer lines"),
    ("diff", "+size", "size", "starts with 's'"),
    ("dockerfile", "RUN pip", "RUNN pip", "missing whitespace"),
    ("dockerfile", "train.py /app/\n", "train.py\n", "At least two arguments"),
)

MUTATIONS = (
    *(Mutation("use", old, new, RESOLVED, words) for old, new, words in _USES),
    *(Mutation("shell", old, new, RESOLVED, words) for old, new, words in _COMMANDS),
    *(Mutation("changed", old, new, RESOLVED, words) for old, new, words in _CHANGES),
    *(Mutation("run", old, new, EXECUTED, words) for old, new, words in _RUNS),
    *(Mutation(page, old, new, PARSED, words) for page, old, new, words in _SYNTAX),
)
