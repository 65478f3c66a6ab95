"""The scenarios of k6: what each needs, what happens in its middle, and what must be true at its end."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from .sampler import Sampler
from .stack import Redis

MIB = 1 << 20


@dataclass
class Verdict:
    """Something that must hold, in words with the figure, and whether it did."""

    text: str
    holds: bool


@dataclass
class Scenario:
    name: str
    question: str
    seconds: int
    # for the service, as its own variables
    service: dict[str, str] = field(default_factory=dict)
    # for the script, as lib.js reads them
    script: dict[str, str] = field(default_factory=dict)
    # what `floor_time` of the script is measured on, in the report's words
    floor: str = "/healthz"
    instances: int = 1
    # moments as parts of `seconds`, what it is called in the plots, and what is done with Redis
    events: list[tuple[float, str, Callable[[Redis], None]]] = field(default_factory=list)
    verdicts: Callable[[Sampler], list[Verdict]] = lambda _: []

    def variables(self) -> dict[str, str]:
        """For the script: its own, and those that whoever runs this has set."""
        asked = {name: os.environ[name] for name in ("VUS", "RATE", "SECONDS", "FLOOR_LIMIT") if name in os.environ}
        return {"SECONDS": str(self.seconds), **self.script, **asked}

    def length(self) -> float:
        return float(self.variables()["SECONDS"])


def one_read_a_page(sampler: Sampler) -> list[Verdict]:
    before, after = sampler.samples[0].dynamodb, sampler.samples[-1].dynamodb
    verdicts = []
    # of a person's photos, all that lack a place fit into one BatchGetItem
    for operation in ("Scan", "Query", "BatchGetItem"):
        calls = after.get(operation, 0) - before.get(operation, 0)
        verdicts.append(Verdict(f"{operation}: {calls} for everybody", calls == 1))
    return verdicts


def memory_stays(sampler: Sampler) -> list[Verdict]:
    samples = sampler.samples
    # a quarter of the time for caches and allocators to fill
    early, late = samples[len(samples) // 4].resident, samples[-1].resident
    growth = (late - early) / MIB
    return [Verdict(f"memory: {late / MIB:.0f} MiB at the end, {growth:+.1f} since a quarter of the time", growth < 8)]


def outage_was_seen(sampler: Sampler) -> list[Verdict]:
    opened = max(sample.breaker_open for sample in sampler.samples)
    last = sampler.samples[-1].breaker_open
    return [
        Verdict("the breaker opened while Redis was away", opened > 0),
        Verdict("and is closed at the end", last == 0),
    ]


SHORT_LIVES = {
    "PRESIGN_EXPIRES": "20",
    "PRESIGN_MARGIN": "5",
    "BEETROOT__LISTS__FRESH": "1s",
    "BEETROOT__CACHE__CONFIRM": "1s",
}
SHORT_LIVES_OF_SCRIPT = {"EXPIRES": "20", "MARGIN": "5"}

# FLOOR_LIMIT: the floor reads nothing. Where a hundredth of the lists or more is made anew, with reads of DynamoDB and Redis, the
# p99 is theirs; where all come from memory, it is near the floor's.
SCENARIOS = [
    Scenario(
        "grid",
        "A visitor: grid, two persons, pictures, reload. Does all of it work, and what do the caches save?",
        seconds=20,
        script={"FLOOR_LIMIT": "20"},
    ),
    Scenario(
        "spike",
        "Twenty times the visitors from one second to the next. Does anything fail, does latency stay near the floor?",
        seconds=24,
        script={"FLOOR_LIMIT": "5", "RATE": "30"},
    ),
    Scenario(
        "soak",
        "Visitors over many different pages for minutes. Does anything grow?",
        seconds=120,
        script={"FLOOR_LIMIT": "20"},
        # answers go stale all the time, and caches are full within the first quarter: what grows after that is no cache
        service={"BEETROOT__LISTS__FRESH": "1s", "BEETROOT__CACHE__MEMORY": "8MiB"},
        verdicts=memory_stays,
    ),
    Scenario(
        "herd",
        "300 visitors in the same moment, all caches cold. Does DynamoDB see one of them?",
        seconds=16,
        script={"FLOOR_LIMIT": "20"},
        floor="warm",
        # however slow the machine: what is counted is the first read of a page, not its refreshes
        service={"BEETROOT__LISTS__FRESH": "1m"},
        verdicts=one_read_a_page,
    ),
    Scenario(
        "renewal",
        "URLs of 20 seconds. Is one ever invalid, does one change before its time, do all change at once?",
        seconds=60,
        service=SHORT_LIVES,
        script=SHORT_LIVES_OF_SCRIPT | {"FLOOR_LIMIT": "20"},
        instances=2,
    ),
    Scenario(
        "redis-outage",
        "Redis hangs, comes back, is killed, comes back empty. Does a visitor notice?",
        seconds=40,
        service=SHORT_LIVES,
        # what waits for a Redis that hangs waits for its deadline, 100 ms: the floor has nothing like it
        script=SHORT_LIVES_OF_SCRIPT | {"RATE": "20"},
        instances=2,
        events=[
            (0.2, "Redis hangs", Redis.hang),
            (0.45, "goes on", Redis.go_on),
            (0.6, "is killed", Redis.kill),
            (0.8, "is back, empty", Redis.start),
        ],
        verdicts=outage_was_seen,
    ),
]
