"""Parts of a report that is one HTML file: text is escaped, nothing comes from a network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

STYLE = """
:root { color-scheme: light; --ink: #222; --line: #d8d8d8; --act: #c8502a; --blue: #1f5a99; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); margin: 0 auto; max-width: 62rem;
  padding: 1rem; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
.scroll { overflow-x: auto; margin-bottom: .9rem; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th { white-space: normal; vertical-align: bottom; }
td.act, p { overflow-wrap: anywhere; } td.act { white-space: normal; min-width: 12rem; }
th:first-child, td:first-child, .text { text-align: left; }
th button { font: inherit; font-weight: 600; background: none; border: 0; padding: 0;
  cursor: pointer; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
.map td, .map th { text-align: center; min-width: 1.6rem; }
.act { color: var(--act); font-weight: 600; } .note { color: #555; font-size: .9rem; }
svg { width: 100%; max-width: 34rem; height: auto; display: block; margin: .5rem 0; }
h1 { overflow-wrap: anywhere; } details { margin: .5rem 0; }
svg.wide { max-width: 50rem; }
@media screen { section { overflow-x: auto; } svg.wide { min-width: 42rem; } }
@media print { :root { font-size: 10px; } body { max-width: none; font-size: 11px; padding: 0; }
  h2 { break-after: avoid; } tr, svg { break-inside: avoid; } .scroll { overflow: visible; }
  th, td { white-space: normal; padding: .1rem .5rem; } th button { cursor: auto; }
  thead { display: table-header-group; } }
@media print { details::details-content { content-visibility: visible; block-size: auto; } }
"""
TEXT = ' class="text"'
SCRIPT = """
document.querySelectorAll("table.sortable").forEach(table => {
  const body = table.tBodies[0];
  table.querySelectorAll("th").forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = row => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const order = (a, b) => {
        const x = key(a), y = key(b), difference = Number(x) - Number(y);
        return Number.isNaN(difference) ? x.localeCompare(y) : difference;
      };
      [...body.rows].sort((a, b) => up ? order(a, b) : order(b, a))
        .forEach(row => body.append(row));
    });
  });
});
"""


def page(title: str, parts: Sequence[str]) -> str:
    """Return the whole file."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(parts)
        + f"\n<script>{SCRIPT}</script></body></html>\n"
    )


def section(title: str, *parts: str) -> str:
    """Return a section with a heading; the parts are HTML."""
    return f"<section><h2>{escape(title)}</h2>\n" + "\n".join(parts) + "</section>"


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph of plain text."""
    style = f' class="{kind}"' if kind else ""
    return f"<p{style}>{escape(text)}</p>"


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    marked: int = -1,
    links: Sequence[str] = (),
) -> str:
    """Return a sortable table of plain text; column `marked` stands out where it is not empty.

    `links` are relative addresses that the first cells of the rows lead to.
    """
    head = "".join(
        f'<th scope="col"{TEXT if column == marked else ""}><button>{escape(name)}</button></th>'
        for column, name in enumerate(columns)
    )
    body = []
    for number, row in enumerate(rows):
        cells = [
            f'<td class="act text">{escape(cell)}</td>'
            if column == marked and cell
            else f"<td>{escape(cell)}</td>"
            for column, cell in enumerate(row)
        ]
        if links:
            cells[0] = f'<td><a href="{quote(links[number])}">{escape(row[0])}</a></td>'
        body.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="scroll"><table class="sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def folded(summary: str, *parts: str) -> str:
    """Return parts that are shown when asked for, and on paper."""
    return f"<details><summary>{escape(summary)}</summary>{''.join(parts)}</details>"


def bars(
    rows: Sequence[tuple[str, float]], *, marked: str, interval: tuple[float, float] | None
) -> str:
    """Return horizontal bars as SVG; `interval` is drawn on the bar named `marked`."""
    most = max([value for _, value in rows] + ([interval[1]] if interval else [])) or 1.0
    width, step = 320.0, 44.0  # the name stands above its bar, to be read on a phone
    parts = [
        f'<svg viewBox="0 0 400 {step * len(rows):g}" role="img" aria-label="cost of each policy">'
    ]
    for position, (name, value) in enumerate(rows):
        y, long = position * step + 20.0, width * value / most
        colour = "#c8502a" if name == marked else "#9db4cc"
        parts.append(
            f'<text x="0" y="{y - 5:g}" font-size="14">{escape(name)}</text>'
            f'<rect x="0" y="{y:g}" width="{long:.1f}" height="18" fill="{colour}"/>'
        )
        end = long
        if name == marked and interval is not None:
            low, high = (width * side / most for side in interval)
            end = max(long, high)
            parts.append(
                f'<path d="M{low:.1f} {y + 9:g}H{high:.1f}M{low:.1f} {y + 3:g}v12'
                f'M{high:.1f} {y + 3:g}v12" stroke="#222" fill="none"/>'
            )
        parts.append(f'<text x="{end + 6:.1f}" y="{y + 14:g}" font-size="13">{value:,.4g}</text>')
    return "".join(parts) + "</svg>"
