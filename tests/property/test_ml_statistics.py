"""Intervals hold as often as they say, and tests raise false alarms no more often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import test_proportions_2indep as two_proportions
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from laketop.ml import auc, auc_difference, auc_interval, delong_difference, delong_interval
from laketop.ml.experiments import (
    Arm,
    Experiment,
    half_width,
    look_at,
    proportion_spread,
    ratio_evidence,
    ratio_p_value,
)
from laketop.ml.experiments.experiment import LEAST_KEYS
from laketop.ml.experiments.sequential import mixture, power

SETS = 1000
ROWS = 300
RUNS = 2000


def sets() -> tuple[list[tuple[np.ndarray, np.ndarray, np.ndarray]], float]:
    """Labelled rows scored by two models, and the true difference of their AUC."""
    drawn = np.random.default_rng(17)
    found = []
    for _ in range(SETS):
        labels = (np.arange(ROWS) < 0.3 * ROWS).astype(float)
        shared = drawn.normal(size=ROWS)
        first = 1.2 * labels + 0.8 * shared + 0.6 * drawn.normal(size=ROWS)
        second = 0.9 * labels + 0.8 * shared + 0.6 * drawn.normal(size=ROWS)
        found.append((labels, first, second))
    return found, float(stats.norm.cdf(1.2 / 2**0.5) - stats.norm.cdf(0.9 / 2**0.5))


@pytest.mark.parametrize("method", ["delong", "bootstrap"])
def test_intervals_of_the_auc_difference_cover_the_truth_as_often_as_they_say(method: str) -> None:
    data, truth = sets()
    covered = 0
    for labels, first, second in data:
        low, _, high = (
            delong_difference(labels, first, second)
            if method == "delong"
            else auc_difference(labels, first, second, rounds=200)
        )
        covered += low <= truth <= high
    assert 0.93 <= covered / SETS <= 0.97


@pytest.mark.parametrize("method", ["delong", "bootstrap"])
def test_intervals_of_one_auc_cover_the_truth_as_often_as_they_say(method: str) -> None:
    data, _ = sets()
    truth = float(stats.norm.cdf(1.2 / 2**0.5))
    covered = 0
    for labels, scores, _ in data:
        low, _, high = (
            delong_interval(labels, scores)
            if method == "delong"
            else auc_interval(labels, scores, rounds=200)
        )
        covered += low <= truth <= high
    assert 0.93 <= covered / SETS <= 0.97


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(-9, 9)), min_size=2, max_size=60))
def test_an_auc_is_the_statistic_of_mann_and_whitney(rows: list[tuple[int, int]]) -> None:
    labels, scores = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    late, punctual = scores[labels == 1], scores[labels == 0]
    if late.size and punctual.size:
        pairs = stats.mannwhitneyu(late, punctual).statistic / (late.size * punctual.size)
        assert auc(labels, scores) == pytest.approx(pairs)


def plan(**changed: float) -> Experiment:
    figures = {
        "minimum_effect": 0.03,
        "spread": proportion_spread(0.2),
        "alpha": 0.05,
        "power": 0.8,
        "looks": 20,
        **changed,
    }
    return Experiment(
        name="a",
        hypothesis="b",
        metric="c",
        started_at=datetime(2013, 1, 1, tzinfo=UTC),
        **figures,  # type: ignore[arg-type]  # figures alone
    )


def simulated(
    rates: tuple[float, float], keys: int, looks: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Effect and information of RUNS experiments at each look, `keys` an arm at the last one."""
    drawn = np.random.default_rng(seed)
    block = keys // looks
    sizes = block * np.arange(1, looks + 1)
    means = [
        np.cumsum(drawn.binomial(block, rate, (RUNS, looks)), axis=1) / sizes for rate in rates
    ]
    variance = sum(m * (1 - m) / (sizes - 1) for m in means)
    return means[1] - means[0], 1 / np.maximum(variance, 1e-12)


def decided(experiment: Experiment, effect: np.ndarray, information: np.ndarray) -> np.ndarray:
    r = mixture(experiment.planned_information(), experiment.alpha)
    half = np.vectorize(lambda t: half_width(t, r=r, alpha=experiment.alpha))(information)
    return np.where(effect > half, 1, np.where(effect < -half, -1, 0))


def test_looking_after_every_key_raises_no_more_false_alarms_than_allowed() -> None:
    experiment = plan(minimum_effect=0.04)
    drawn = np.random.default_rng(5)
    alarms = sum(alarmed(experiment, drawn) for _ in range(RUNS))
    assert 0 < alarms / RUNS <= 0.05


