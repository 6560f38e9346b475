"""What every notebook shares: the device it found, honest timing, figures with their limits, and plots.

Nothing here imports torch, triton or matplotlib before it is called, so a notebook may still decide about
`TRITON_INTERPRET` after `discover()` and before it imports Triton.
"""

from ai_research_skills.lab.device import Device, discover
from ai_research_skills.lab.figures import Figure, ImpossibleFigure, record, recorded
from ai_research_skills.lab.plots import limit_bar, palette, show, style
from ai_research_skills.lab.timing import Timing, measure, measure_together

__all__ = [
    "Device",
    "Figure",
    "ImpossibleFigure",
    "Timing",
    "discover",
    "limit_bar",
    "measure",
    "measure_together",
    "palette",
    "record",
    "recorded",
    "show",
    "style",
]
