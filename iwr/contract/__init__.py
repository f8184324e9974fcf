"""Contracts: what was done to a true page and observed there, and whether another page does it too.

Pure functions over `Snapshot`s, without a browser. The recorder uses

- `tell_apart(snapshot, node) -> Target`: the element acted on, in the state before it;
- `derive(before, after, assertion, action, target_uid, volatile=frozenset())
  -> (Expectation, ...)`: what there is to observe between two states of the true page;
  `target_uid` may be None, and `volatile` are texts that differ from one replay to the next
  (see `texts_of(snapshot)`);
- `derive_unchanged(before, after, expectations) -> (Expectation, ...)`: what must stay as it was;
- `parse_expectations(value) -> (Expectation, ...)`: the `expect:` of a script, parsed from YAML.
  Raises DataError.

The judge uses `find` for the element on another page, and `check` and `verdict` for a step.
"""

from iwr.contract.check import check, verdict
from iwr.contract.observation import derive
from iwr.contract.outcome import Answer, Outcome
from iwr.contract.reading import texts_of
from iwr.contract.schema import (
    Contract,
    DialogAnswer,
    Expectation,
    PerformedAction,
    StepContract,
    Target,
    Verb,
)
from iwr.contract.search import find
from iwr.contract.target import describe_target, tell_apart
from iwr.contract.unchanged import derive_unchanged
from iwr.contract.vocabulary import parse_expectations

__all__ = [
    "Answer",
    "Contract",
    "DialogAnswer",
    "Expectation",
    "Outcome",
    "PerformedAction",
    "StepContract",
    "Target",
    "Verb",
    "check",
    "derive",
    "derive_unchanged",
    "describe_target",
    "find",
    "parse_expectations",
    "tell_apart",
    "texts_of",
    "verdict",
]
