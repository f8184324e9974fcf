"""How sure a mean over tasks is: intervals and paired tests. The tasks are taken as a sample of all such tasks.

Both follow scipy, with fixed seeds: the same scores give the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LEVEL = 0.95
RESAMPLES = 9_999
FEW = 30  # tasks; intervals over fewer are too narrow (simulated: 88 % instead of 95 % at 8 tasks)


def intervals(values: np.ndarray, resamples: int = RESAMPLES) -> np.ndarray:
    """Bootstrap intervals of the means of `values` (..., tasks), as (..., 2): lower and upper end at 95 %.

    scipy.stats.bootstrap, bias-corrected and accelerated, which covers skewed scores best of its methods.
    Where all values are equal both ends are that value. At least two tasks.
    """
    import numpy as np
    from scipy import stats

    ends = np.repeat(values.mean(axis=-1, keepdims=True), 2, axis=-1)
    varied = np.ptp(values, axis=-1) > 0
    if varied.any():
        found = stats.bootstrap(
            (values[varied],),
            np.mean,
            axis=-1,
            confidence_level=LEVEL,
            n_resamples=resamples,
            method="BCa",
            batch=100,
            rng=np.random.default_rng(0),
        ).confidence_interval
        ends[varied] = np.stack([found.low, found.high], axis=-1)
    return ends


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """95 % interval of the mean of one score over tasks; None for fewer than two tasks."""
    import numpy as np

    if len(values) < 2:
        return None
    low, high = intervals(np.array(values, dtype=float))
    return float(low), float(high)


def paired_p(differences: Sequence[float]) -> float | None:
    """Two-sided p-value for "the mean difference over the same tasks is 0"; None for fewer than two tasks.

    scipy.stats.permutation_test with signs flipped at random: it tests the very mean that is reported, and many
    zero differences do not trouble it, as they would Wilcoxon's ranks. Exact up to 13 tasks.
    """
    import numpy as np
    from scipy import stats

    given = np.array(differences, dtype=float)
    if len(given) < 2:
        return None
    found = stats.permutation_test(
        (given,),
        np.mean,
        permutation_type="samples",
        n_resamples=RESAMPLES,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)
