"""Putting a model together from the names of its parts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

from xhat.core.bottleneck import Bottleneck
from xhat.core.catalogue import find, suggest
from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import ConfigError, require
from xhat.core.likelihood import Likelihood
from xhat.core.prior import Prior
from xhat.core.shapes import Shape, size
from xhat.models.autoencoder import Autoencoder
from xhat.parts.likelihoods.categorical import Categorical
from xhat.parts.nets.conditional import ConditionalDecoder, ConditionalEncoder, widened
from xhat.parts.nets.wrap import WrapDecoder, WrapEncoder

# A file of `parts/nets`, or the user's own encoder and decoder, each a module, a callable or a file's name.
Net = str | tuple[Any, Any]


def assemble(
    shape: Shape,
    bottleneck: Callable[[Shape], Bottleneck],
    usual: Likelihood,
    *,
    latent: int = 16,
    net: Net = "mlp",
    code: str = "flat",
    likelihood: str | None = None,
    vocabulary: int | None = None,
    mixed: Likelihood | None = None,
    classes: int | None = None,
    options: Mapping[str, Any] | None = None,
    prior: Callable[[Shape], Prior] | None = None,
) -> Autoencoder:
    """Build the encoder and the mirrored decoder of `net` around a bottleneck.

    Parameters
    ----------
    shape : tuple of int
        Of one row.
    bottleneck : callable
        From the shape of a code to a bottleneck; its class will do.
    usual : Likelihood
        p(x|z) where none is asked for; a net that can only be judged otherwise, or a vocabulary, puts its own in the
        place of it.
    latent : int, default=16
        Code dimensions; of a spatial code, at every place of its grid.
    net : str or pair, default="mlp"
        A file of `parts/nets`; or f and g of your own, as ``net=(backbone, "mlp")``.
    code : {"flat", "spatial"}, default="flat"
        A vector, or a grid of vectors, (latent, H', W'), where the net has one.
    likelihood : str, optional
        The p(x|z) that is asked for: a file of `parts/likelihoods`. Its scale is learned, unless the usual one's is
        fixed.
    vocabulary : int, optional
        How many symbols there are, where rows hold symbols.
    mixed : Likelihood, optional
        p(x|z) of a mixed table's columns, where rows are such: it takes the place of the usual one.
    classes : int, optional
        How many classes there are, where both sides read a row's label beside it.
    options : mapping of str to object, optional
        Arguments of the net's encoder and decoder; each takes those that it knows.
    prior : callable, optional
        From the shape of a code to p(z); the standard normal by default.

    Raises
    ------
    ConfigError
        When no such model can be built; the line says what fits.
    """
    require(code in ("flat", "spatial"), "code", "must be flat or spatial", f"'{code}'")
    encoder, decoder = net if isinstance(net, tuple) else (net, net)
    given = dict(options or {})
    if vocabulary is not None:
        given["vocabulary"] = vocabulary
    _check_options(given, [_find(side, name) for side, name in (("encoder", encoder), ("decoder", decoder))], net)
    bottle = bottleneck((latent, *_grid(encoder, shape, given)) if code == "spatial" else (latent,))
    judge = _judge(_find("decoder", decoder).judged_by, likelihood, usual if mixed is None else mixed, vocabulary)
    theta = judge.params(shape)
    p = None if prior is None else prior(bottle.code_shape)
    if classes is not None:
        return Autoencoder(*_conditional(classes, encoder, decoder, shape, bottle, theta, given), judge, p)
    return Autoencoder(
        _made("encoder", encoder, shape, bottle.in_shape, given),
        bottle,
        _made("decoder", decoder, bottle.code_shape, theta, given),
        judge,
        p,
    )


def _conditional(
    classes: int, encoder: Any, decoder: Any, shape: Shape, bottle: Bottleneck, theta: Shape, given: Mapping[str, Any]
) -> tuple[Encoder, Bottleneck, Decoder]:
    require("vocabulary" not in given, "classes", "stand beside numbers, and these rows hold symbols")
    # Dense layers read the label once, not once for each pixel.
    wide = (size(shape) + classes,) if encoder in ("mlp", "linear") else widened(shape, classes)
    f = _made("encoder", encoder, wide, bottle.in_shape, given)
    g = _made("decoder", decoder, widened(bottle.code_shape, classes), theta, given)
    return ConditionalEncoder(f, classes, shape), bottle, ConditionalDecoder(g, classes)


def _judge(judged_by: str | None, asked: str | None, usual: Likelihood, vocabulary: int | None) -> Likelihood:
    """Choose p(x|z): what the net or the data needs, around or instead of what was asked for or is usual."""
    chosen = usual
    if vocabulary is not None:
        _check_asked(asked, "likelihoods/categorical", "rows that hold symbols")
        chosen = Categorical(vocabulary)
    elif asked is not None:
        chosen = _asked(asked, usual)
    if judged_by is None or isinstance(chosen, find(judged_by)):
        return chosen
    if "likelihood" in _arguments(find(judged_by)):
        return cast(Likelihood, find(judged_by)(chosen))
    _check_asked(asked, judged_by, "this net")
    return cast(Likelihood, find(judged_by)())


def _asked(name: str, usual: Likelihood) -> Likelihood:
    cls = find(f"likelihoods/{name}")
    if type(usual) is cls:
        return usual
    named = [p for p in inspect.signature(cls).parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    lacking = [p.name for p in named if p.default is p.empty]
    hint = "leave it out: data of that kind brings it"
    require(not lacking, f"likelihoods/{name}", f"needs {', '.join(lacking)}, which is the data's", hint=hint)
    # Of a scale that is fixed at 1 nats would mean little; a recipe that fixes its own wants a mere squared error.
    scaled = "learned" in (p.name for p in named)
    return cast(Likelihood, cls(learned=getattr(usual, "learned", True)) if scaled else cls())


def _check_asked(asked: str | None, needed: str, who: str) -> None:
    name = needed.partition("/")[2]
    require(asked in (None, name), "likelihood", f"of {who} must be {name}", f"'{asked}'", "leave it out")


def _find(side: str, net: Any) -> Any:
    if isinstance(net, str):
        return find(f"nets/{net}.{side}")
    return WrapEncoder if side == "encoder" else WrapDecoder


def _made(side: str, net: Any, reads: Shape, gives: Shape, options: Mapping[str, Any]) -> Any:
    if isinstance(net, Encoder | Decoder):
        return net
    cls = _find(side, net)
    if next(iter(inspect.signature(cls).parameters)) == "inner":
        raise ConfigError(f"nets/{net}", "goes around another net", hint="use --net mlp, conv or the like")
    known = {name: value for name, value in options.items() if name in _arguments(cls)}
    return cls(reads, gives, **known) if isinstance(net, str) else cls(net, reads, gives, **known)


def _grid(encoder: Any, shape: Shape, options: Mapping[str, Any]) -> Shape:
    cls = _find("encoder", encoder)
    known = {name: value for name, value in options.items() if name in _arguments(cls)}
    grid: Shape | None = cls.grid(shape, **known)
    if grid is None:
        raise ConfigError(f"nets/{encoder}", "has no spatial codes", hint="use --code flat, or a net over images")
    return grid


def _check_options(options: Mapping[str, Any], sides: list[Any], net: Net) -> None:
    known = {name for cls in sides for name in _arguments(cls)}
    for name in options:
        if name not in known and name == "vocabulary":
            hint = "use nets/recurrent, which reads symbols"
            raise ConfigError(f"nets/{net}", "reads numbers, and these rows hold symbols", hint=hint)
        if name not in known:
            hint = suggest(name, sorted(known)) if known else "it has none: leave it out"
            raise ConfigError(f"nets/{net}", f"has no option '{name}'", hint=hint)


def _arguments(cls: type) -> list[str]:
    return [name for name in inspect.signature(cls).parameters if name not in ("in_shape", "out_shape", "module")]
