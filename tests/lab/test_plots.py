import re
from collections.abc import Iterator
from typing import Any

import pytest

from ai_research_skills.lab import plots
from ai_research_skills.lab.figures import Figure

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pyplot = pytest.importorskip("matplotlib.pyplot")


def rising_line() -> Any:
    with plots.style():
        figure, axes = pyplot.subplots()
        axes.plot([1, 2], [3, 4])
    return figure


@pytest.fixture
def drawing() -> Iterator[Any]:
    figure = rising_line()
    yield figure
    pyplot.close(figure)


def test_a_plot_is_a_small_svg_on_a_white_card(drawing: Any) -> None:
    media, data = plots.render(drawing, alt="A rising line.")
    assert media == "image/svg+xml"
    assert isinstance(data, str)
    assert len(data) < plots.LARGEST_PLOT
    assert re.search(r"fill: ?#ffffff", data)


def test_the_same_plot_is_the_same_bytes() -> None:
    first, second = rising_line(), rising_line()
    assert plots.render(first, alt="A line.") == plots.render(second, alt="A line.")
    pyplot.close("all")


def test_the_text_of_a_plot_stays_text(drawing: Any) -> None:
    drawing.axes[0].set_title("Bandwidth")
    data = plots.render(drawing, alt="A line.")[1]
    assert isinstance(data, str)
    assert ">Bandwidth</text>" in data
    assert "Verdana" in data


@pytest.mark.parametrize("alt", ["", "   ", "x" * 401])
def test_alternative_text_is_required_and_short(drawing: Any, alt: str) -> None:
    with pytest.raises(ValueError, match="alternative text"):
        plots.render(drawing, alt=alt)


def test_a_crowded_plot_becomes_a_png(drawing: Any) -> None:
    axes = drawing.axes[0]
    for row in range(1500):
        axes.barh(row % 10, 1, left=row)
    media, data = plots.render(drawing, alt="Many bars.")
    assert media == "image/png"
    assert isinstance(data, bytes)
    assert data.startswith(b"\x89PNG")


def test_the_style_ends_with_its_block() -> None:
    before = matplotlib.rcParams["axes.edgecolor"]
    with plots.style():
        assert matplotlib.rcParams["axes.edgecolor"] != before
    assert matplotlib.rcParams["axes.edgecolor"] == before


def test_a_limit_bar_needs_a_limit() -> None:
    with pytest.raises(ValueError, match="no figure has a limit"):
        plots.limit_bar([Figure("a", 1.0, "x")])


def test_a_limit_bar_draws_one_row_per_bounded_figure() -> None:
    figures = [Figure("a", 1.0, "x", 2.0, "the lot", 0.5), Figure("b", 1.0, "x")]
    drawing = plots.limit_bar(figures)
    texts = [each.get_text() for each in drawing.axes[0].texts]
    assert texts == ["a", "50% of 2 x: the lot"]
    pyplot.close(drawing)


def test_showing_outside_a_notebook_prints_the_alternative_text(
    drawing: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    plots.show(drawing, alt="A rising line.")
    assert capsys.readouterr().out == "A rising line.\n"
