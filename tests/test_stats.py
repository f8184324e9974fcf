"""Intervals and paired tests against scipy, and their promise of 95 % in a simulation."""

import numpy as np
import pytest
from scipy import stats

from iwr.stats import interval, intervals, paired_p

KNOWN = [0.0, 0.0, 0.1, 0.2, 0.25, 0.3, 0.5, 0.5, 0.9, 1.0]


def test_interval_is_scipys_bca():
    expected = stats.bootstrap(
        (KNOWN,), np.mean, method="BCa", n_resamples=50_000, rng=np.random.default_rng(7)
    ).confidence_interval
    assert interval(KNOWN) == pytest.approx(tuple(expected), abs=0.01)
    low, high = interval(KNOWN)
    assert low < np.mean(KNOWN) < high


def test_interval_of_equal_and_of_few_scores():
    assert interval([1.0, 1.0, 1.0]) == (1.0, 1.0)
    assert interval([0.3]) is None and interval([]) is None


def test_the_same_scores_give_the_same_numbers():
    assert interval(KNOWN) == interval(KNOWN)


def task_scores(generator, draws, tasks):
    """Like IFS: a fraction of the steps, many pages failing early."""
    steps = generator.integers(5, 11, size=(draws, tasks))
    reached = generator.geometric(0.35, size=(draws, tasks)) - 1
    return np.minimum(reached, steps) / steps


def test_intervals_cover_the_true_mean_as_often_as_they_say():
    truth = task_scores(np.random.default_rng(1), 1, 4_000_000).mean()
    ends = intervals(task_scores(np.random.default_rng(2), 1_000, 113), resamples=999)
    covered = np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1]))
    assert 0.93 <= covered <= 0.97


def repeated_scores(generator, draws, tasks, repeats, flip_rate):
    """Like IFS of several answers a task, by a judge that errs: (draws, tasks), means of repeats.

    Tasks differ in difficulty; the judge flips the verdict of a step, and a step that it takes for
    failed ends the rollout.
    """
    steps = 8
    easiness = generator.beta(4, 1.5, size=(draws, tasks, 1, 1))
    passes = generator.random((draws, tasks, repeats, steps)) < easiness
    flips = generator.random(passes.shape) < flip_rate
    credited = np.cumprod(passes ^ flips, axis=-1).sum(axis=-1)
    return (credited / steps).mean(axis=-1)


@pytest.mark.parametrize("repeats", [1, 3, 5])
@pytest.mark.parametrize("flip_rate", [0.0, 0.05])
def test_intervals_of_repeats_and_flips_cover_as_often_as_they_say(repeats, flip_rate):
    truth = repeated_scores(np.random.default_rng(1), 1, 100_000, 5, flip_rate).mean()
    scores = repeated_scores(np.random.default_rng(2), 1_000, 113, repeats, flip_rate)
    ends = intervals(scores, resamples=999)
    covered = np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1]))
    assert 0.93 <= covered <= 0.97


def test_paired_p_is_exact_on_few_tasks():
    differences = np.array([0.1, 0.2, 0.3, -0.1, 0.4, 0.2, 0.1])
    signs = np.array(np.meshgrid(*[[1, -1]] * 7)).reshape(7, -1).T
    means = (signs * differences).mean(axis=1)
    by_hand = np.mean(np.abs(means) >= differences.mean() - 1e-12)
    assert paired_p(differences) == pytest.approx(by_hand)


def test_paired_p_agrees_with_the_t_test_on_many_tasks():
    differences = np.random.default_rng(5).normal(0.03, 0.2, 113)
    assert paired_p(differences) == pytest.approx(
        stats.ttest_1samp(differences, 0).pvalue, abs=0.02
    )


def test_paired_p_at_the_edges():
    assert paired_p([0.0, 0.0, 0.0]) == 1.0
    assert paired_p([]) is None
    assert paired_p([0.2]) is None
    assert paired_p([0.2] * 12) < 0.001


def test_paired_p_rejects_a_true_null_as_often_as_it_should():
    generator = np.random.default_rng(6)
    rejected = np.mean([paired_p(generator.normal(0, 0.2, 10)) < 0.05 for _ in range(300)])
    assert 0.02 <= rejected <= 0.09
