"""How well level 2 tells drift, held against a runtime oracle on pages that nobody here wrote.

A study, not part of the tests. To repeat it:

1. Get libraries of skills in Markdown, each a folder, for example `zechenzhangAGI/AI-research-SKILLs` at
   28f2d292 and `K-Dense-AI/claude-scientific-skills` at 899a51bf.
2. Make the three environments of `environments/`, a machine without a GPU is enough (about 12 GB of disk):

       uv pip compile --only-binary :all: --python-version 3.12 tests/oracle/environments/science.in -o science.lock
       uv venv --python 3.12 /tmp/science && uv pip install --python /tmp/science/bin/python -r science.lock

3. Measure, once an environment:

       .venv/bin/python -m tests.oracle --root LIBRARY --root LIBRARY --env /tmp/science/bin/python \\
           --packages tests/oracle/environments/science.in --sample 1500 --seed 1 --json out.json

The oracle imports the real packages and inspects them (`inspection`, `reading`, `judge`); it shares no code with the
checker. What it cannot decide is counted and left out. A disagreement that was settled by hand, by running the call,
stands in `adjudications.json` with its reason.
"""
