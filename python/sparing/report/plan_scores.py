"""The HyperScore of every period on record, as a plot and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sparing.planning.maintenance_plan import MaintenancePlan
from sparing.planning.plan_change import PlanChange
from sparing.planning.score_settings import ScoreSettings
from sparing.planning.scoring import PeriodScore
from sparing.planning.spares_change import SparesChange
from sparing.planning.spares_plan import SparesPlan
from sparing.records.times import time_text
from sparing.report import html

LEFT, TOP, WIDTH, HEIGHT = 56.0, 12.0, 660.0, 180.0
LEAST_TOP = 112.0  # a score is at most 111.11


def score_section(plan: MaintenancePlan, change: PlanChange | None) -> str:
    """Return how the periods on record did against what the plan expects, or the targets set."""
    settings, scores = plan.source.scoring, plan.scores
    words = (
        f"Per period and unit. New records that score below {settings.resolve_below:g} have the"
        " policy solved anew."
    )
    if change is not None and change.score.num_looks:
        words += f" The new records score {change.score.score:.2f} against the last plan's."
    first_new = change.score.start if change is not None else float("inf")
    return html.section(
        "HyperScore",
        score_aims(settings, plan.expected),
        *scored_periods(
            scores, settings, words, first_new=first_new, nothing="No inspections are on record."
        ),
    )


def stock_score_section(spares: SparesPlan, change: SparesChange | None) -> str:
    """Return how the reviews on record did against what the policy in force was expected to do."""
    settings = spares.source.settings.scoring
    since = time_text(spares.solved.day)
    words = (
        "Per review, all parts and locations together: holding and downtime by the stock at its"
        f" end, orders as placed. The policy in force is that of {since}; reviews before it show"
        " how things went without it. Where the reviews that end until an update together score"
        f" below {settings.resolve_below:g}, the stocks are planned anew."
    )
    if spares.chance_below is not None:
        words += (
            f" By luck alone, with all as it is expected to be, a review scores below that with"
            f" probability {spares.chance_below:.2f}."
        )
    if change is not None and change.score is not None:
        words += f" The reviews that ended since the last plan score {change.score.score:.2f}."
    first_new = float("inf")
    if change is not None and change.score is not None:
        first_new = change.score.start
    return html.section(
        "HyperScore of the stocks",
        score_aims(settings, spares.solved.expected),
        *scored_periods(
            spares.scores,
            settings,
            words,
            first_new=first_new,
            nothing="No review is on record: that takes stock records at least a review old.",
        ),
    )


def score_aims(settings: ScoreSettings, expected: Mapping[str, float]) -> str:
    """Return in words what is measured against what."""
    target = settings.targets(expected).target
    aims = ", ".join(f"{measure} {value:.6g}" for measure, value in target.items())
    return html.paragraph(
        f"One number from 100 (far off) to 111.11 (as expected or better): {aims}"
        f" ({'as set' if settings.target else 'what the plan expects'})."
    )


def scored_periods(
    scores: Sequence[PeriodScore],
    settings: ScoreSettings,
    words: str,
    *,
    first_new: float,
    nothing: str,
) -> list[str]:
    """Return the scores as words, a plot and a table, or that there are none."""
    rows = [
        [
            time_text(period.start),
            f"{period.score:.2f}",
            str(period.num_looks),
            *(f"{value:.4g}" for value in period.measures.values()),
        ]
        for period in scores
    ]
    if not rows:
        return [html.paragraph(words), html.paragraph(nothing)]
    columns = ["period from", "score", "seen", *scores[0].measures]
    return [
        html.paragraph(words),
        score_plot(scores, settings.resolve_below, first_new),
        html.folded(f"All {len(rows)} periods", html.table(columns, rows)),
    ]


def score_plot(scores: Sequence[PeriodScore], threshold: float, first_new: float) -> str:
    """Return the scores over time as SVG; those from `first_new` on stand out."""
    low = min(100.0, threshold - 0.5)
    first, last = scores[0].start, scores[-1].end

    def place(time: float, score: float) -> tuple[float, float]:
        across = (time - first) / (last - first)
        return LEFT + WIDTH * across, TOP + HEIGHT * (LEAST_TOP - score) / (LEAST_TOP - low)

    points = [place((p.start + p.end) / 2.0, p.score) for p in scores]
    level = place(first, threshold)[1]
    parts = [
        '<svg class="wide" viewBox="0 0 780 230" role="img"'
        ' aria-label="HyperScore of each period">',
        f'<path d="M{LEFT:g} {level:.1f}h{WIDTH:g}" stroke="#c8502a" stroke-dasharray="5 4"/>',
        f'<text x="{LEFT + WIDTH + 4:g}" y="{level + 4:.1f}" font-size="12">{threshold:g}</text>',
    ]
    for score in (100.0, 105.0, 110.0):
        y = place(first, score)[1]
        parts.append(
            f'<text x="{LEFT - 8:g}" y="{y + 4:.1f}" text-anchor="end" font-size="12">{score:g}'
            f'</text><path d="M{LEFT:g} {y:.1f}h{WIDTH:g}" stroke="#e4e4e4"/>'
        )
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    parts.append(f'<path d="M{line}" stroke="#1f5a99" fill="none" stroke-width="1.5"/>')
    for (x, y), period in zip(points, scores, strict=True):
        is_new = period.start >= first_new - 1e-9
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{4.5 if is_new else 2.5}"'
            f' fill="{"#c8502a" if is_new else "#1f5a99"}"><title>{time_text(period.start)}:'
            f" {period.score:.2f}</title></circle>"
        )
    for time, anchor in ((first, "start"), (last, "end")):
        x = place(time, low)[0]
        parts.append(
            f'<text x="{x:.1f}" y="{TOP + HEIGHT + 22:g}" text-anchor="{anchor}"'
            f' font-size="12">{time_text(time)}</text>'
        )
    return "".join(parts) + "</svg>"
