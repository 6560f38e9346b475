"""What is counted of the evidence: claims, what is lacking, ages, the slowest, and the summary for machines."""

from __future__ import annotations

import datetime as dt
import json

import jsonschema
import pytest

from ai_research_skills.catalog import schemas
from ai_research_skills.catalog.evidence import RULES, Fault, Level, SkillEvidence
from ai_research_skills.coverage import counts
from ai_research_skills.coverage.standing import EVERY_EXECUTED, EVERY_EXECUTED_ON_CPU, EVERY_RESOLVED
from ai_research_skills.coverage.summary import EvidenceSummary, evidence_summary
from ai_research_skills.coverage.unproven import Lack, unproven
from tests.coverage.made_up_evidence import TODAY, made_skill, recorded, standing_of

PAGE = """# Toolbox

```python
x = 1
```

```python gpu
y = 2
```

```diff
- a
+ b
```
"""
RESOLVED, PARSED, RAN = ({"level": level} for level in (Level.RESOLVED, Level.PARSED, Level.EXECUTED))


@pytest.mark.parametrize(
    ("said", "claims"),
    [
        ((RAN, RAN, PARSED), (EVERY_RESOLVED, EVERY_EXECUTED_ON_CPU, EVERY_EXECUTED)),
        ((RAN, RESOLVED, PARSED), (EVERY_RESOLVED, EVERY_EXECUTED_ON_CPU)),
        ((RESOLVED, RESOLVED, PARSED), (EVERY_RESOLVED,)),
        ((RAN, PARSED, PARSED), ()),
        ((RAN, RAN), ()),
    ],
    ids=["all", "all but a GPU's", "nothing ran", "one short", "one stale"],
)
def test_a_claim_is_made_only_of_every_example(
    said: tuple[dict[str, Level], ...], claims: tuple[str, ...]
) -> None:
    skill = made_skill(PAGE)
    assert standing_of(skill, recorded(skill, *said)).claims == claims


def test_a_skill_without_examples_claims_nothing() -> None:
    skill = made_skill("# Toolbox\n")
    assert standing_of(skill, recorded(skill)).claims == ()


def test_what_is_lacking_is_named_with_its_reason_worst_first() -> None:
    skill = made_skill(PAGE)
    record = recorded(
        skill,
        {
            "level": Level.PARSED,
            "why": "the type of x is unknown",
            "waived": ("x.go(...): seen in the source",),
        },
        {"level": Level.PARSED, "faults": (Fault(at=1, text="toolbox has no y"),)},
    )
    found = [(it.lack, it.example.index, it.reason) for it in unproven([standing_of(skill, record)])]
    assert found == [
        (Lack.FAULT, 1, "toolbox has no y"),
        (Lack.STALE, 2, "changed since it was checked"),
        (Lack.BELOW, 0, "the type of x is unknown"),
        (Lack.WAIVED, 0, "x.go(...): seen in the source"),
    ]


def test_staleness_says_what_changed() -> None:
    skill = made_skill(PAGE)
    changed = made_skill(PAGE.replace("x = 1", "x = 3"))

    def reasons(record: SkillEvidence | None) -> set[str]:
        return {it.reason for it in unproven([standing_of(skill, record)])}

    assert reasons(None) == {"not checked yet"}
    assert reasons(recorded(skill, RAN, rules=RULES - 1)) == {"checked by older rules"}
    assert reasons(recorded(skill, RAN, pins=("toolbox==1.1.0",))) == {
        "the pins changed since it was checked"
    }
    assert reasons(recorded(changed, RAN, RESOLVED, PARSED)) == {
        "changed since it was checked",
        "something above it changed since it was checked",
    }


def test_ages_count_back_from_the_day_given_and_stale_has_none() -> None:
    skill = made_skill(PAGE)
    standing = standing_of(skill, recorded(skill, RAN, {"checked": TODAY - dt.timedelta(days=40)}))
    ages = {label: count for label, count in counts.by_evidence_age([standing], TODAY).items() if count}
    assert ages == {"within 30 days": 1, "within 90 days": 1, counts.NO_EVIDENCE: 1}
    later = counts.by_evidence_age([standing], TODAY + dt.timedelta(days=400))
    assert later["older than a year"] == 2


def test_the_slowest_come_first_and_what_never_ran_is_left_out() -> None:
    skill = made_skill(PAGE)
    standing = standing_of(skill, recorded(skill, {"seconds": 0.5}, {"seconds": 7.0}, PARSED))
    assert [seconds for _, _, seconds in counts.slowest([standing], 10)] == [7.0, 0.5]
    assert len(counts.slowest([standing], 1)) == 1


def test_categories_divide_their_examples_by_level() -> None:
    skill = made_skill(PAGE)
    standing = standing_of(skill, recorded(skill, RAN, RESOLVED))
    (levels,) = counts.levels_by_category([standing]).values()
    assert levels == {
        Level.STATED: 1,
        Level.PARSED: 0,
        Level.RESOLVED: 1,
        Level.EXECUTED: 1,
        Level.EXECUTED_ON_GPU: 0,
    }


def test_the_summary_adds_up_is_ordered_and_keeps_its_schema() -> None:
    skills = [made_skill(PAGE, name) for name in ("zeta", "alpha")]
    found = [standing_of(skill, recorded(skill, RAN, RESOLVED)) for skill in skills]
    summary = evidence_summary(found, TODAY)
    document = json.loads(summary.model_dump_json())
    jsonschema.validate(document, json.loads(schemas.text(EvidenceSummary)))
    assert [skill["name"] for skill in document["skills"]] == ["alpha", "zeta"]
    first = document["skills"][0]
    assert first["examples"] == sum(first["levels"].values()) == 3
    assert (first["proven"], first["stale"], first["checked"]) == (2, 1, "2026-11-21")
    assert document["examples"] == sum(document["levels"].values()) == 6
    assert evidence_summary(reversed(found), TODAY) == summary