def alarmed(experiment: Experiment, drawn: np.random.Generator) -> bool:
    """Whether an A/A run, twice as long as planned, is decided by a look after any of its keys."""
    keys = 2 * experiment.sample_size()
    treated = drawn.random(keys) < experiment.share
    hit = drawn.random(keys) < 0.2
    counts = [np.cumsum(arm, dtype=np.int32) for arm in (~treated, treated)]
    hits = [np.cumsum(arm & hit, dtype=np.int32) for arm in (~treated, treated)]
    enough = np.flatnonzero(np.minimum(*counts) >= LEAST_KEYS)
    means = [h[enough] / n[enough] for h, n in zip(hits, counts, strict=True)]
    spreads = [m * (1 - m) / n[enough] for m, n in zip(means, counts, strict=True)]
    # What is nearer to 0 than any interval is narrow need not be looked at.
    far = np.abs(means[1] - means[0]) >= 3 * np.sqrt(spreads[0] + spreads[1])
    pairs = list(zip(hits, counts, strict=True))
    looks = (
        look_at(experiment, *(rate(int(n[at]), h[at] / n[at]) for h, n in pairs))
        for at in enough[far]
    )
    return any(look.decision in {"treatment", "control"} for look in looks)


OUTCOMES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "an error": lambda drawn, keys: -drawn.exponential(2.0, keys),
    "a spend": lambda drawn, keys: drawn.lognormal(0.0, 1.0, keys),
    "a seldom spend": lambda drawn, keys: (drawn.random(keys) < 0.05) * drawn.lognormal(3, 1, keys),
    "a heavy tail": lambda drawn, keys: drawn.standard_t(3, keys),
    "a seldom hit": lambda drawn, keys: (drawn.random(keys) < 0.02).astype(float),
}


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize("outcome", sorted(OUTCOMES))
def test_numbers_of_any_kind_raise_no_more_false_alarms_than_allowed(
    outcome: str, share: float
) -> None:
    """A tenth of the keys makes a small arm, whose mean and variance go wrong together."""
    drawn = np.random.default_rng(10)
    values = OUTCOMES[outcome](drawn, 1_000_000)
    experiment = plan(
        spread=float(values.std()), minimum_effect=float(values.std()) / 10, share=share
    )
    alarms = sum(
        alarmed_by(experiment, OUTCOMES[outcome](drawn, experiment.sample_size()), drawn)
        for _ in range(RUNS)
    )
    assert alarms / RUNS <= 0.05


def alarmed_by(experiment: Experiment, values: np.ndarray, drawn: np.random.Generator) -> bool:
    """Whether an A/A run with these values is decided by a look after any of its keys."""
    treated = drawn.random(values.size) < experiment.share
    counts, means, spreads = zip(
        *(running(values, arm) for arm in (~treated, treated)), strict=True
    )
    enough = np.minimum(*counts) >= LEAST_KEYS
    wide = sum(spread / np.maximum(n, 1) for spread, n in zip(spreads, counts, strict=True))
    far = np.flatnonzero(enough & (np.abs(means[1] - means[0]) >= 3 * np.sqrt(wide)))
    looks = (
        look_at(
            experiment,
            *(
                Arm(keys=int(n[at]), mean=float(m[at]), variance=float(s[at]))
                for n, m, s in zip(counts, means, spreads, strict=True)
            ),
        )
        for at in far
    )
    return any(look.decision in {"treatment", "control"} for look in looks)


