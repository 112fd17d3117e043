"""sparing rates: failure rates from records, what climate does to them, and what to order next."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from sparing.commands.output import note, number, one_line_errors, print_json, print_table
from sparing.commands.problems import JsonOption


def rates(
    records: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="Failure records with exposure, or defect records (CSV, Parquet)."
        ),
    ],
    prior: Annotated[
        str | None,
        typer.Option(
            metavar="SHAPE,RATE",
            help="Gamma prior of every rate; default Jeffreys', or the case's.",
        ),
    ] = None,
    climate: Annotated[
        bool, typer.Option(help="Fit temperature and humidity where the records have them.")
    ] = True,
    last: Annotated[
        str | None, typer.Option(help="Of defect records: the last day that was recorded.")
    ] = None,
    first: Annotated[
        str | None, typer.Option(help="Of defect records: the first day that was recorded.")
    ] = None,
    case: Annotated[
        str | None,
        typer.Option(metavar="CASE|FILE", help="A spares network: what to order, by this belief."),
    ] = None,
    reference: Annotated[
        str,
        typer.Option(
            help="Climate at which rates hold, such as temperature=10,humidity=75; default the mean"
            " of the records. With --case: that of the case's exposure, to which the exposure of"
            " each record is then scaled."
        ),
    ] = "",
    period: Annotated[int | None, typer.Option(help="With --case: the review it is.")] = None,
    stock: Annotated[
        str, typer.Option(help="With --case: stock by location, such as central=3,site=-1.")
    ] = "",
    ordered: Annotated[
        str,
        typer.Option(help="With --case: orders under way and their age, such as site=2@1."),
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of draws from the posterior.")] = 0,
    json: JsonOption = False,
) -> None:
    """Learn failure rates from records, check the fit, and order by what was learned."""
    with one_line_errors():
        from sparing.commands.rates_advice import advice_of

        network = None if case is None else _network(case)
        given = _records(records, first, last, network)
        at = _reference(reference)
        fit = _fit(given, _prior(prior, network), climate, at, seed)
        report = _report(records, given, fit, seed)
        if network is not None:
            chosen = period if period is not None else _periods_seen(given, network)
            seen = fit.at_reference(given) if at else given
            report["advice"] = advice_of(network, seen, chosen, stock, ordered)
        elif period is not None or stock or ordered:
            raise ValueError("--period, --stock and --ordered go with --case.")
    if json:
        print_json(report)
        return
    _print(report)


def _network(case: str) -> Any:
    from sparing.commands.problems import load_problem
    from sparing.models.spares_network import SparesNetwork

    found = load_problem(case)
    if not isinstance(found, SparesNetwork):
        raise ValueError(f"--case {case}: must be of kind 'spares-network'.")
    return found


def _records(path: str, first: str | None, last: str | None, network: Any) -> Any:
    from sparing.records.defects import defects_of, is_defect_table
    from sparing.records.exposure import exposure_of_defects
    from sparing.records.failures import failures_of
    from sparing.records.tables import read_table

    known = None if network is None else [part.name for part in network.parts]
    table = read_table(Path(path))
    if not is_defect_table(table.header):
        if first or last:
            raise ValueError("--first and --last are for defect records; these have exposure.")
        return failures_of(table, path, components=known)
    if network is not None:
        raise ValueError(
            f"{path}: defect records count exposure in unit-years; --case needs failure records"
            " in the exposure of the case."
        )
    found = defects_of(table, path)
    if not first or not last:
        raise ValueError(
            f"{path}: holds defect records; give --first and --last, the days between which every"
            " failure was recorded: without them nobody knows how long the units were exposed."
        )
    return exposure_of_defects(found, first=_day("--first", first), last=_day("--last", last))


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{option} must be a day as YYYY-MM-DD; got {text!r}.") from None


def _prior(text: str | None, network: Any) -> Any:
    from sparing.records.gamma_rate import GammaRate
    from sparing.records.rates import JEFFREYS

    if text is None:
        if network is None:
            return JEFFREYS
        return {
            part.name: GammaRate(shape=part.prior.shape, rate=part.prior.rate)
            for part in network.parts
        }
    try:
        shape, rate = (float(piece) for piece in text.split(","))
    except ValueError:
        raise ValueError(f"--prior must be two numbers such as 2,4; got {text!r}.") from None
    return GammaRate(shape=shape, rate=rate)


def _periods_seen(records: Any, network: Any) -> int:
    """Return how many periods the records cover: their number of starts."""
    return int(min(len({record.start for record in records}), network.periods - 1))


def _reference(text: str) -> dict[str, float]:
    from sparing.records.rates import COVARIATES

    found = {}
    for entry in filter(None, text.split(",")):
        name, _, value = entry.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise ValueError(
                f"--reference must be such as temperature=10,humidity=75; got {entry!r}."
            ) from None
        if name.strip() not in COVARIATES:
            raise ValueError(f"--reference: unknown {name!r}; known: {', '.join(COVARIATES)}.")
    return found


def _fit(records: Any, prior: Any, climate: bool, reference: dict[str, float], seed: int) -> Any:
    from sparing.records.rates import infer_rates, varying_covariates

    covariates = varying_covariates(records) if climate else ()
    for name in reference:
        if name not in covariates:
            raise ValueError(f"--reference: no effect of {name} is fitted, as it does not vary.")
    return infer_rates(
        records, prior=prior, covariates=covariates, reference=reference or None, seed=seed
    )


def _report(name: str, records: Any, fit: Any, seed: int) -> dict[str, Any]:
    """Return what `sparing rates --json` prints."""
    from sparing.records.rate_checks import MEANING, check_rates

    checks = check_rates(fit, records, seed=seed)
    report: dict[str, Any] = {
        "records": name,
        "rows": len(records),
        "confidence": 0.95,
        "reference": dict(fit.reference),
        "rates": {
            component: {
                "failures": fit.failures[component],
                "exposure": fit.exposure[component],
                "shape": fit.rates[component].shape,
                "rate": fit.rates[component].rate,
                "mean": fit.rates[component].mean,
                "lower": fit.interval(component)[0],
                "upper": fit.interval(component)[1],
            }
            for component in fit.components
        },
        "effects": {},
        "checks": [
            {**vars(check), "suspicious": check.suspicious, "meaning": MEANING[check.measure]}
            for check in checks
        ],
    }
    if fit.effects is not None:
        effects = fit.effects
        report["effective_draws"] = effects.effective_draws
        for i, covariate in enumerate(effects.covariates):
            report["effects"][covariate] = {
                "mean": effects.mean[i],
                "lower": effects.lower[i],
                "upper": effects.upper[i],
                "likelihood_estimate": effects.likelihood_estimate[i],
                "likelihood_error": effects.likelihood_error[i],
            }
    return report


def _print(report: dict[str, Any]) -> None:
    print(f"{report['records']}: {report['rows']} records")
    if report["reference"]:
        place = ", ".join(f"{name} {value:.1f}" for name, value in report["reference"].items())
        print(f"rates hold at {place}")
    print()
    columns = ["component", "failures", "exposure", "failures per unit of exposure", "95 % from"]
    rows = [
        [
            name,
            str(found["failures"]),
            number(found["exposure"], 6),
            *(number(found[key], 4) for key in ("mean", "lower", "upper")),
        ]
        for name, found in report["rates"].items()
    ]
    print_table([*columns, "to"], rows)
    if report["effects"]:
        print()
        rows = [
            [
                f"{name}, per 10 {'degrees' if name == 'temperature' else 'percent'}",
                *(number(_factor(found[key]), 4) for key in ("mean", "lower", "upper")),
                number(_factor(found["likelihood_estimate"]), 4),
            ]
            for name, found in report["effects"].items()
        ]
        print_table(["rates are multiplied by", "", "95 % from", "to", "likelihood alone"], rows)
    suspicious = [check for check in report["checks"] if check["suspicious"]]
    print(f"\nposterior predictive checks: {len(report['checks'])}, {len(suspicious)} suspicious")
    for check in suspicious:
        print(
            f"  {check['component']}, {check['measure']}: {check['observed']:.3g} where"
            f" {check['expected']:.3g} is expected (probability {check['probability']:.4f}):"
            f" {check['meaning']}"
        )
    for advice in report.get("advice", ()):
        quantities = [f"{q} at {place}" for place, q in advice["orders"].items() if q]
        print(
            f"\n{advice['part']}, review {advice['period']}: belief Gamma({advice['shape']:.6g},"
            f" {advice['rate']:.6g}), {advice['source']}: order"
            f" {', '.join(quantities) or 'nothing'}"
        )
    if not report["effects"] and "advice" not in report:
        note("no effect of climate was fitted: the records have none that varies.")


def _factor(effect: float) -> float:
    from math import exp

    return exp(effect)
