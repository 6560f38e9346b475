import json
import math

import pytest

from ai_research_skills.lab import figures
from ai_research_skills.lab.figures import ImpossibleFigure, record, recorded


@pytest.fixture(autouse=True)
def _fresh() -> None:
    figures.forget()


def test_the_fraction_is_computed() -> None:
    figure = record("copy", 4200.0, "GB/s", limit=4800.0, limit_name="datasheet")
    assert figure.fraction == pytest.approx(0.875)
    assert recorded() == (figure,)
    assert json.loads(json.dumps(figure.as_json()))["limit_name"] == "datasheet"


def test_above_the_limit_is_a_measurement_bug() -> None:
    with pytest.raises(ImpossibleFigure, match="measurement bug"):
        record("copy", 103.0, "GB/s", limit=100.0, limit_name="datasheet")
    assert recorded() == ()


def test_two_percent_above_is_noise() -> None:
    assert record("copy", 101.9, "GB/s", limit=100.0, limit_name="datasheet").fraction == pytest.approx(1.019)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_what_is_no_measurement_is_refused(value: float) -> None:
    with pytest.raises(ImpossibleFigure):
        record("copy", value, "GB/s")


@pytest.mark.parametrize(("limit", "name"), [(0.0, "x"), (math.inf, "x"), (1.0, "")])
def test_a_limit_bounds_and_has_a_name(limit: float, name: str) -> None:
    with pytest.raises(ValueError, match="limit"):
        record("copy", 0.5, "GB/s", limit=limit, limit_name=name)


def test_recording_again_replaces() -> None:
    record("a", 1, "x")
    record("b", 2, "x")
    record("a", 3, "x")
    assert [(each.name, each.value) for each in recorded()] == [("a", 3.0), ("b", 2.0)]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234567.0, "1,234,567"), (12.3456, "12.35"), (0.012345, "0.01235"), (1e-7, "1e-07")],
)
def test_digits(value: float, text: str) -> None:
    assert figures._digits(value) == text


def test_the_text_names_value_spread_and_limit() -> None:
    text = str(record("copy", 50, "GB/s", limit=100, limit_name="datasheet", spread=0.5, samples=9))
    assert text == "copy: 50.00 ± 0.5000 GB/s, 50% of 100.0 GB/s (datasheet)"
