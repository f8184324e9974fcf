"""All statistics: intervals of means and shares, and paired tests.

Tasks are taken as a sample of all such tasks. Everything follows scipy, with fixed seeds: the same
scores give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 9_999
FEW = 30  # tasks; intervals over fewer are too narrow (simulated: 88 % instead of 95 % at 8 tasks)


class Interval(NamedTuple):
    """The two ends of a 95 % interval."""

    low: float
    high: float


def intervals(values: Floats, resamples: int = RESAMPLES) -> Floats:
    """Return bootstrap intervals of the means of `values` (..., tasks), as (..., 2): lower, upper.

    scipy.stats.bootstrap, bias-corrected and accelerated, which covers skewed scores best of its
    methods. Where all values are equal both ends are that value. At least two tasks.
    """
    import numpy as np
    from scipy import stats

    means = values.mean(axis=-1, keepdims=True)
    ends = np.repeat(means, 2, axis=-1)
    varied = np.ptp(values, axis=-1) > 0
    if varied.any():
        result = stats.bootstrap(
            (values[varied],),
            np.mean,
            axis=-1,
            confidence_level=LEVEL,
            n_resamples=resamples,
            method="BCa",
            batch=100,
            rng=np.random.default_rng(0),
        )
        bounds = result.confidence_interval
        ends[varied] = np.stack([bounds.low, bounds.high], axis=-1)
    return ends


def interval(values: Sequence[float]) -> Interval | None:
    """Return the 95 % interval of the mean over tasks; None for fewer than two tasks."""
    import numpy as np

    if len(values) < 2:
        return None
    low, high = intervals(np.array(values, dtype=float))
    return Interval(float(low), float(high))


def wilson(successes: int, trials: int) -> Interval:
    """Return the 95 % interval of a share (Wilson, 1927), which holds also near 0 and 1.

    scipy.stats.binomtest. Raises ValueError for no trials.
    """
    from scipy import stats

    result: Any = stats.binomtest(successes, trials)
    bounds = result.proportion_ci(LEVEL, method="wilson")
    return Interval(float(bounds.low), float(bounds.high))


def paired_p(differences: Sequence[float]) -> float | None:
    """Return the two-sided p-value for "the mean difference over the same tasks is 0".

    scipy.stats.permutation_test with signs flipped at random: it tests the very mean that is
    reported, and many zero differences do not trouble it, as they would Wilcoxon's ranks. Exact up
    to 13 tasks; None for fewer than two.
    """
    import numpy as np
    from scipy import stats

    sample = np.array(differences, dtype=float)
    if len(sample) < 2:
        return None
    result = stats.permutation_test(
        (sample,),
        np.mean,
        permutation_type="samples",
        n_resamples=RESAMPLES,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def pass_at(draws: int, tries: int, passed: int) -> float:
    """Return pass@k: the chance that one or more of `draws` of these tries passed.

    Unbiased where `tries` is at least `draws` (Chen et al., 2021, arXiv 2107.03374).
    """
    return 1 - math.comb(tries - passed, draws) / math.comb(tries, draws)


def pass_all(draws: int, tries: int, passed: int) -> float:
    """Return pass^k: the chance that all of `draws` of these tries passed.

    Unbiased where `tries` is at least `draws` (Yao et al., 2024, arXiv 2406.12045).
    """
    return math.comb(passed, draws) / math.comb(tries, draws)
