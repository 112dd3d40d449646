"""A plan: all that is decided before the first step."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, cast, get_args

import numpy as np
import torch

from xhat.core.catalogue import find
from xhat.core.errors import require
from xhat.core.quantised_code import QuantisedCode
from xhat.core.shapes import size
from xhat.core.sparse_code import SparseCode
from xhat.data.dataset import Dataset
from xhat.data.mixed import blocks
from xhat.data.scaling import How, Scaling, flattened
from xhat.data.split import Split
from xhat.engine.randomness import private_randomness
from xhat.engine.settings import TrainSettings
from xhat.metrics.principal_components import PrincipalComponents
from xhat.models.assemble import Net
from xhat.models.recipe import Recipe
from xhat.parts.likelihoods.mixed import Mixed
from xhat.parts.objectives.reconstruction import Reconstruction
from xhat.runs.checks import check_labels, check_schedules, check_support
from xhat.runs.overrides import recipe_with
from xhat.runs.pca_start import start_at_pca, takes_pca, weigh_by_noise, with_pca_path

# How many components the end of a fit compares, beside as many as the code has dimensions.
COMPONENTS = (1, 2, 4, 8, 16, 32, 64)

INITS = ("auto", "random", "pca", "greedy")


@dataclass(frozen=True)
class Plan:
    """What will be trained, on what and how.

    Parameters
    ----------
    data : Dataset
        Open data.
    split : Split
        Its training and validation rows.
    scaling : Scaling
        Fitted to the training rows.
    recipe : Recipe
        The model and the objective, with weights drawn from the seed.
    settings : TrainSettings
        Resolved.
    origin : dict
        What ``config.json`` keeps, so that the run can be continued and explained.
    warnings : tuple of str
        What is allowed but rarely meant.
    """

    data: Dataset
    split: Split
    scaling: Scaling
    recipe: Recipe
    settings: TrainSettings
    origin: dict[str, Any]
    warnings: tuple[str, ...] = ()

    @cached_property
    def pca(self) -> PrincipalComponents:
        """The principal components of the training rows: what the model is held against, and may start from."""
        most = max(COMPONENTS[-1], size(self.recipe.model.code_shape))
        return PrincipalComponents.fit(self.data, self.split.train, self.scaling, most)


def make_plan(
    data: Dataset,
    kind: str | Recipe = "ae",
    *,
    net: Net = "auto",
    latent: int | None = None,
    code: str = "flat",
    likelihood: str | None = None,
    scale: str = "auto",
    init: str = "auto",
    overrides: Mapping[str, Any] | None = None,
    settings: TrainSettings | None = None,
    source: Mapping[str, Any] | None = None,
    validation: float = 0.1,
) -> Plan:
    """Decide what was left open, and refuse what cannot work before anything is written.

    Parameters
    ----------
    data : Dataset
        Open data.
    kind : str or Recipe
        A file of `models/recipes`, or a recipe of one's own.
    net : str or pair
        A file of `parts/nets`, or f and g of your own; "auto" takes the recipe's, or chooses by the data.
    latent : int, optional
        Code dimensions; of a spatial code, at every place of its grid. By default the recipe's.
    code : {"flat", "spatial"}
        A vector, or a grid of vectors where the net has one.
    likelihood : str, optional
        A file of `parts/likelihoods`, the distribution of data; by default the recipe's.
    scale : str
        A scaling; "auto" takes "none" for tokens, "unit" for images, "standard" for mixed tables, whose columns have
        units of their own, and "global" for all else: "unit" and "global" keep squared errors in proportion.
    init : {"auto", "random", "pca", "greedy"}
        Where training begins; "pca" puts a linear path beside the net and begins exactly at PCA, "greedy" trains a
        perceptron's layers one by one first. "auto" takes PCA for the recipes of tables and images that leave the
        codes free, wherever the net has a place for it.
    overrides : mapping of str to object, optional
        See `recipe_with`.
    settings : TrainSettings, optional
        How to train.
    source : mapping, optional
        How the data was opened, kept for a later continuation.
    validation : float, default=0.1
        The share of rows that is held out.
    """
    settings = settings or TrainSettings()
    split = data.split(validation, seed=settings.seed)
    data = data.pinned(split.validation)
    settings = settings.resolved(len(split.train))
    scaling = _scaling(data, split, scale)
    shape = data.schema.shape
    if isinstance(kind, Recipe):
        require(not overrides, "fit", "overrides are for recipes by name", overrides, "change your recipe's own parts")
        hint = "give your recipe's model another"
        usual = {"latent": None, "net": "auto", "code": "flat", "likelihood": None}
        for choice, came in (("latent", latent), ("net", net), ("code", code), ("likelihood", likelihood)):
            got = f"'{came}'" if isinstance(came, str) else came
            require(came == usual[choice], "fit", f"{choice} is for recipes by name", got, hint)
        recipe, name, net = kind, "own", "own"
    else:
        hint = "2 can be drawn, 8 to 64 compress most data well"
        require(latent is None or latent >= 1, "fit", "latent must be >= 1", latent, hint)
        name, net = kind, _net(data, kind) if net == "auto" else net
        # Weights are drawn here: from the run's seed, and without a trace in the caller's random state.
        with private_randomness(settings.seed):
            recipe = recipe_with(
                kind,
                shape,
                overrides or {},
                net=net,
                code=code,
                likelihood=likelihood,
                vocabulary=_vocabulary(data),
                **({} if latent is None else {"latent": latent}),
                **_mixed(data, scaling),
                **_classes(data, kind),
            )
    require(init in INITS, "fit", f"init must be one of {', '.join(INITS)}", f"'{init}'", "auto suits most")
    if init == "auto":
        init = _init(data, recipe, name)
    if init == "pca":
        with private_randomness(settings.seed):
            recipe = Recipe(with_pca_path(recipe.model), recipe.objective)
    require(recipe.model.x_shape == shape, "fit", f"the model reads rows of {recipe.model.x_shape}", shape)
    check_support(recipe, data, scaling)
    check_labels(recipe, data)
    check_schedules(recipe, settings)
    origin = {
        "recipe": name,
        "net": net if isinstance(net, str) else "own",
        "init": init,
        "shapes_prior": recipe.objective.shapes_prior,
        "validation": validation,
        "source": dict(source or {}),
        "rows": len(data),
        "fingerprint": fingerprint(data),
        **({} if data.blocks is None else {"blocks": asdict(data.blocks)}),
        "settings": settings.to_dict(),
    }
    plan = Plan(data, split, scaling, recipe, settings, origin, cautions(recipe))
    if init == "pca":
        start_at_pca(recipe.model, plan.pca)
        if type(recipe.objective) is Reconstruction:
            weigh_by_noise(recipe.model, plan.pca)
    return plan


def cautions(recipe: Recipe) -> tuple[str, ...]:
    """List what is allowed of a recipe but rarely meant."""
    if recipe.model.encoder.reads_noise:  # what it learns, it learns from noise and not from being short
        return ()
    code, row = size(recipe.model.code_shape), size(recipe.model.x_shape)
    # A sparse code's entries are mostly zero, a quantised one's take few values; one that is read element by element
    # copies nothing.
    if code < row or issubclass(recipe.model.bottleneck.emits, SparseCode | QuantisedCode) or recipe.model.ancestral:
        return ()
    return (f"the code has {code} dimensions and a row only {row}: nothing is compressed",)


def fingerprint(data: Dataset) -> str:
    """Hash some rows, so that a run is not continued on other data."""
    some = torch.linspace(0, len(data) - 1, min(len(data), 64)).long()
    content = np.ascontiguousarray(data.batch(some).x.numpy()).tobytes()
    return hashlib.blake2b(content, digest_size=8, salt=len(data).to_bytes(8, "little")).hexdigest()


def _init(data: Dataset, recipe: Recipe, name: str) -> str:
    # A recipe of one's own is taken as it is; codes that are drawn somewhere have a better place to start than PCA's.
    drawn = recipe.objective.shapes_prior or recipe.objective.shapes_code
    free = name != "own" and data.schema.kind in ("table", "image") and not drawn
    return "pca" if free and takes_pca(recipe.model) else "random"


def _vocabulary(data: Dataset) -> int | None:
    symbols = getattr(data.schema, "vocabulary", None)
    return None if symbols is None else len(symbols)


def _net(data: Dataset, kind: str) -> Net:
    if _vocabulary(data) is not None:
        return "recurrent"
    if "net" in (own := inspect.signature(find(f"recipes/{kind}")).parameters):
        return cast(Net, own["net"].default)
    # Small images are learned faster and better by dense layers; large ones would need too many weights.
    return "conv" if data.schema.kind == "image" and size(data.schema.shape) >= 2048 else "mlp"


def _scaling(data: Dataset, split: Split, scale: str) -> Scaling:
    kept = _categories(data)
    auto = {"image": "unit", "tokens": "none"}.get(data.schema.kind, "global" if kept is None else "standard")
    how = auto if scale == "auto" else scale
    require(how in get_args(How), "fit", f"scale must be auto, {', '.join(get_args(How))}", f"'{how}'")
    measured = data.schema.kind != "tokens" or how == "none"
    require(measured, "fit", "tokens are symbols, which have no scale", f"--scale {how}", "leave --scale out")
    own = kept is None or how in ("none", "standard")
    hint = "leave --scale out: numbers are standardised, categories stay 0 and 1"
    require(own, "fit", "columns of a mixed table have units of their own", f"--scale {how}", hint)
    how = cast(How, how)
    if how == "none" and measured and data.schema.kind != "tokens":
        rule, hint = "nets see 32-bit floats, in which some feature would hardly vary", "use --scale standard"
        require(not flattened(data.some(split.train).resident), "fit", rule, "--scale none", hint)
    if how in ("none", "unit"):
        return Scaling.fit(how, data.subset(split.train[:1]).resident, *_range(data))
    return Scaling.fit(how, data.some(split.train).resident, kept=kept)


def _categories(data: Dataset) -> torch.Tensor | None:
    """Tell which elements of a mixed table's rows stand for categories, (D,)."""
    if data.schema.mixed is None:
        return None
    return torch.tensor([column.categories is not None for column in data.schema.mixed for _ in column.elements])


