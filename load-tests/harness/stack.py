"""What the service needs around it: emulated AWS with sample pictures, a Redis, and instances of the service."""

import json
import signal
import urllib.request
from pathlib import Path

from . import tools
from .processes import Process, Processes, free_port

# those of the emulators: they open nothing else
KEYS = {
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIABEETROOTDEMO0001",
    "AWS_SECRET_ACCESS_KEY": "beetroot-demo-secret-that-protects-nothing",
    # nobody's profile decides
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}
THUMBS_BUCKET = "beetroot-thumbs"


def get(url: str, headers: dict[str, str] | None = None) -> tuple[bytes, dict[str, str]]:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=10) as response:
        return response.read(), {name.lower(): value for name, value in response.headers.items()}


class Aws:
    """DynamoDB and S3 emulated in one process, seeded with the sample."""

    def __init__(self, processes: Processes, programs: Path, cores: str | None = None):
        program = str(programs / "beetroot-api")
        command = [program, "emulators", "--dynamodb-port", "0", "--s3-port", "0"]
        self.process = processes.start("emulators", command, cores=cores)
        self.endpoints = self.process.until(self._told, "endpoints")
        self.variables = {**KEYS, **self.endpoints, "THUMBS_BUCKET": THUMBS_BUCKET}
        seed = processes.start("seed", [program, "seed"], self.variables)
        if seed.wait(300) != 0:
            raise tools.Failure(f"seed failed:\n{seed.tail()}")

    def _told(self) -> dict[str, str] | None:
        pairs = (line.strip().split("=", 1) for line in self.process.log.read_text().splitlines() if "=" in line)
        found = {name: value for name, value in pairs if name.startswith("AWS_ENDPOINT_URL_")}
        return found if len(found) == 2 else None

    @property
    def s3(self) -> str:
        return self.endpoints["AWS_ENDPOINT_URL_S3"]

    def dynamodb_calls(self) -> dict[str, int]:
        return json.loads(get(f"{self.endpoints['AWS_ENDPOINT_URL_DYNAMODB']}/_counts")[0])["calls"]

    def s3_counts(self) -> dict[str, int]:
        return json.loads(get(f"{self.s3}/_counts")[0])


class Redis:
    """A redis-server that can hang, be killed, and come back at the same port, empty."""

    def __init__(self, processes: Processes, cores: str | None = None):
        self.processes, self.cores, self.port = processes, cores, free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.process: Process
        self.start()

    def start(self) -> None:
        command = [tools.need("redis-server", "redis-server"), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lfu"]
        self.process = self.processes.start("redis", command, cores=self.cores)
        self.process.until(lambda: "Ready to accept" in self.process.log.read_text(), "readiness")

    def hang(self) -> None:
        self.process.send(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()


def start_service(
    processes: Processes, programs: Path, variables: dict[str, str], name: str = "service", cores: str | None = None
) -> tuple[Process, str]:
    """An instance, and its address. Its access log is off, as that of everything it is compared with."""
    port = free_port()
    own = {"RUST_LOG": "warn", "PORT": str(port)}
    process = processes.start(name, [str(programs / "beetroot-api"), "serve"], {**variables, **own}, cores)
    address = f"http://127.0.0.1:{port}"
    process.until_answers(f"{address}/healthz")
    return process, address
