"""oha, a generator that outruns what it measures, and the raw comparisons that `load-tests/oha` makes with it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from . import tools
from .processes import Failure
from .stack import get
from .table import quantity


@dataclass
class Load:
    """What one run of oha saw; times in milliseconds."""

    requests: int
    per_second: float
    p50: float
    p99: float
    # of a body as it was sent
    bytes: float


def load(url: str, seconds: float, connections: int, headers: dict[str, str], status: int, cores: str | None = None) -> Load:
    """Asks for one URL over keep-alive connections, uncompressed unless `headers` say otherwise. Any answer but `status` is a
    failure."""
    # by itself oha accepts what those who can compress send, and others do not
    headers = {"Accept-Encoding": "identity"} | headers
    pinned = ["taskset", "-c", cores] if cores else []
    own = ["-z", f"{seconds:g}s", "-c", str(connections), "-w", "--no-tui", "--output-format", "json"]
    sent = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = [*pinned, str(tools.oha()), *own, *sent, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    if done.returncode != 0:
        raise Failure(f"oha ended with exit code {done.returncode}: {done.stderr[-500:]}")
    return parse(done.stdout, str(status))


def parse(text: str, status: str) -> Load:
    told = json.loads(text)
    statuses = told["statusCodeDistribution"]
    # those that are under way when the time is over
    errors = {error: count for error, count in told["errorDistribution"].items() if error != "aborted due to deadline"}
    if set(statuses) != {status} or errors:
        raise Failure(f"not only {status}: {statuses}, errors: {errors}")
    summary, percentiles = told["summary"], told["latencyPercentiles"]
    return Load(
        requests=statuses[status],
        per_second=summary["requestsPerSec"],
        p50=1e3 * percentiles["p50"],
        p99=1e3 * percentiles["p99"],
        bytes=summary["sizePerRequest"] or 0,
    )


def compare(address: str, floor: str, cores: str | None = None) -> tuple[list[str], list[list[str]]]:
    """Warm `/persons` plain, compressed and as 304 against the floor: alternating rounds, medians."""
    rounds = int(os.environ.get("ROUNDS", "5"))
    seconds = float(os.environ.get("SECONDS", "3"))
    connections = int(os.environ.get("CONNECTIONS", "64"))
    url = f"{address}/persons"
    variants = [
        ("floor", floor, lambda: {}, 200),
        ("identity", url, lambda: {}, 200),
        ("gzip", url, lambda: {"Accept-Encoding": "gzip"}, 200),
        # of now, because URLs that are renewed change the list
        ("304", url, lambda: {"If-None-Match": get(url)[1]["etag"]}, 304),
    ]
    tools.oha()
    tools.say(f"oha, {rounds} rounds of {seconds:g} s for each of {len(variants)}, {connections} connections")
    loads: dict[str, list[Load]] = {name: [] for name, *_ in variants}
    for number in range(rounds):
        # each round begins with another one
        for at in range(len(variants)):
            name, target, headers, status = variants[(at + number) % len(variants)]
            loads[name].append(load(target, seconds, connections, headers(), status, cores))
    titles = ["variant", "of floor", "bytes", "requests/s", "p50 ms", "p99 ms"]
    rows = []
    for name, some in loads.items():
        ratio = median(one.per_second / base.per_second for one, base in zip(some, loads["floor"]))
        figures = [median(one.per_second for one in some), median(one.p50 for one in some), median(one.p99 for one in some)]
        rows.append([name, f"{ratio:.2f}", f"{some[0].bytes:,.0f}", *map(quantity, figures)])
    return titles, rows
