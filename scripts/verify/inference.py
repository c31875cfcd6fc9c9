"""Intervals, tests and laws, against SciPy and statsmodels."""

import numpy as np
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint


def compare(report, figures):
    rows = figures["intervals"]
    theirs = [proportion_confint(k, n, alpha=1 - level, method="wilson") for k, n, level, _, _ in rows]
    report.check("Wilson, statsmodels", [row[3:] for row in rows], theirs)
    coverage_law(report, figures["coverage_law"])
    p = figures["multiple"]["p"]
    for ours, theirs in [("holm", "holm"), ("benjamini_hochberg", "fdr_bh")]:
        report.check(f"{ours}, statsmodels", figures["multiple"][ours], multipletests(p, method=theirs)[1])
    power(report, figures["power"])
    paired(report, figures["pair"])
    for name in "ab":
        bootstrap(report, name, figures[name]["bootstrap"], figures["pair"][name])


def coverage_law(report, rows):
    fields = {"expected": [], "low": [], "high": [], "p_value": []}
    for row in rows:
        n, m, k = row["n_calibration"], row["n_test"], row["covered"]
        rank = int(np.ceil(round((n + 1) * (1 - row["alpha"]), 9)))
        law = stats.betabinom(m, rank, n + 1 - rank)
        fields["expected"].append(stats.beta(rank, n + 1 - rank).mean())
        fields["low"].append(law.ppf(0.025) / m)
        fields["high"].append(law.ppf(0.975) / m)
        fields["p_value"].append(min(1, 2 * min(law.cdf(k), law.sf(k - 1))))
    for field, theirs in fields.items():
        report.check(f"coverage law: {field}, SciPy", [row["check"][field] for row in rows], theirs)


def power(report, figures):
    def shortfall(d, n, discordant, alpha, power):
        z = stats.norm.ppf([1 - alpha / 2, power])
        return np.sqrt(n) * d - z[0] * np.sqrt(discordant) - z[1] * np.sqrt(discordant - d * d)

    theirs = [optimize.brentq(shortfall, 1e-9, row[1], args=tuple(row[:4]), xtol=1e-14) for row in figures["accuracy"]]
    report.check("detectable difference in accuracy, solved by SciPy", [row[4] for row in figures["accuracy"]], theirs)
    theirs = [sd / np.sqrt(n) * (stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power))
              for n, sd, alpha, power, _ in figures["mean"]]
    report.check("detectable difference in means, SciPy", [row[4] for row in figures["mean"]], theirs)


def arrays(outcomes):
    """Rows of correct, covered, size and options."""
    return np.array([[row[field] for row in outcomes] for field in ("correct", "covered", "size", "options")], float)


def figures_of(outcomes, axis=-1):
    """Accuracy, coverage, set size, UAcc."""
    acc, coverage, size, options = (outcomes[i].mean(axis) for i in range(4))
    return np.array([acc, coverage, size, acc * np.sqrt(options) / size])


FIGURES = ["acc", "coverage", "set_size", "uacc"]


def bootstrap(report, name, ours, outcomes):
    rows = arrays(outcomes)

    def figure(k):
        return lambda *rows, axis=-1: figures_of(rows, axis)[k]

    for k, field in enumerate(FIGURES):
        for method, ends in [("percentile", "percentile"), ("BCa", "bca")]:
            theirs = stats.bootstrap(rows, figure(k), paired=True, vectorized=True, n_resamples=2000, batch=200,
                                     method=method, rng=np.random.default_rng(1))
            # An end from 1,000 replicates has a standard error of 0.085 of the figure's own.
            report.close(f"{name} bootstrap {method} of {field}, SciPy",
                         [*ours[field][ends], ours[field]["se"]],
                         [*theirs.confidence_interval, theirs.standard_error],
                         0.4 * theirs.standard_error)


def paired(report, pair):
    a, b = arrays(pair["a"]), arrays(pair["b"])
    ours = pair["mcnemar"]
    right = [(a[0] == i) & (b[0] == j) for i in (1, 0) for j in (1, 0)]
    table = np.array([cell.sum() for cell in right]).reshape(2, 2)
    report.check("McNemar: counts", [ours["only_a"], ours["only_b"]], [table[0, 1], table[1, 0]])
    report.check("McNemar exact, statsmodels", ours["exact_p"], mcnemar(table, exact=True).pvalue)
    least, n = min(table[0, 1], table[1, 0]), table[0, 1] + table[1, 0]
    mid = 2 * stats.binom.cdf(least, n, 0.5) - stats.binom.pmf(least, n, 0.5)
    report.check("McNemar mid-p, SciPy", ours["mid_p"], mid)
    theirs = mcnemar(table, exact=False, correction=True)
    report.check("McNemar chi-square, statsmodels", [ours["chi2"], ours["chi2_p"]], [theirs.statistic, theirs.pvalue])
    report.note("McNemar chi-square", "for equal counts statsmodels has 1/n, here it is 0: the correction cannot exceed the difference")
