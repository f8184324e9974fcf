"""What the report tells of how a page was generated."""

from __future__ import annotations

from iwr.records import Frames, Generation, GenerationStatus
from iwr.report.views import answer_facts


def generation(**details) -> Generation:
    return Generation(model="m", task="t", status=GenerationStatus.OK, fingerprint={}, **details)


def test_the_sampling_is_told_value_by_value():
    facts = answer_facts(generation(sampling={"top_p": 0.95, "temperature": 0.6, "seed": 1234}))
    assert facts["Sampling"] == "seed 1234, temperature 0.6, top_p 0.95"
    assert "Sampling" not in answer_facts(generation())


def test_frames_that_nobody_could_count_are_not_told_as_delivered():
    frames = Frames(mode="native", planned=9, delivered=None, unaudited="it gives no ids")
    facts = answer_facts(generation(frames=frames))
    assert facts["Frames delivered"] == "not known of 9, native: it gives no ids"
