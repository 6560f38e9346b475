"""A load generator for servers that speak OpenAI's streaming API: requests leave on time, answered or not.

An open loop: a slow server does not slow the arrivals down, as it would if each client waited for its answer.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import httpx

from ai_research_skills.traffic.outcome import Outcome


async def load(
    address: str, bodies: Sequence[dict[str, Any]], moments: Sequence[float], *, timeout: float = 120.0
) -> list[Outcome]:
    """Send each body at its moment and read the answers as they stream.

    Args:
        address: Of the endpoint: `http://127.0.0.1:8000/v1/completions`.
        bodies: JSON of each call; `stream` is set.
        moments: Seconds from now, one for each body.
        timeout: Seconds that a call may go without hearing anything.

    Returns:
        One outcome for each body, in their order; a failed call is an outcome too.
    """
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False) as client:
        begin = time.perf_counter()
        calls = (
            _call(client, address, {**body, "stream": True}, begin, moment)
            for body, moment in zip(bodies, moments, strict=True)
        )
        return list(await asyncio.gather(*calls))


async def _call(
    client: httpx.AsyncClient, address: str, body: dict[str, Any], begin: float, due: float
) -> Outcome:
    outcome = Outcome(due)
    await asyncio.sleep(due - (time.perf_counter() - begin))
    outcome.sent = time.perf_counter() - begin
    try:
        async with client.stream("POST", address, json=body) as response:
            outcome.status = response.status_code
            if response.status_code != 200:
                outcome.error = (await response.aread()).decode(errors="replace")[:500]
            else:
                await _read(response, outcome, begin)
    except httpx.HTTPError as problem:
        outcome.error = f"{type(problem).__name__}: {problem}"
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        outcome.error = f"no event of a stream: {type(problem).__name__}: {problem}"
    outcome.ended = time.perf_counter() - begin
    return outcome


async def _read(response: httpx.Response, outcome: Outcome, begin: float) -> None:
    done = False
    async for line in response.aiter_lines():
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            done = True
            continue
        event = json.loads(data)
        if "error" in event:
            outcome.error = str(event["error"])
            return
        for choice in event["choices"]:
            piece = choice["text"] if "text" in choice else choice["delta"].get("content") or ""
            if piece:
                outcome.text += piece
                outcome.token_times.append(time.perf_counter() - begin)
    if not done:
        outcome.error = "the stream ended before [DONE]"
