"""How well level 2 tells drift, held against a runtime oracle on pages that nobody here wrote.

A study, not part of the tests: only the oracle itself is tested, by `test_oracle`. To repeat it:

1. Get libraries of skills in Markdown, each a folder. Measured were `zechenzhangAGI/AI-research-SKILLs` at 28f2d292
   and `K-Dense-AI/claude-scientific-skills` at 899a51bf.
2. Make the environments of `environments/`; a machine without a GPU is enough, with 20 GB of disk. For each of
   `applications`, `science` (Python 3.12), `huggingface` and `heldout` (Python 3.11):

       uv pip compile --only-binary :all: --python-version 3.12 tests/oracle/environments/science.in -o /tmp/science.lock
       uv venv --python 3.12 /tmp/science && touch /tmp/science/complete
       uv pip install --only-binary :all: --python /tmp/science/bin/python -r /tmp/science.lock

3. Measure, once an environment; all uses take about ten minutes on two cores:

       .venv/bin/python -m tests.oracle --root LIBRARY --root LIBRARY --env /tmp/science/bin/python \\
           --packages tests/oracle/environments/science.in --sample 1500 --seed 1 --json science.json
       .venv/bin/python -m tests.oracle.together applications.json huggingface.json science.json

The sample: all Python blocks that parse, each once, that import one of the packages named in the list. The oracle
finds their uses and decides each by importing the package: it is there, it is missing, or nobody can tell (counted,
and left out). The decided ones are ordered by a hash of the seed within each package, and drawn in turn from all
packages; `--sample 0` takes all. A page is wholly in half A or half B, by a hash too: tune on one, report the other.
`heldout` lists packages on which nothing was tuned.

The oracle (`reading`, `inspection`, `forwards`, `judge`) shares no code with the checker, which stands behind one
door, `checker`. A use that was settled by running a minimal call stands in `adjudications.json` with its reason. A
drift verdict on an undecided use is listed as doubtful: run it, and write it down there.
"""