def running(values: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how many are chosen so far, their mean and their variance, after each value."""
    counts = np.cumsum(chosen)
    shifted = np.where(chosen, values - values.mean(), 0.0)
    some = np.maximum(counts, 2)
    means = np.cumsum(shifted) / some
    spread = np.maximum(np.cumsum(shifted**2) / some - means**2, 0)
    return counts, means, spread * some / (some - 1)


def rate(keys: int, mean: float) -> Arm:
    return Arm(keys=keys, mean=mean, variance=proportion_spread(mean) ** 2)


def test_no_interval_is_narrower_than_three_standard_errors() -> None:
    """What the test above leaves out could not have been an alarm."""
    r = mixture(plan(minimum_effect=0.04).planned_information(), 0.05)
    assert all(half_width(t, r=r, alpha=0.05) * t**0.5 > 3 for t in np.geomspace(1, 1e9, 500))


@pytest.mark.parametrize("wanted", [0.8, 0.9])
def test_the_power_is_the_planned_one(wanted: float) -> None:
    experiment = plan(power=wanted)
    keys = experiment.sample_size() // 2
    found = decided(experiment, *simulated((0.185, 0.215), keys, experiment.looks, seed=6))
    first = found[np.arange(RUNS), (found != 0).argmax(axis=1)]
    assert abs((first == 1).mean() - wanted) <= 0.05


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_the_planned_keys_have_the_planned_power_by_statsmodels(share: float) -> None:
    experiment = plan(looks=1, share=share)
    information = experiment.planned_information()
    bound = half_width(information, r=mixture(information, 0.05), alpha=0.05) * information**0.5
    found = NormalIndPower().power(
        effect_size=experiment.minimum_effect / experiment.spread,
        nobs1=(1 - share) * experiment.sample_size(),
        ratio=share / (1 - share),
        alpha=stats.norm.sf(bound),
        alternative="larger",
    )
    assert found == pytest.approx(0.8, abs=1e-3)


@pytest.mark.parametrize(("of_many", "usevar"), [(1.0, "unequal"), (2.0, "pooled")])
def test_an_interval_is_that_of_two_means_by_statsmodels_at_its_own_confidence(
    of_many: float, usevar: str
) -> None:
    """The wider of both: by variances of their own where the small arm's is the greater."""
    drawn = np.random.default_rng(8)
    values = drawn.normal(1.0, of_many, 700), drawn.normal(1.2, 3.0 - of_many, 300)
    experiment = plan(spread=2.0, minimum_effect=0.2, share=0.3)
    control, treatment = (
        Arm(keys=v.size, mean=float(v.mean()), variance=float(v.var(ddof=1))) for v in values
    )
    look = look_at(experiment, control, treatment)
    compared = CompareMeans(*(DescrStatsW(v) for v in reversed(values)))
    error = (
        compared.std_meandiff_pooledvar if usevar == "pooled" else compared.std_meandiff_separatevar
    )
    r = mixture(experiment.planned_information(), experiment.alpha)
    bound = half_width(error**-2, r=r, alpha=experiment.alpha) / error
    expected = compared.zconfint_diff(alpha=2 * stats.norm.sf(bound), usevar=usevar)
    assert (look.low, look.high) == pytest.approx(expected)


def test_the_spread_of_a_rate_is_that_of_statsmodels() -> None:
    hits, keys = np.array([180, 260]), np.array([1000, 1200])
    arms = [rate(int(n), h / n) for h, n in zip(hits, keys, strict=True)]
    error = sum(arm.variance / arm.keys for arm in arms) ** 0.5
    told = two_proportions(hits[1], keys[1], hits[0], keys[0], method="wald")
    assert (arms[1].mean - arms[0].mean) / error == pytest.approx(told.statistic)


def test_one_look_has_the_power_of_a_normal_test_at_its_bound() -> None:
    information, alpha = 9.0, 0.05
    bound = half_width(information, r=mixture(information, alpha), alpha=alpha)
    expected = stats.norm.sf((bound - 1.0) * information**0.5)
    assert power(1.0, information, looks=1, alpha=alpha) == pytest.approx(expected)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0.05, 0.95))
def test_the_sample_ratio_check_is_the_chi_squared_test(a: int, b: int, share: float) -> None:
    expected = stats.chisquare([a, b], [(a + b) * (1 - share), (a + b) * share]).pvalue
    assert ratio_p_value((a, b), share) == pytest.approx(expected, abs=1e-9)


def test_a_right_split_is_seldom_called_wrong_and_a_wrong_one_is_found() -> None:
    drawn = np.random.default_rng(9)
    for share, at_most, at_least in ((0.5, 0.02, 0.0), (0.45, 1.0, 0.95)):
        treated = np.cumsum(drawn.binomial(100, share, (300, 60)), axis=1)
        totals = 100 * np.arange(1, 61)
        called = [
            any(
                ratio_evidence((int(n - b), int(b)), 0.5) >= 1000
                for n, b in zip(totals, run, strict=True)
            )
            for run in treated
        ]
        assert at_least <= np.mean(called) <= at_most


def test_a_look_tells_better_worse_wrong_split_and_not_yet() -> None:
    experiment = plan()
    full = experiment.sample_size() // 2 + 1

    def arms(keys: tuple[int, int], rates: tuple[float, float]) -> str:
        control, treatment = (
            Arm(keys=n, mean=p, variance=p * (1 - p)) for n, p in zip(keys, rates, strict=True)
        )
        return look_at(experiment, control, treatment).decision

    assert arms((full, full), (0.2, 0.26)) == "treatment"
    assert arms((full, full), (0.2, 0.14)) == "control"
    assert arms((full, full), (0.2, 0.2)) == "undecided"
    assert arms((500, 500), (0.2, 0.22)) == "continue"
    assert arms((99, 99), (0.2, 0.9)) == "continue"
    assert arms((full, full // 2), (0.2, 0.26)) == "invalid"
    assert arms((0, 0), (0.0, 0.0)) == "continue"
