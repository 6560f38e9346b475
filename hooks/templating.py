"""HTML fragments from templates that escape whatever they are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from ai_research_skills.catalog.evidence import Level
from hooks import addresses

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.do"],
)
_ENVIRONMENT.globals.update(addresses=addresses, levels=tuple(Level))
_ENVIRONMENT.filters["safe_url"] = lambda url: url if url.startswith(("https://", "http://")) else "#"


def spoken_duration(seconds: float) -> str:
    """`seconds` to two digits, as a reader wants them."""
    if seconds < 0.01:
        return "under 0.01 s"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


_ENVIRONMENT.filters["duration"] = spoken_duration


def fragment(template: str, here: str, **values: Any) -> Markup:
    """Render `template` for the page at address `here`; `link(address)` in it gives a relative link.

    Blank lines are dropped, because a blank line would end the HTML block in Markdown.
    """

    def link(there: str) -> str:
        return addresses.relative(here, there)

    text = _ENVIRONMENT.get_template(template).render(link=link, here=here, **values)
    return Markup("\n".join(line.strip() for line in text.splitlines() if line.strip()))
