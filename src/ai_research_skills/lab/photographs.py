"""Two real photographs that arrive with scikit-learn, so that no notebook has to download any."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

_LICENCE = "CC BY 2.0, https://creativecommons.org/licenses/by/2.0/"

_CREDITS = {
    "china": f"china.jpg by danielbuechele, https://www.flickr.com/photos/danielbuechele/6061409035/, {_LICENCE}",
    # scikit-learn's README names danielbuechele here too, but both of its links lead to vultilion.
    "flower": f"flower.jpg by vultilion, https://www.flickr.com/photos/vultilion/6056698931/, {_LICENCE}",
}

PHOTOGRAPHS = tuple(_CREDITS)
"""Names that `photograph` knows."""


def photograph(name: str) -> Any:
    """The photograph as a uint8 torch tensor on the host, [height, width, 3] in RGB; both are 427 x 640.

    Show `credit(name)` beside it: the licence asks for that.

    Raises:
        ValueError: There is no photograph of that name.
        ModuleNotFoundError: scikit-learn is not installed.
    """
    credit(name)
    # Found and not imported: importing scikit-learn costs a second and loads SciPy.
    package = importlib.util.find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("the photographs come with scikit-learn → pip install scikit-learn")
    path = Path(package.submodule_search_locations[0]) / "datasets" / "images" / f"{name}.jpg"
    torch: Any = importlib.import_module("torch")
    numpy: Any = importlib.import_module("numpy")
    image: Any = importlib.import_module("PIL.Image")
    with image.open(path) as opened:
        return torch.from_numpy(numpy.array(opened.convert("RGB")))


def credit(name: str) -> str:
    """Who took the photograph, where it is from and under which licence it may be shown.

    Raises:
        ValueError: There is no photograph of that name.
    """
    if name not in _CREDITS:
        raise ValueError(f"no photograph {name!r} → choose one of {', '.join(PHOTOGRAPHS)}")
    return _CREDITS[name]
