"""target/load-tests/report.html: everything that was measured, as one file that asks nobody for anything."""

import platform
import os
from datetime import datetime, timezone
from html import escape

from . import charts
from .run_scenario import Result
from .table import quantity

STYLE = charts.STYLE + """
body { margin: 0 auto; padding: 32px 24px 64px; max-width: 1000px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 44px 0 2px; } p { margin: 4px 0 14px; color: var(--soft); }
table { border-collapse: collapse; margin: 14px 0; font-variant-numeric: tabular-nums; }
th { text-align: right; font-weight: 600; color: var(--soft); } td { text-align: right; }
th:first-child, td:first-child { text-align: left; } th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--grid); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 16px; }
.plots > div { background: var(--card); border-radius: 8px; padding: 12px 14px; } .plots h3 { font-size: 14px; margin: 0 0 8px; }
svg { max-width: 100%; height: auto; } ul { list-style: none; padding: 0; margin: 12px 0 16px; columns: 2; column-gap: 28px; }
li { break-inside: avoid; } li::before { content: "✓ "; color: var(--good); } li.failed { font-weight: 600; }
li.failed::before { content: "✗ "; color: var(--bad); } .good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
"""


def page(sections: list[str]) -> str:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    where = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>beetroot-api: load tests</title><style>{STYLE}</style></head><body>
<h1>beetroot-api: load tests</h1>
<p>{now}, {where}. Compare figures of this page with each other, not with another machine's.</p>
{"".join(sections)}
</body></html>
"""


def html_table(titles: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def scenario_section(result: Result) -> str:
    items = "".join(
        f'<li{"" if verdict.holds else " class=failed"}>{escape(verdict.text)}</li>' for verdict in result.verdicts
    )
    plots = [
        ("Latency", latency(result)),
        ("Throughput", throughput(result)),
        ("Answered from memory", hit_ratio(result)),
        ("Saved", saved(result)),
    ]
    if changes := result.summary.figures.get("changed_per_reload"):
        plots.append(("URLs that changed in one reload", changes_plot(changes)))
    boxes = "".join(f"<div><h3>{title}</h3>{plot}</div>" for title, plot in plots if plot)
    end = '<span class="good">passed</span>' if result.holds else '<span class="bad">failed</span>'
    return f"""<section><h2>{escape(result.scenario.name)} · {end}</h2><p>{escape(result.scenario.question)}</p>
<ul>{items}</ul><div class="plots">{boxes}</div></section>"""


def latency(result: Result) -> str:
    named = [("lists", "list_time"), (f"floor: {result.scenario.floor}", "floor_time"), ("pictures (S3)", "picture_time")]
    # the farther to the right, the rarer: 90, 99 and 99.9 % are equally far apart
    place = {1: 0, 5: 0.3, 10: 0.6, 25: 1, 50: 1.5, 75: 2.2, 90: 3, 95: 3.5, 99: 4.5, 99.9: 6}
    series = [
        (name, [(place[percent], max(value, 0.01)) for percent, value in result.summary.distribution(metric)])
        for name, metric in named
    ]
    labels = [(place[percent], f"{percent:g}") for percent in (1, 25, 50, 75, 90, 99, 99.9)]
    return charts.lines([one for one in series if one[1]], "% of requests", "ms", logarithmic=True, x_labels=labels)


def over_time(result: Result, value) -> list[tuple[float, float]]:
    """`value` of each sample and the one before it, where there is something to tell."""
    pairs = zip(result.samples, result.samples[1:])
    found = [(after.at, value(before, after)) for before, after in pairs if after.at - before.at > 0.3]
    return [(at, number) for at, number in found if number is not None]


def throughput(result: Result) -> str:
    rate = lambda count: lambda one, two: (count(two) - count(one)) / (two.at - one.at)  # noqa: E731
    series = [
        ("lists", over_time(result, rate(lambda sample: sample.lists))),
        ("pictures (S3)", over_time(result, rate(lambda sample: sample.s3["gets"]))),
        ("DynamoDB", over_time(result, rate(lambda sample: sample.dynamodb_total))),
    ]
    told = [one for one in series if any(value for _, value in one[1])]
    return charts.lines(told, "seconds", "per second", marks=result.marks)


def hit_ratio(result: Result) -> str:
    def share(one, two):
        lists = two.lists - one.lists
        return min(100, 100 * (two.from_memory - one.from_memory) / lists) if lists > 0 else None

    def urls(one, two):
        hits, signed = two.url_hits - one.url_hits, two.urls_signed - one.urls_signed
        return 100 * hits / (hits + signed) if hits + signed > 0 else None

    series = [("lists", over_time(result, share)), ("URLs of lists made anew", over_time(result, urls))]
    return charts.lines([one for one in series if one[1]], "seconds", "%", top=100, marks=result.marks)


def saved(result: Result) -> str:
    figure = result.summary.figure
    shown = figure("pictures_fetched", "count") + figure("pictures_saved", "count")
    pairs = [
        ("lists answered", result.during("lists"), "DynamoDB calls", result.during("dynamodb_total")),
        ("pictures shown", shown, "S3 requests", result.s3_during("gets")),
    ]
    rows = []
    for seen, many, asked, few in pairs:
        if many > 0:
            rows.append((seen, many, f"{many:,.0f}", 0))
            rows.append((asked, few, f"{few:,.0f} · {100 * (1 - few / many):.0f} % saved", 1))
    return charts.bars(rows, "what visitors saw, and what AWS was asked for")


def changes_plot(changes: dict[str, float]) -> str:
    points = [(float(name[2:-1]), value) for name, value in changes.items() if name.startswith("p(")]
    return charts.lines([("of 23 on the grid", [*sorted(points), (100, changes["max"])])], "% of reloads", "URLs", top=23)


def scenario_rows(results: list[Result]) -> tuple[list[str], list[list[str]]]:
    """The table: for the terminal and for the page."""
    titles = ["scenario", "lists", "p50 ms", "p99 ms", "floor p99", "p99 of floor", "from memory", "DynamoDB calls", "S3 GETs", "verdict"]
    rows = []
    for result in results:
        p99, floor = result.summary.figure("list_time", "p(99)"), result.summary.figure("floor_time", "p(99)")
        lists = result.during("lists")
        rows.append([
            result.scenario.name,
            f"{lists:,.0f}",
            quantity(result.summary.figure("list_time", "p(50)")),
            quantity(p99),
            quantity(floor),
            f"{p99 / floor:.1f}" if floor else "",
            f"{100 * result.during('from_memory') / lists:.1f} %" if lists else "",
            f"{result.during('dynamodb_total'):,.0f}",
            f"{result.s3_during('gets'):,.0f}",
            "passed" if result.holds else "FAILED",
        ])
    return titles, rows