def _mixed(data: Dataset, scaling: Scaling) -> dict[str, Mixed]:
    """Make p(x|z) of a mixed table's columns; a step between whole numbers shrinks as they are scaled."""
    if data.schema.mixed is None:
        return {}
    spread = scaling.spread.expand(data.schema.shape)
    steps = [float(1 / spread[block][0]) if column.whole else 0.0 for column, block in blocks(data.schema.mixed)]
    counts = [len(column.categories or ()) for column in data.schema.mixed]
    return {"mixed": Mixed(counts, steps)}


def _range(data: Dataset) -> tuple[float, float]:
    """The range that values can take, where the type or the values themselves tell; else the one they took."""
    low, high = data.schema.low, data.schema.high
    if data.schema.dtype == "uint8" and high > 127:
        return 0.0, 255.0
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return low, high


def _classes(data: Dataset, kind: str) -> dict[str, int]:
    """Count the classes for a recipe that asks for them; a label below 0 is a missing one."""
    if "classes" not in inspect.signature(find(f"recipes/{kind}")).parameters:
        return {}
    hint = "give labels=, or --labels, a column or an array of classes"
    whole = data.y is not None and data.y.ndim == 1 and data.y.dtype == torch.int64
    came = "none" if data.y is None else f"{data.y.dtype} of shape {tuple(data.y.shape)}"
    require(whole, f"recipes/{kind}", "needs a class for each row", came, hint)
    classes = int(cast(torch.Tensor, data.y).max()) + 1
    require(classes >= 2, f"recipes/{kind}", "needs labels of two classes or more", f"{max(classes, 0)}", hint)
    return {"classes": classes}
