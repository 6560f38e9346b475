import pytest
from IPython.core.interactiveshell import InteractiveShell

from ai_research_skills.lab.cuda import Source

CELL = "__global__ void k(float* x) { x[0] = 1; }\n"


@pytest.fixture
def shell() -> InteractiveShell:
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "ai_research_skills.lab.cuda")
    return shell


def test_a_cell_becomes_a_source(shell: InteractiveShell) -> None:
    shell.run_cell_magic("cuda", "first", CELL)
    assert shell.user_ns["first"] == Source(CELL)


@pytest.mark.parametrize("line", ["", "two words", "1st", "class"])
def test_a_name_that_python_would_not_take(shell: InteractiveShell, line: str) -> None:
    with pytest.raises(ValueError, match="write %%cuda and one Python name"):
        shell.run_cell_magic("cuda", line, CELL)
