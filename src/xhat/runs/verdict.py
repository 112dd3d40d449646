"""The verdict: what a summary's numbers say, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# A share of the variance that is PCA's rounding, where as many components as the data's rank leave no other error.
EXACT = 1e-9
# How near to PCA's error the same map comes out in 32-bit floats.
SAME = 1e-4
# What errors of numbers are; errors of symbols are the share of wrong ones.
SQUARES = "mean squared error"
SYMBOLS = "share of wrong symbols"
# Of mixed tables, whose columns have units of their own.
STANDARDISED = "mean squared error, standardised"
# The objective whose distortion is that of whole rows; others hide, spoil or weigh some of a row, or draw codes.
EXACTLY = "objectives/reconstruction"
# The likelihood under which no squared error is minimised: each column is made likely by its own distribution.
LIKELY = "likelihoods/mixed"
# The objective that learns what may stand in gaps, and copies nothing.
GAPS = "objectives/miwae"


def numbers(summary: Mapping[str, Any]) -> int:
    """Count a row's numbers, for which PCA gets as many components: of a sparse code those that are not zero."""
    return max(1, round(summary["l0"])) if "l0" in summary else int(summary["code"])


def units(summary: Mapping[str, Any]) -> str:
    """Say in which units errors are measured."""
    standardised = summary.get("measure") == STANDARDISED
    return "numbers standardised, categories as zeros and a one" if standardised else "in the data's own units"


def verdict(summary: Mapping[str, Any]) -> str:
    """Say how the model stands beside PCA and the mean input.

    Parameters
    ----------
    summary : mapping
        As ``summary.json`` holds it.
    """
    model, pca, mean = (summary[f"error.{name}"] for name in ("model", "pca", "mean"))
    called = "active numbers" if "l0" in summary else "numbers"
    explained = ""
    if model < mean:
        what = "of what the commonest symbols miss" if summary.get("measure") == SYMBOLS else "of the variance"
        count = f"{numbers(summary)} {called if numbers(summary) > 1 else called.removesuffix('s')}"
        explained = f"It explains {100 * (1 - model / mean):.1f} % {what} with {count} a row."
    if summary.get("ancestral"):
        share = f", with {model / mean:.2f} of the mean input's error" if mean > 0 else ""
        against = f"It predicts each element from those before it{share}."
        nats = summary.get("validation.distortion")
        if nats is None or summary.get("objective") != EXACTLY:
            return against
        nats = f"{nats:.6g} nats a row"
        return f"{against} Its distortion, {nats}, is -log p(x); under a Bernoulli, of rows of 0 and 1 alone."
    if summary.get("told_noise"):
        share = summary["validation.distortion"]
        return f"It denoises rows whose noise it is told, with a distortion of {share:.4g} over all strengths."
    if summary.get("objective") == GAPS:
        against = "It was trained to fill gaps; the errors here are of its copies of what was observed."
    elif pca <= EXACT * mean and model >= pca:
        against = "PCA copies these rows exactly; an autoencoder cannot do better."
    elif summary.get("net_share") == 0 and summary["best_epoch"] > 0:
        against = "Nothing better than PCA was found on validation beyond doubt: this model is PCA. Give it more rows."
    elif summary["best_epoch"] == 0 and abs(model - pca) <= SAME * pca:
        against = "Nothing better than PCA was found on validation: this model is PCA. Train longer."
    elif model <= pca:
        against = f"Its error is {model / pca:.2f} of PCA's with as many {called}."
    elif model < mean and summary.get("likelihood") == LIKELY:
        against = (
            "It was trained to give rows their probability, not to copy them with the least squared error; that is "
            f"{model / pca:.2f} of PCA's with as many {called}."
        )
    elif model < mean:
        advised = "Train longer, or start from PCA with --init pca." if summary["takes_pca"] else "Train longer."
        fair = f" with as many {called}" if "l0" in summary else ""
        against = f"PCA does better: this model's error is {model / pca:.2f} of PCA's{fair}. {advised}"
    else:
        against = "It copies worse than the mean input does: it has not learned. Train longer, or lower --lr."
    return f"{against} {explained}".strip()


def advice(summary: Mapping[str, Any]) -> list[str]:
    """List what a user should know before trusting the model, each with what to try."""
    notes = [f"{warning[0].upper()}{warning[1:]}." for warning in summary["warnings"]]
    notes += [_said(finding) for finding in summary.get("findings", [])]
    if summary["status"] == "diverged":
        notes.append("Training diverged; these are the last good weights. Lower --lr.")
    if summary["best_epoch"] == summary["epochs"] and summary["status"] == "finished":
        notes.append("The last epoch was the best: more --epochs may still lower the error.")
    return notes


def _said(finding: Mapping[str, Any]) -> str:
    """Say a finding: its name, since when, and what to try."""
    what = finding["what"]
    since = "" if finding["since"] is None else f" since epoch {finding['since']}"
    return f"{what[0].upper()}{what[1:]}{since}: {finding['advice']}"
