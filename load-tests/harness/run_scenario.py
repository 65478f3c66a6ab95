"""One scenario from its start to its verdicts, on instances and a Redis of its own."""

import time
from dataclasses import dataclass
from pathlib import Path

from . import k6
from .processes import Failure, Processes
from .sampler import Sample, Sampler
from .scenarios import Scenario, Verdict
from .stack import Aws, Redis, start_service

# beyond its own time: the start, and the requests that are under way at its end
GRACE_SECONDS = 60


@dataclass
class Result:
    scenario: Scenario
    summary: k6.Summary
    samples: list[Sample]
    marks: list[tuple[float, str]]
    verdicts: list[Verdict]

    @property
    def holds(self) -> bool:
        return all(verdict.holds for verdict in self.verdicts)

    def during(self, counter: str) -> float:
        """How much a counter grew."""
        return getattr(self.samples[-1], counter) - getattr(self.samples[0], counter)

    def s3_during(self, counter: str) -> int:
        return self.samples[-1].s3[counter] - self.samples[0].s3[counter]


def run_scenario(scenario: Scenario, programs: Path, aws: Aws, processes: Processes) -> Result:
    # processes of its own, so that they end before the next scenario begins
    with Processes(processes.logs / scenario.name) as own:
        redis = Redis(own)
        variables = aws.variables | {"REDIS_URL": redis.url} | scenario.service
        services = [
            start_service(own, programs, variables, f"service-{number}") for number in range(scenario.instances)
        ]
        script = scenario.variables() | {"API": ",".join(address for _, address in services), "S3": aws.s3}
        with Sampler(services, aws) as sampler:
            process, summary = k6.start(own, scenario.name, script)
            deadline = scenario.length() + GRACE_SECONDS
            for part, what, act in scenario.events:
                # on the way there k6 may end, when it fails at its start
                while sampler.now() < part * scenario.length() and process.is_running():
                    time.sleep(0.02)
                act(redis)
                sampler.mark(what)
            process.wait(max(1, deadline - sampler.now()))
        for service, _ in services:
            if not service.is_running():
                raise Failure(f"{service.name} ended in the middle of {scenario.name}:\n{service.tail()}")
    return judge(scenario, k6.read(process, summary), sampler)


def judge(scenario: Scenario, summary: k6.Summary, sampler: Sampler) -> Result:
    verdicts = [Verdict(threshold["text"], threshold["ok"]) for threshold in summary.thresholds]
    verdicts += [Verdict(f"check: {one['name']} ({one['fails']} times not)", False) for one in summary.failed_checks]
    result = Result(scenario, summary, sampler.samples, sampler.marks, verdicts)
    refused = result.s3_during("refused")
    verdicts.append(Verdict(f"{result.during('errors'):.0f} answers of 500 and above", result.during("errors") == 0))
    verdicts.append(Verdict(f"{refused} pictures refused by S3", refused == 0))
    verdicts.extend(scenario.verdicts(sampler))
    return result
