"""What the service and the emulators tell about themselves, once a second while a scenario runs."""

import threading
import time
from dataclasses import dataclass

from .openmetrics import Metrics
from .processes import Failure, Process
from .stack import Aws, get

LISTS = ("/persons", "/persons/{personId}/photos")


@dataclass
class Sample:
    """Counters since the start of the service; of the emulators, since theirs."""

    at: float
    lists: float
    errors: float
    # answers that needed no read of their own
    from_memory: float
    url_hits: float
    urls_signed: float
    breaker_open: float
    redis_skipped: float
    dynamodb: dict[str, int]
    s3: dict[str, int]
    resident: int

    @property
    def dynamodb_total(self) -> int:
        return sum(self.dynamodb.values())


def take(at: float, services: list[tuple[Process, str]], aws: Aws) -> Sample:
    told = [Metrics(get(f"{address}/metrics")[0].decode()) for _, address in services]

    def total(name: str, **labels: str) -> float:
        return sum(metrics.total(f"beetroot_{name}", **labels) for metrics in told)

    requests = [(labels, value) for metrics in told for name, labels, value in metrics.values
                if name == "beetroot_http_requests_total"]
    return Sample(
        at=at,
        lists=sum(value for labels, value in requests if labels["route"] in LISTS),
        errors=sum(value for labels, value in requests if int(labels["status"]) >= 500),
        from_memory=sum(total("answers_total", state=state) for state in ("fresh", "stale", "kept")),
        url_hits=total("url_lookups_total", outcome="hit"),
        urls_signed=total("urls_signed_total"),
        breaker_open=total("redis_breaker_open"),
        redis_skipped=total("redis_skipped_total"),
        dynamodb=aws.dynamodb_calls(),
        s3=aws.s3_counts(),
        resident=sum(process.resident_bytes() for process, _ in services),
    )


class Sampler:
    """Takes samples from entering to leaving the `with`, one at each end included."""

    def __init__(self, services: list[tuple[Process, str]], aws: Aws):
        self.services, self.aws = services, aws
        self.samples: list[Sample] = []
        self.marks: list[tuple[float, str]] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def now(self) -> float:
        return time.monotonic() - self.began

    def mark(self, what: str) -> None:
        """Notes that something happened, for the plots."""
        self.marks.append((self.now(), what))

    def __enter__(self) -> "Sampler":
        self.began = time.monotonic()
        self.samples.append(take(0, self.services, self.aws))
        self.thread.start()
        return self

    def _run(self) -> None:
        while not self.stop.wait(1):
            try:
                self.samples.append(take(self.now(), self.services, self.aws))
            except OSError:
                # a busy service may miss one; the last one, below, may not fail
                continue

    def __exit__(self, kind, *_) -> None:
        self.stop.set()
        self.thread.join()
        if kind is not None:
            # what broke it off is what to tell
            return
        try:
            self.samples.append(take(self.now(), self.services, self.aws))
        except OSError as error:
            logs = "\n".join(service.tail() for service, _ in self.services)
            raise Failure(f"the service does not answer at the end: {error}\n{logs}") from None
