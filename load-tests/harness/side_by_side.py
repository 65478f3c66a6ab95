"""This service beside the floor, nginx and peers: pinned, in alternating rounds, medians."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from . import charts, tools
from .candidates import Bench, Candidate, start_all
from .oha import load
from .processes import Failure, Processes
from .report import html_table
from .stack import Aws, Redis, get
from .table import part, quantity, table

EXAMPLES = ("floor", "naive")
# the measured process has a core to itself; the generator, Redis and emulated AWS share the other
SERVER_CORE, OTHER_CORE = "0", "1"
WARM_UP_SECONDS = 1.0
PLOT = tools.LOAD_TESTS / "side-by-side.svg"
TABLES = tools.WORK / "side-by-side.md"


@dataclass
class Measured:
    """One candidate in one round."""

    per_second: float
    p50: float
    p99: float
    cpu_ms: float
    dynamodb_calls: float
    bytes: float


def run(programs: Path) -> str:
    """Prints the tables, writes the plot, and gives the report's section."""
    if (os.cpu_count() or 1) < 2:
        raise Failure("side-by-side pins the servers to one core and the load to another: it needs two")
    rounds, seconds = int(os.environ.get("ROUNDS", "5")), float(os.environ.get("SECONDS", "3"))
    connections = int(os.environ.get("CONNECTIONS", "32"))
    tools.oha()
    with Processes(tools.WORK / "logs" / "side-by-side") as processes:
        aws = Aws(processes, programs, OTHER_CORE)
        bench = Bench(processes, programs, aws, Redis(processes, OTHER_CORE), SERVER_CORE)
        candidates = start_all(bench)
        pages = [bench.pages.persons, bench.pages.photos]
        for candidate in candidates:
            compare_answers(candidate, candidates[0], pages)
        tools.say(f"side-by-side: {rounds} rounds of {seconds:g} s for each of {len(candidates)}, two pages, {connections} connections")
        measured = {page: {one.name: [] for one in candidates} for page in pages}
        for page in pages:
            for candidate in candidates:
                load(candidate.address + page, WARM_UP_SECONDS, connections, {}, 200, OTHER_CORE)
            for number in range(rounds):
                # each round begins with another one
                for at in range(len(candidates)):
                    candidate = candidates[(at + number) % len(candidates)]
                    measured[page][candidate.name].append(measure(candidate, page, aws, seconds, connections))
        resident = {one.name: one.process.resident_bytes() for one in candidates}
    return show(measured, resident, candidates[0].name)


def measure(candidate: Candidate, page: str, aws: Aws, seconds: float, connections: int) -> Measured:
    cpu, calls = candidate.process.cpu_seconds(), sum(aws.dynamodb_calls().values())
    seen = load(candidate.address + page, seconds, connections, {}, 200, OTHER_CORE)
    cpu, calls = candidate.process.cpu_seconds() - cpu, sum(aws.dynamodb_calls().values()) - calls
    return Measured(seen.per_second, seen.p50, seen.p99, 1e3 * cpu / seen.requests, calls / seen.requests, seen.bytes)


def compare_answers(candidate: Candidate, service: Candidate, pages: list[str]) -> None:
    """Nobody is measured who answers something else, or whose URLs do not open the pictures."""
    for page in pages:
        (found, urls), (wanted, _) = (told(one.address + page) for one in (candidate, service))
        if found != wanted:
            raise Failure(f"{candidate.name} answers {page} differently")
        if candidate.is_peer and not get(urls[0])[1].get("content-type", "").startswith("image/"):
            raise Failure(f"{candidate.name}: its first URL of {page} is no picture")


def told(url: str) -> tuple[list, list[str]]:
    """The rows without URLs and without an order among those that are equal, and the URLs."""
    answer = json.loads(get(url)[0])
    rows = answer.get("persons") or answer["photos"]
    urls = [row[name] for row in rows for name in ("repThumbURL", "photoURL") if row.get(name)]
    plain = [{name: value for name, value in row.items() if not name.endswith("URL")} for row in rows]
    return sorted(plain, key=lambda row: row.get("personId") or row["photoId"]), urls


def show(measured: dict, resident: dict[str, int], service: str) -> str:
    titles = [
        "", "CPU per request", "requests/s", "DynamoDB calls per request",
        "CPU ms", "requests/s", "p50 ms", "p99 ms", "core busy", "KB sent", "MiB resident",
    ]
    parts, plots, text = [], [], []
    for page, of_page in measured.items():
        name = "GET /persons" if page == "/persons" else "GET /persons/{personId}/photos"
        rows = [row(candidate, loads, of_page[service], resident[candidate]) for candidate, loads in of_page.items()]
        text.append(f"`{name}`\n\n{table(titles, rows)}")
        print(f"\n{name}\n{table(titles, rows)}")
        capacity = [(candidate, 1e3 / of(loads, "cpu_ms")) for candidate, loads in of_page.items()]
        best = dict(capacity)[service]
        marks = [
            (candidate.split(":")[0], value, f"{value:,.0f} · {part(value / best)}", 0 if candidate == service else 1)
            for candidate, value in capacity
        ]
        plots.append(charts.dots(marks, f"{name}: requests per second of processor time"))
        parts.append(f"<h3>{name}</h3>{html_table(titles, rows)}{plots[-1]}")
    TABLES.write_text("\n\n".join(text) + "\n")
    PLOT.write_text(charts.standalone(charts.stacked(plots)))
    explained = (
        "The server has one core, the load another; alternating rounds, medians. The first three columns are relative to this "
        "service, or to a request; the others are of this machine. Where a core is not busy, oha is at its limit, or others "
        "use the machine: there, only the processor time says who is faster."
    )
    return f"<section><h2>side by side</h2><p>{explained}</p>{''.join(parts)}</section>"


def of(loads: list[Measured], field: str) -> float:
    return median(getattr(one, field) for one in loads)


def row(name: str, loads: list[Measured], base: list[Measured], resident: int) -> list[str]:
    pairs = list(zip(loads, base))
    return [
        name,
        f"× {quantity(median(one.cpu_ms / other.cpu_ms for one, other in pairs))}",
        part(median(one.per_second / other.per_second for one, other in pairs)),
        quantity(of(loads, "dynamodb_calls")),
        f"{of(loads, 'cpu_ms'):.4f}",
        quantity(of(loads, "per_second")),
        quantity(of(loads, "p50")),
        quantity(of(loads, "p99")),
        f"{median(one.cpu_ms * one.per_second for one in loads) / 10:.0f} %",
        f"{of(loads, 'bytes') / 1e3:.1f}",
        f"{resident / (1 << 20):.0f}",
    ]
