"""The rules by their keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sparing.ration.bid_price import BidPrice
from sparing.ration.criticality import criticality
from sparing.ration.day import Day, Rationing
from sparing.ration.first_come import FifoSkip, FifoStrict
from sparing.ration.hindsight import hindsight
from sparing.ration.ir_dnn import IrDnn
from sparing.ration.learned import Learned, shipped
from sparing.ration.model_files import rule_of
from sparing.ration.online import OnlineRule, run_online
from sparing.ration.outlook import Outlook

BATCH: Mapping[str, Callable[[Day], Rationing]] = {
    "criticality": criticality,
    "hindsight": hindsight,
}
NAMES = {
    "fifo_strict": "FIFO, strict",
    "fifo_skip": "FIFO, skipping",
    "bid_price": "bid prices",
    "ir_dnn": "IR-DNN",
    "learned": "learned costs",
    "criticality": "dynamic criticality",
    "hindsight": "hindsight optimum",
}
WHEN = {key: "at the end of the day" if key in BATCH else "at once" for key in NAMES}


def online_rules(models: Mapping[str, OnlineRule] | None = None) -> dict[str, OnlineRule]:
    """Return the rules that decide at once; `models` are trained ones in place of those shipped.

    `ir_dnn` is only there if it is among the models: it is trained for one set of SKUs.
    """
    held = dict(models or {})
    rules: dict[str, OnlineRule] = {
        "fifo_strict": FifoStrict(),
        "fifo_skip": FifoSkip(),
        "bid_price": BidPrice(),
        **held,
    }
    if "learned" not in rules:
        rules["learned"] = shipped()
    return {key: rules[key] for key in NAMES if key in rules}


def load_model(path: str | Path) -> OnlineRule:
    """Return a trained rule, `IrDnn` or `Learned`, from its npz file.

    Raises
    ------
    ValueError
        If the file holds no such rule.
    """
    key = rule_of(Path(path))
    if key == "ir_dnn":
        return IrDnn.load(path)
    return Learned.load(path)


def decide(
    key: str, day: Day, outlook: Outlook | None, rules: Mapping[str, OnlineRule]
) -> Rationing:
    """Return what a rule, of `rules` or a batch rule, makes of a day."""
    if key in BATCH:
        return BATCH[key](day)
    return run_online(rules[key], day, outlook)
