"""What every notebook shares: the device it found, honest timing, ceilings, correctness, figures with limits, plots.

Nothing here imports torch, triton or matplotlib before it is called. What only some notebooks need stands in modules of
its own, so that a change there makes no other record stale: `lab.interpreter` and `lab.triton_aot` for Triton,
`lab.cuda` for CUDA C++, `lab.photographs`.
"""

from ai_research_skills.lab.ceilings import (
    Ceiling,
    Limit,
    copy_ways,
    fastest,
    limit_for,
    matmul_ways,
    measure_copy,
    measure_matmul,
    measure_read,
    random_values,
    read_ways,
)
from ai_research_skills.lab.charts import against_limit, grid_map, ladder, limit_bar
from ai_research_skills.lab.clocks import Clocks, read_clocks
from ai_research_skills.lab.correctness import (
    Error,
    StrayStore,
    poisoned,
    poisoned_like,
    run_poisoned,
    unit_roundoff,
    unwritten,
    worst,
)
from ai_research_skills.lab.datasheets import Datasheet, datasheet
from ai_research_skills.lab.device import Device, discover
from ai_research_skills.lab.exercises import exercise
from ai_research_skills.lab.figures import Figure, ImpossibleFigure, record, recorded
from ai_research_skills.lab.plots import palette, show, style
from ai_research_skills.lab.roofs import roofline
from ai_research_skills.lab.timing import Timing, measure, measure_together

__all__ = [
    "Ceiling",
    "Clocks",
    "Datasheet",
    "Device",
    "Error",
    "Figure",
    "ImpossibleFigure",
    "Limit",
    "StrayStore",
    "Timing",
    "against_limit",
    "copy_ways",
    "datasheet",
    "discover",
    "exercise",
    "fastest",
    "grid_map",
    "ladder",
    "limit_bar",
    "limit_for",
    "matmul_ways",
    "measure",
    "measure_copy",
    "measure_matmul",
    "measure_read",
    "measure_together",
    "palette",
    "poisoned",
    "poisoned_like",
    "random_values",
    "read_clocks",
    "read_ways",
    "record",
    "recorded",
    "roofline",
    "run_poisoned",
    "show",
    "style",
    "unit_roundoff",
    "unwritten",
    "worst",
]
