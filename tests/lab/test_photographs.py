import subprocess
import sys

import pytest

from ai_research_skills.lab.photographs import PHOTOGRAPHS, credit, photograph

torch = pytest.importorskip("torch")
pytest.importorskip("PIL")


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_is_bytes(name: str) -> None:
    pixels = photograph(name)
    assert pixels.shape == (427, 640, 3)
    assert pixels.dtype == torch.uint8
    assert 40 < pixels.float().std() < 110


def test_the_sky_over_china_is_blue_and_so_the_last_channel_is() -> None:
    red, green, blue = photograph("china")[:10, :200].float().mean((0, 1)).tolist()
    assert red + 20 < green < blue - 10


def test_scikit_learn_is_not_imported_for_it() -> None:
    code = (
        "import sys; from ai_research_skills.lab.photographs import photograph; photograph('china'); "
        "print('sklearn' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_every_photograph_is_credited_to_the_owner_of_its_page() -> None:
    for name in PHOTOGRAPHS:
        text = credit(name)
        owner = text.split(" by ")[1].split(",")[0]
        assert f"flickr.com/photos/{owner}/" in text
        assert "CC BY 2.0" in text


def test_an_unknown_photograph_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="china, flower"):
        photograph("lena")


def test_without_scikit_learn_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match="pip install scikit-learn"):
        photograph("china")
