"""The experiment of chapter 3 of the thesis, with every rule beside the hindsight bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from sparing.ration.case import DropshipCase, SupplierTerms
from sparing.ration.evaluation import Interval, Measured, difference, measure, summary
from sparing.ration.ir_dnn_training import SEARCH, IrDnnParams, Trained, train_ir_dnn
from sparing.ration.learned import Learned, shipped
from sparing.ration.learned_training import LearnedParams, train_learned
from sparing.ration.online import OnlineRule
from sparing.ration.rules import NAMES, online_rules
from sparing.ration.thesis_values import CALIBRATED, PRINTED
from sparing.ration.training_days import HISTORY_DAYS, SIZES, history_of, training_days

Progress = Callable[[str], None]
RIVALS = ("fifo_skip", "bid_price")
OTHER_SUPPLIERS = (  # of which the best is chosen order by order
    SupplierTerms(name="economy", margin_share=0.8, delay_probability=0.25, delay_penalty=60.0),
    SupplierTerms(name="express", margin_share=0.65, margin_spread=0.1),
)


@dataclass(frozen=True, kw_only=True)
class StudyParams:
    """How large the study is."""

    seed: int = 0
    test_days: int = 30
    calibration_days: int = 25
    tested_orders: int = 210  # a day, in the experiment of section 3.6
    unseen_days: int = 1000  # on which our learner is compared with its rivals
    training_days: int = 9600  # for our learner; 0: take the model that comes along
    search: bool = True  # over architectures of IR-DNN
    sizes: tuple[tuple[int, int], ...] = SIZES  # SKUs and orders a day, section 3.7

    @classmethod
    def full(cls, case: DropshipCase, seed: int) -> StudyParams:
        """Return the whole study; for another e-tailer the sizes are in the same proportions."""
        sizes = tuple(
            (round(case.num_skus * skus / 350), round(case.orders_per_day * orders / 200))
            for skus, orders in SIZES
        )
        return cls(seed=seed, tested_orders=round(1.05 * case.orders_per_day), sizes=sizes)

    @classmethod
    def quick(cls, case: DropshipCase, seed: int) -> StudyParams:
        """Return a study of about a minute: no search, our shipped model, four sizes."""
        whole = cls.full(case, seed)
        corners = tuple(whole.sizes[i] for i in (0, 3, 12, 15))
        return replace(whole, unseen_days=200, training_days=0, search=False, sizes=corners)


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """What the study found; `report` is ready for JSON."""

    report: dict[str, Any]
    ir_dnn: Trained
    learned: Learned


def run_study(
    case: DropshipCase, params: StudyParams, *, progress: Progress | None = None
) -> Study:
    """Simulate, train, and compare; the same seed gives the same result."""
    tell = progress or (lambda text: None)
    catalogue = case.catalogue(params.seed)
    trained = train_ir_dnn(
        catalogue.days(0, HISTORY_DAYS),
        IrDnnParams(seed=params.seed),
        search=SEARCH if params.search else (IrDnnParams(),),
        progress=tell,
    )
    learned = _learner(case, params, tell)
    rules = online_rules({"ir_dnn": trained.rule, "learned": learned})
    report = {
        "case": case.name,
        "seed": params.seed,
        "skus": case.num_skus,
        "orders": case.orders_per_day,
        "calibration": _calibration(case, params, tell),
        "classification": _classification(case, params, trained, tell),
        "experiment": _experiment(case, params, rules, tell),
        "unseen": _unseen(case, params, rules, tell),
        "suppliers": _suppliers(case, params, rules, tell),
        "sensitivity": [_sensitivity(case, params, size, learned, tell) for size in params.sizes],
        "thesis": PRINTED if _is_built_in(case) else None,
    }
    return Study(report=report, ir_dnn=trained, learned=learned)


def _learner(case: DropshipCase, params: StudyParams, tell: Progress) -> Learned:
    if params.training_days == 0:
        return shipped()
    tell("learned: drawing days")
    days = training_days(case, params.sizes, num_days=params.training_days, seed=params.seed)
    options = LearnedParams(seed=params.seed)
    return train_learned(days.days, days.outlooks, options, progress=tell)


def _calibration(case: DropshipCase, params: StudyParams, tell: Progress) -> dict[str, Any] | None:
    """Strict FIFO and criticality beside what the case was calibrated to; None for another case."""
    if not _is_built_in(case):
        return None
    catalogue = case.catalogue(params.seed)
    days = catalogue.days(HISTORY_DAYS, params.calibration_days)
    found = measure([*CALIBRATED], days, history_of(catalogue, 0), online_rules(), progress=tell)
    rules = {
        key: {"ofr": Interval.of(rule.ofr).json, "calibrated_to": CALIBRATED[key]}
        for key, rule in found.items()
    }
    return {"days": len(days), "rules": rules}


def _classification(
    case: DropshipCase, params: StudyParams, trained: Trained, tell: Progress
) -> dict[str, Any]:
    """IR-DNN as a classifier, on the orders held out, and what its thresholds come to."""
    catalogue = _tested(case, params).catalogue(params.seed)
    days = catalogue.days(HISTORY_DAYS, params.test_days)
    thresholds = sorted({0.5, 0.8, 0.9, trained.tuned_threshold or 0.8})
    tried = [(trained, threshold) for threshold in thresholds]
    printed = IrDnnParams(seed=params.seed)
    if trained.params != printed:  # the search found another: the thesis's own beside it
        past = case.catalogue(params.seed).days(0, HISTORY_DAYS)
        tried.append((train_ir_dnn(past, printed, progress=tell), printed.threshold))
    rows = []
    for network, threshold in tried:
        rule: OnlineRule = replace(network.rule, threshold=threshold)
        online = measure(
            ["ir_dnn"], days, history_of(catalogue, 0), {"ir_dnn": rule}, progress=tell
        )
        counts = network.classified(threshold)
        rows.append(
            {
                "threshold": threshold,
                "tuned": threshold == network.tuned_threshold,
                "hidden": list(network.params.hidden),
                **{key: v if isfinite(v) else None for key, v in counts.measures.items()},
                "false_negatives": counts.false_negative,
                "false_positives": counts.false_positive,
                **summary(online)["ir_dnn"],
            }
        )
    return {
        "orders_held_out": len(trained.label),
        "supplier_share": float(trained.label.mean()),
        "hidden": list(trained.params.hidden),
        "dropout": list(trained.params.dropout),
        "thresholds": rows,
        "cross_validation": [_fold_row(*found) for found in trained.search],
        "epochs": [epoch._asdict() for epoch in trained.history],
    }


def _fold_row(params: IrDnnParams, folds: Any) -> dict[str, Any]:
    import numpy as np

    return {
        "hidden": list(params.hidden),
        "dropout": list(params.dropout),
        "f1": Interval.of(np.array([fold.f1 for fold in folds])).json,
        "accuracy": Interval.of(np.array([fold.accuracy for fold in folds])).json,
    }


def _experiment(
    case: DropshipCase, params: StudyParams, rules: dict[str, OnlineRule], tell: Progress
) -> dict[str, Any]:
    """Section 3.6: 30 days that no rule has seen."""
    catalogue = _tested(case, params).catalogue(params.seed)
    days = catalogue.days(HISTORY_DAYS, params.test_days)
    found = measure([*NAMES], days, history_of(catalogue), rules, progress=tell)
    return {
        "days": len(days),
        "orders": params.tested_orders,
        "rules": summary(found),
        "gain_over_fifo_strict": _relative(found, "fifo_strict"),
        "gain_over_fifo_skip": _relative(found, "fifo_skip"),
    }


def _unseen(
    case: DropshipCase, params: StudyParams, rules: dict[str, OnlineRule], tell: Progress
) -> dict[str, Any]:
    """Our learner and the rules it has to beat, on many days."""
    catalogue = case.catalogue(params.seed)
    days = catalogue.days(10_000, params.unseen_days)
    keys = [*RIVALS, "ir_dnn", "learned", "criticality", "hindsight"]
    found = measure(keys, days, history_of(catalogue), rules, progress=tell)
    return {
        "days": len(days),
        "orders": case.orders_per_day,
        "rules": summary(found),
        "learned_less": {key: difference(found["learned"], found[key]) for key in keys},
    }


def _suppliers(
    case: DropshipCase, params: StudyParams, rules: dict[str, OnlineRule], tell: Progress
) -> list[dict[str, Any]]:
    """Each supplier alone, and the best of them order by order."""
    terms = (*case.suppliers, *(s for s in OTHER_SUPPLIERS if len(case.suppliers) == 1))
    choices = [(t,) for t in terms] + ([terms] if len(terms) > 1 else [])
    rows = []
    for chosen in choices:
        catalogue = replace(case, suppliers=chosen).catalogue(params.seed)
        days = catalogue.days(HISTORY_DAYS, params.test_days)
        keys = ["fifo_skip", "learned", "hindsight"]
        found = measure(keys, days, history_of(catalogue), rules, progress=tell)
        counts = sum(_count(day.supplier.tolist(), len(chosen)) for day in days)
        total = sum(len(day.orders) for day in days)
        rows.append(
            {
                "suppliers": [t.name for t in chosen],
                "share_best": [float(c) / total for c in counts],
                "rules": summary(found),
            }
        )
    return rows


def _count(chosen: list[int], size: int) -> Any:
    import numpy as np

    return np.bincount(chosen, minlength=size)


def _sensitivity(
    case: DropshipCase,
    params: StudyParams,
    size: tuple[int, int],
    learned: Learned,
    tell: Progress,
) -> dict[str, Any]:
    """Section 3.7: IR-DNN is trained anew for each size, our learner is not."""
    skus, orders = size
    head = f"{skus} SKUs, {orders} orders: "
    catalogue = case.resized(num_skus=skus, orders_per_day=orders).catalogue(params.seed)
    tell(head + "training ir_dnn")
    trained = train_ir_dnn(catalogue.days(0, HISTORY_DAYS), IrDnnParams(seed=params.seed))
    rules = online_rules({"ir_dnn": trained.rule, "learned": learned})
    days = catalogue.days(HISTORY_DAYS, params.test_days)
    found = measure(
        [*NAMES], days, history_of(catalogue), rules, progress=lambda text: tell(head + text)
    )
    return {
        "skus": skus,
        "orders": orders,
        "rules": summary(found),
        "gain_over_fifo_strict": _relative(found, "fifo_strict"),
    }


def _relative(found: dict[str, Measured], base: str) -> dict[str, dict[str, float]]:
    """Return per rule the relative gain of the means over those of `base`."""
    ofr, margin = found[base].ofr.mean(), found[base].margin.mean()
    return {
        key: {
            "ofr": float(rule.ofr.mean() / ofr - 1.0),
            "margin": float(rule.margin.mean() / margin - 1.0),
        }
        for key, rule in found.items()
    }


def _is_built_in(case: DropshipCase) -> bool:
    """Say whether the parameters are those that what the thesis prints belongs to."""
    return replace(case, name=DropshipCase.name) == DropshipCase()


def _tested(case: DropshipCase, params: StudyParams) -> DropshipCase:
    return replace(case, orders_per_day=params.tested_orders)
