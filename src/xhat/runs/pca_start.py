"""A warm start: training begins exactly at PCA, or at probabilistic PCA for Gaussian codes."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from xhat.core.code import Code
from xhat.core.errors import ConfigError, require
from xhat.core.gaussian_code import GaussianCode
from xhat.core.shapes import size
from xhat.metrics.principal_components import PrincipalComponents
from xhat.models.autoencoder import Autoencoder
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.likelihoods.laplace import Laplace
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder
from xhat.parts.nets.pca_path import PCAPathDecoder, PCAPathEncoder

# Of the rows' whole spread: below it lies the rounding of 32-bit floats.
LEAST = 1e-6


def takes_pca(model: Autoencoder) -> bool:
    """Whether a linear path has a place in a model: a flat code, and a decoder that gives the data's location.

    The code must be what the encoder says, or a Gaussian about it: what is rounded, squashed or mostly zero is not PCA.
    """
    return (
        model.bottleneck.emits in (Code, GaussianCode)
        and model.decoder.out_shape == model.x_shape
        and len(model.code_shape) == 1
        and isinstance(model.likelihood, Gaussian | Laplace)
        and all(isinstance(getattr(net, "last", None), nn.Module) for net in (model.encoder, model.decoder))
    )


def with_pca_path(model: Autoencoder) -> Autoencoder:
    """Put a linear path beside a model's encoder and decoder; linear nets are a path themselves.

    Raises
    ------
    ConfigError
        When a linear path has no place in it.
    """
    require(
        takes_pca(model),
        "init=pca",
        "needs a flat code of free numbers and a net with a last layer that gives the data's mean",
        f"{type(model.bottleneck).__name__} codes of {model.code_shape}, {type(model.decoder).__name__}, "
        f"{type(model.likelihood).__name__}",
        "use --init random",
    )
    if isinstance(model.encoder, LinearEncoder) and isinstance(model.decoder, LinearDecoder):
        return model
    encoder, decoder = PCAPathEncoder(model.encoder), PCAPathDecoder(model.decoder)
    return Autoencoder(encoder, model.bottleneck, decoder, model.likelihood, model.prior)


def start_at_pca(model: Autoencoder, pca: PrincipalComponents) -> None:
    r"""Set a model's linear paths.

    A plain code: :math:`z = W^T (x - \mu),\ \hat x = W z + \mu`, PCA itself. A Gaussian code: the posterior and the
    mean of probabilistic PCA, of which a linear VAE is an instance,

    .. math::
        q(z_j|x) = N\!\left(\frac{\sqrt{\lambda_j - \sigma^2}}{\lambda_j} w_j^T (x - \mu),
        \frac{\sigma^2}{\lambda_j}\right), \qquad
        \hat x = \sum_j \sqrt{\lambda_j - \sigma^2}\, w_j z_j + \mu .

    Where the code has more dimensions than the rows have axes, the rest starts at 0.

    The nets beside the paths of a plain code of columns are given their units: an encoder's reads standardised rows and
    moves a code by at most what PCA leaves of a row, a decoder's reads codes of spread 1 and speaks in units of what
    PCA leaves of each column. Otherwise a column of small numbers, beside others that PCA copies almost exactly, would
    be lost.

    Parameters
    ----------
    model : Autoencoder
        With paths from `with_pca_path`.
    pca : PrincipalComponents
        Of the training rows, at least as many as the code's dimensions where there are as many.

    References
    ----------
    Tipping and Bishop 1999; Lucas et al., "Don't Blame the ELBO!", NeurIPS 2019, for the linear VAE.
    """
    encoder, decoder = model.encoder, model.decoder
    if not isinstance(encoder, PCAPathEncoder | LinearEncoder) or not isinstance(
        decoder, PCAPathDecoder | LinearDecoder
    ):
        raise ConfigError("init=pca", "needs a model with linear paths", type(encoder).__name__, "use with_pca_path")
    code = size(model.code_shape)
    axes, variances = pca.axes[:code], pca.variances[:code]
    inward, outward, log_var = axes, axes, None
    if issubclass(model.bottleneck.emits, GaussianCode):
        noise = max(pca.noise(code), 1e-6 * float(variances[0]))
        gains = (variances - noise).clamp(min=0).sqrt()  # (K,)
        inward, outward = axes * (gains / variances.clamp(min=noise))[:, None], axes * gains[:, None]
        log_var = _filled(torch.log(noise / variances.clamp(min=noise)), code)
        if isinstance(model.likelihood, Gaussian) and model.likelihood.learned:
            with torch.no_grad():
                model.likelihood.log_scale.fill_(0.5 * math.log(noise))
    weight, bias = _filled(inward, code), _filled(-inward @ pca.mean, code)
    if log_var is not None:
        weight, bias = torch.cat([weight, torch.zeros_like(weight)]), torch.cat([bias, log_var])
    encoder.start(weight, bias)
    decoder.start(_filled(outward, code).T, pca.mean)
    if log_var is None and isinstance(encoder, PCAPathEncoder) and isinstance(decoder, PCAPathDecoder):
        _measure(encoder, decoder, pca, code)


def weigh_by_noise(model: Autoencoder, pca: PrincipalComponents) -> None:
    r"""Set the fixed σ of a Gaussian likelihood to what PCA leaves: :math:`\sigma^2` is its mean squared error.

    Where the whole objective is the distortion, σ changes nothing but its number, in nats: an error of a millionth of
    the variance would drown in the rounding of its constant, and no epoch could be told from another.
    """
    if isinstance(model.likelihood, Gaussian) and not model.likelihood.learned:
        left = float(pca.left(size(model.code_shape)).mean())
        model.likelihood.scale = max(left, LEAST**2 * pca.total / len(pca.mean)) ** 0.5


def _measure(encoder: PCAPathEncoder, decoder: PCAPathDecoder, pca: PrincipalComponents, code: int) -> None:
    if len(encoder.in_shape) > 1:
        # Pixels have one unit in common: in larger steps than those of it, nets learned worse on validation.
        return
    left, element = pca.left(code), pca.spread
    least = LEAST**2 * pca.total
    spread = _filled(pca.variances[:code], code).clamp(min=least).sqrt()  # (K,)
    gain = spread.clamp(max=max(float(left.sum()), least) ** 0.5)
    encoder.measure(pca.mean, element.clamp(min=least).sqrt(), gain)
    # Not less than a thousandth of the mean: where rounding leaves nothing, a net may still find something.
    decoder.measure(spread, left.clamp(min=max(1e-6 * float(left.mean()), LEAST**2 * least)).sqrt())


def _filled(rows: Tensor, count: int) -> Tensor:
    """Add rows of zeros up to `count`."""
    return torch.cat([rows, rows.new_zeros(count - len(rows), *rows.shape[1:])])
