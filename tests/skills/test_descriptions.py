"""A reader who sees only the descriptions finds the right skill.

An agent holds the names and descriptions of all skills and opens one on their strength. A lexical ranker is a floor for that:
it knows no synonyms, so what it tells apart, any reader does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import bm25s
import pytest
import Stemmer
import yaml
from bm25s.stopwords import STOPWORDS_EN

from ai_research_skills.catalog.shelf import load_skills

ROOT = Path(__file__).parents[2]
NAMES = [skill.name for skill in load_skills(ROOT).skills]
DESCRIPTIONS = {skill.name: skill.description for skill in load_skills(ROOT).skills}


@dataclass(frozen=True)
class Task:
    text: str
    skill: str
    near: tuple[str, ...]


TASKS = [
    Task(task["task"], task["skill"], tuple(task["near"]))
    for task in yaml.safe_load((Path(__file__).parent / "tasks.yml").read_text(encoding="utf-8"))
]


def words(text: str) -> list[str]:
    """What is written alike in a task and in a description: stems, and the parts of compound names."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    found = re.findall(r"[a-z]+|\d+", f"{apart} {text}".lower())
    return Stemmer.Stemmer("english").stemWords([word for word in found if word not in STOPWORDS_EN])


@pytest.fixture(scope="module")
def ranker() -> bm25s.BM25:
    ranker = bm25s.BM25()
    ranker.index([words(f"{name} {text}") for name, text in DESCRIPTIONS.items()], show_progress=False)
    return ranker


def ranking(ranker: bm25s.BM25, task: Task) -> list[str]:
    """Names of all skills, the likeliest first."""
    found, _ = ranker.retrieve([words(task.text)], k=len(NAMES), corpus=NAMES, show_progress=False)
    return [str(name) for name in found[0]]


def test_every_skill_has_a_task_and_every_task_its_skills() -> None:
    assert {task.skill for task in TASKS} == set(NAMES)
    assert not {name for task in TASKS for name in task.near} - set(NAMES)
    assert len(TASKS) >= 30


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.skill}: {task.text[:40]}")
def test_the_right_skill_comes_before_those_taken_by_mistake(ranker: bm25s.BM25, task: Task) -> None:
    order = ranking(ranker, task)
    before = [name for name in task.near if order.index(name) < order.index(task.skill)]
    assert not before, f"{task.text!r} leads to {before} rather than to {task.skill}"
    assert task.skill in order[:3], f"{task.text!r} leads to {order[:3]}"
