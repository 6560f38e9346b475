"""No page complains, and none talks to anybody else."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.site.built import Served

pytestmark = [pytest.mark.browser, pytest.mark.site]


def test_no_complaint_and_no_request_to_anybody_else(
    address: str, kind: str, page: Page, served: Served
) -> None:
    url = served.url(address)
    heard: list[str] = []
    page.on(
        "console",
        lambda message: (
            heard.append(f"{message.type}: {message.text} ({message.location.get('url')})")
            if message.type in {"error", "warning"} and message.location.get("url") != url
            else None
        ),
    )
    page.on("pageerror", lambda error: heard.append(f"exception: {error}"))
    page.on("requestfailed", lambda request: heard.append(f"failed: {request.url} {request.failure}"))
    page.on(
        "request",
        lambda request: (
            heard.append(f"elsewhere: {request.url}")
            if not request.url.startswith((served.base, "data:", "blob:"))
            else None
        ),
    )
    page.on(
        "response",
        lambda response: (
            heard.append(f"{response.status}: {response.url}")
            if response.status >= 400 and response.url != url
            else None
        ),
    )
    answer = page.goto(url, wait_until="networkidle")
    assert answer and answer.status == (404 if kind == "not found" else 200)
    page.mouse.wheel(0, 20_000)
    page.keyboard.press("Control+k")
    page.locator("input.pf-input").wait_for()
    page.keyboard.type("attention")
    page.locator(".pf-result-link").first.wait_for()
    page.wait_for_timeout(300)
    assert not heard, "\n".join(heard)
