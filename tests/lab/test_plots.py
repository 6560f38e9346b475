import re
from collections.abc import Iterator
from typing import Any

import pytest

from ai_research_skills.lab import charts, plots
from ai_research_skills.lab.figures import Figure
from ai_research_skills.lab.roofs import roofline

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
        charts.limit_bar([Figure("a", 1.0, "x")])


def test_a_limit_bar_draws_one_row_per_bounded_figure() -> None:
    figures = [Figure("a", 1.0, "x", 2.0, "the lot", 0.5), Figure("b", 1.0, "x")]
    drawing = charts.limit_bar(figures)
    texts = [each.get_text() for each in drawing.axes[0].texts]
    assert texts == ["a", "50% of 2 x: the lot"]
    pyplot.close(drawing)


def test_showing_outside_a_notebook_prints_the_alternative_text(
    drawing: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    plots.show(drawing, alt="A rising line.")
    assert capsys.readouterr().out == "A rising line.\n"


def rungs(*values: float) -> list[Figure]:
    return [Figure(f"step {v}", v, "TFLOP/s", 67.0, "datasheet", v / 67, 0.3) for v in values]


def legend_of(drawing: Any) -> list[str]:
    return [text.get_text() for each in drawing.legends for text in each.get_texts()]


def boxes(drawing: Any, texts: Any) -> list[Any]:
    drawing.canvas.draw()
    return [each.get_window_extent() for each in texts if each.get_text()]


def apart(found: list[Any]) -> bool:
    return not any(a.overlaps(b) for place, a in enumerate(found) for b in found[:place])


def assert_publishable(drawing: Any) -> None:
    """Small, an SVG, no text below 8 points, nothing beyond the edge."""
    for text in drawing.findobj(matplotlib.text.Text):
        assert text.get_fontsize() >= 8 or not text.get_text(), text
    frame = drawing.bbox.padded(1)
    found = [
        *boxes(drawing, drawing.axes[0].texts),
        drawing.get_tightbbox().transformed(drawing.dpi_scale_trans),
    ]
    assert all(frame.containsx(box.x0) and frame.containsx(box.x1) for box in found)
    assert all(frame.containsy(box.y0) and frame.containsy(box.y1) for box in found)
    media, data = plots.render(drawing, alt="A plot.")
    assert media == "image/svg+xml"
    assert len(data) < plots.LARGEST_PLOT
    pyplot.close(drawing)


def test_a_ladder_labels_every_rung_and_its_limit() -> None:
    drawing = charts.ladder(rungs(0.8, 5.2, 20.0, 46.0, 52.0), title="SGEMM")
    axes = drawing.axes[0]
    assert [each.get_text() for each in axes.texts] == [
        "0.8  (1%)",
        "5.2  (8%)",
        "20  (30%)",
        "46  (69%)",
        "52  (78%)",
    ]
    assert legend_of(drawing) == ["datasheet: 67 TFLOP/s"]
    assert axes.get_xlim()[1] > 67
    assert axes.yaxis_inverted()
    assert_publishable(drawing)


def test_a_ladder_of_two_units_is_refused() -> None:
    with pytest.raises(ValueError, match="one unit"):
        charts.ladder([*rungs(1.0), Figure("b", 1.0, "GB/s")], title="?")
    with pytest.raises(ValueError, match="at least one"):
        charts.ladder([], title="?")


def test_lines_stay_below_a_limit_that_is_drawn() -> None:
    sizes = [2**k for k in range(8, 22)]
    series = {
        "naive": dict.fromkeys(sizes, 1000.0),
        "fused": {size: 4000.0 for size in sizes if size < 2**15},
    }
    drawing = charts.against_limit(
        series,
        limits={"fastest copy": 4330.0, "a quarter": 1082.5},
        xlabel="columns",
        ylabel="GB/s",
        title="Bandwidth",
        bands={"naive": dict.fromkeys(sizes, (900.0, 1100.0))},
    )
    axes = drawing.axes[0]
    assert legend_of(drawing) == ["fastest copy: 4,330", "a quarter: 1,082", "naive", "fused"]
    assert axes.get_ylim()[0] == 0
    assert axes.get_ylim()[1] > 4330
    ticks = [each.get_text() for each in axes.get_xticklabels()]
    assert ticks[-1] == "2M"
    assert apart(boxes(drawing, axes.get_xticklabels()))
    assert_publishable(drawing)


def test_more_lines_than_colours_are_refused() -> None:
    with pytest.raises(ValueError, match="7 lines"):
        charts.against_limit({str(k): {1: 1.0} for k in range(7)}, limits={}, xlabel="", ylabel="", title="")


POINTS = [
    ("vector add", 1 / 12, 0.35),
    ("reduction", 0.25, 1.05),
    ("softmax", 0.6, 2.4),
    ("layer norm", 0.75, 2.9),
    ("decode attention", 1.0, 3.6),
    ("softmax fused", 0.62, 2.6),
    ("int4 GEMV", 3.5, 13.1),
    ("SGEMM 4096", 680.0, 49.0),
    ("bf16 GEMM 8192", 2730.0, 690.0),
    ("FlashAttention 16k", 4000.0, 560.0),
]


def test_a_roofline_bends_where_memory_and_arithmetic_meet() -> None:
    drawing = roofline("NVIDIA H200", {"datasheet": (4800.0, 960.0)}, POINTS)
    axes = drawing.axes[0]
    corner = axes.lines[0].get_xydata()[1]
    assert tuple(corner) == pytest.approx((200.0, 960.0))
    assert legend_of(drawing) == ["datasheet: 4,800 GB/s, 960 TFLOP/s"]
    assert_publishable(drawing)


def test_the_kernels_of_a_roofline_can_be_told_apart() -> None:
    roofs = {"datasheet": (4800.0, 989.5), "measured": (4300.0, 785.0), "datasheet, fp32": (4800.0, 67.0)}
    drawing = roofline("NVIDIA H200", roofs, POINTS)
    axes = drawing.axes[0]
    found = boxes(drawing, axes.texts)
    assert len(found) == len(POINTS)
    assert apart(found)
    frame = axes.get_window_extent()
    assert all(box.x0 >= frame.x0 and box.x1 <= frame.x1 for box in found)
    assert_publishable(drawing)


def test_a_host_is_drawn_in_gigaflops() -> None:
    drawing = roofline("host", {"measured": (40.0, 0.2)}, [("matmul", 100.0, 0.15)])
    axes = drawing.axes[0]
    assert axes.get_ylabel() == "GFLOP/s"
    assert legend_of(drawing) == ["measured: 40 GB/s, 200 GFLOP/s"]
    assert axes.lines[1].get_ydata()[0] == pytest.approx(150.0)
    pyplot.close(drawing)


@pytest.mark.parametrize(("roofs", "points"), [({}, []), ({"a": (1.0, 1.0)}, [("b", 0.0, 1.0)])])
def test_a_roofline_needs_roofs_and_positive_numbers(roofs: Any, points: Any) -> None:
    with pytest.raises(ValueError, match="roofs"):
        roofline("host", roofs, points)


def test_a_map_labels_its_cells_and_leaves_out_the_empty_ones() -> None:
    drawing = charts.grid_map([[0, 1, -1], [2, 8, 0]], title="Map", legend={0: "first"})
    axes = drawing.axes[0]
    assert [each.get_text() for each in axes.texts] == ["0", "1", "2", "8", "0"]
    cells = axes.images[0].get_array()
    assert cells[0][2].tolist() == [1, 1, 1]
    assert cells[1][0].tolist() == cells[1][1].tolist() != cells[0][0].tolist()
    assert legend_of(drawing) == ["first"]
    assert_publishable(drawing)


def test_a_map_of_a_warp_fits() -> None:
    drawing = charts.grid_map([[byte // 4 for byte in range(32)]] * 2, title="Bytes", xlabel="byte")
    assert apart(boxes(drawing, drawing.axes[0].texts))
    assert_publishable(drawing)


@pytest.mark.parametrize("rows", [[], [[]], [[1, 2], [1]], [[0] * 33]])
def test_a_map_needs_equal_rows(rows: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="equal rows"):
        charts.grid_map(rows, title="Map")


def test_ink_on_every_tint_is_legible() -> None:
    def luminance(colour: Any) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    from matplotlib.colors import to_rgb

    ink = luminance(to_rgb("#1f2933"))
    for colour in plots.palette():
        assert (luminance(charts._tint(to_rgb(colour))) + 0.05) / (ink + 0.05) > 7


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"),
        (512, "512"),
        (1000, "1k"),
        (1024, "1k"),
        (131072, "128k"),
        (2**21, "2M"),
        (1e10, "10G"),
    ],
)
def test_short_numbers(value: float, text: str) -> None:
    assert charts.short(value) == text
