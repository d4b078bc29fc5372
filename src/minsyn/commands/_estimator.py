"""Estimator that the options of ``minsyn fit`` describe."""

import inspect
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minsyn import MinSyn, VectorMinSyn

__all__ = ["ModelOptions", "build_estimator", "reads_blocks"]

_ADAM = ("learning_rate", "batch_size", "n_iter_no_change", "device")
_MINSYN = ("decoder", "latents", "sizes", "synergy_weight", "solver", *_ADAM)
_SOLVERS = ("auto", "covariance", "lbfgs", "adam")


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Options of ``minsyn fit`` that are about the model; None where one was not given.

    Attributes
    ----------
    n_components : str or None
        Number of factors, or the criterion that finds it.
    decoder : str or None
        Name in `minsyn.nn.DECODERS`.
    latents : str or None
        Name in `minsyn.nn.LATENTS`, or "auto".
    sizes : list of int or None
        Number of categories of each variable, for categorical decoders.
    synergy_weight : float or None
        Weight of the synergy of a decoder that is trained.
    groups : str or None
        Number of vector factors, or "auto".
    solver : str or None
        Name of the solver.
    learning_rate, batch_size, n_iter_no_change, device
        Options of Adam and of its run.
    n_init, max_iter, tol
        Options of all estimators.
    standardize : bool
        Whether features are standardised; of vector factors, before the fit.
    seed : int
        Random state.
    verbose : int
        Whether to show progress.
    """

    n_components: str | None = None
    decoder: str | None = None
    latents: str | None = None
    sizes: list[int] | None = None
    synergy_weight: float | None = None
    groups: str | None = None
    solver: str | None = None
    learning_rate: float | None = None
    batch_size: int | None = None
    n_iter_no_change: int | None = None
    device: str | None = None
    n_init: int | None = None
    max_iter: int | None = None
    tol: float | None = None
    standardize: bool = False
    seed: int = 0
    verbose: int = 0

    def given(self, *names: str) -> dict[str, Any]:
        """Values of those of these options that were given.

        Parameters
        ----------
        *names : str
            Names of options.
        """
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}


def build_estimator(options: ModelOptions) -> "MinSyn | VectorMinSyn":
    """Estimator that is not fitted yet, with every option that was given.

    Parameters
    ----------
    options : ModelOptions
        The options.

    Raises
    ------
    ValueError
        If the chosen model cannot use an option, or its value is unknown.

    Examples
    --------
    >>> build_estimator(ModelOptions(n_components="3", decoder="bernoulli", batch_size=64))
    MinSyn(decoder='bernoulli', n_components=3, random_state=0,
           solver=Adam(batch_size=64))
    """
    from minsyn import MinSyn, VectorMinSyn

    shared = options.given("n_init", "max_iter", "tol")
    shared |= {"random_state": options.seed, "verbose": options.verbose}
    n_components = _n_components(options)
    if options.groups is not None:
        _refuse(options, _MINSYN, "vector factors (--groups)")
        return VectorMinSyn(
            None if n_components == "auto" else n_components,
            n_groups=_groups(options.groups),
            **shared,
        )
    return MinSyn(
        n_components,
        decoder=_decoder(options),
        latents=_latents(options),
        solver=_solver(options),
        standardize=options.standardize,
        **shared,
    )


def reads_blocks(estimator: "MinSyn | VectorMinSyn") -> bool:
    """Whether an estimator can be fitted to data that are read block by block.

    Parameters
    ----------
    estimator : MinSyn or VectorMinSyn
        The estimator.
    """
    return hasattr(estimator, "partial_fit")


def _n_components(options: ModelOptions) -> Any:
    from minsyn.estimators.number import CRITERIA

    text = options.n_components or "auto"
    criteria = tuple(CRITERIA) if options.groups is None else ("auto",)
    if text in criteria:
        return text
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(
            f"--n-components {text}: expected a number from 1, or {' or '.join(criteria)}"
        )
    return int(text)


def _latents(options: ModelOptions) -> Any:
    from minsyn.nn import LATENTS

    name, allowed = options.latents or "auto", ("auto", *LATENTS)
    if name not in allowed:
        raise ValueError(f"--latents {name}: expected one of {', '.join(allowed)}")
    return name


def _decoder(options: ModelOptions) -> Any:
    from minsyn import Free
    from minsyn.nn import DECODERS

    name = options.decoder or "gaussian"
    if name not in DECODERS:
        raise ValueError(f"--decoder {name}: expected one of {', '.join(DECODERS)}")
    decoder: Any = name
    kind: Any = DECODERS[name]
    if "sizes" in inspect.signature(kind).parameters:
        if options.sizes is None:
            raise ValueError(
                f"--decoder {name} needs --sizes, the number of categories of each variable: "
                "--sizes 3 2 for three columns of a first and two of a second one"
            )
        decoder = partial(kind, sizes=list(options.sizes))
    else:
        _refuse(options, ("sizes",), f"--decoder {name}")
    if options.synergy_weight is None:
        return decoder
    return Free(decoder, synergy_weight=options.synergy_weight)


def _solver(options: ModelOptions) -> Any:
    from minsyn import Adam, Run

    name = options.solver or "auto"
    if name not in _SOLVERS:
        raise ValueError(f"--solver {name}: expected one of {', '.join(_SOLVERS)}")
    given = options.given(*_ADAM)
    exact = name in ("lbfgs", "covariance")
    if exact:
        _refuse(options, ("synergy_weight", *_ADAM), f"--solver {name}")
    if name == "covariance":
        other = ("decoder",) * (options.decoder not in (None, "gaussian"))
        other += ("latents",) * (options.latents not in (None, "auto", "linear"))
        _refuse(options, other, "--solver covariance")
    if exact or (name == "auto" and not given):
        return name
    if name == "auto" and list(given) == ["device"]:
        # An option of the machine must not change the model: Adam may end elsewhere.
        raise ValueError(
            "--device is an option of Adam, whose model may differ from that of --solver auto: "
            "add --solver adam, or leave --device out"
        )
    device = given.pop("device", None)
    return Adam(**given) if device is None else Adam(**given, run=Run(device=device))


def _groups(text: str) -> Any:
    if text == "auto":
        return text
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(f"--groups {text}: expected auto or a number of groups from 1")
    return int(text)


def _refuse(options: ModelOptions, names: tuple[str, ...], model: str) -> None:
    for name in options.given(*names):
        raise ValueError(f"--{name.replace('_', '-')} cannot be used with {model}: leave it out")
