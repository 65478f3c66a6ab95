"""Who is measured side by side: the same tables, the same pictures, each on the core that it is given."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import tools
from .processes import Process, Processes, free_port
from .stack import Aws, Redis, get, start_service


@dataclass
class Pages:
    """The two lists that are asked for."""

    persons: str
    photos: str


@dataclass
class Candidate:
    name: str
    address: str
    process: Process
    # whether it reads and signs, so that its answers can be compared with the service's
    is_peer: bool


class Bench:
    """What a candidate is started with."""

    def __init__(self, processes: Processes, programs: Path, aws: Aws, redis: Redis, cores: str):
        self.processes, self.programs, self.aws, self.redis, self.cores = processes, programs, aws, redis, cores
        self.pages: Pages

    def start(self, name: str, command: Callable[[int], list[str]], variables: dict[str, str], is_peer: bool) -> Candidate:
        port = free_port()
        log = "".join(letter if letter.isalnum() else "-" for letter in name)
        process = self.processes.start(log, command(port), {**variables, "PORT": str(port)}, self.cores)
        address = f"http://127.0.0.1:{port}"
        process.until_answers(f"{address}/persons")
        return Candidate(name, address, process, is_peer)


def start_all(bench: Bench) -> list[Candidate]:
    """The service is the first."""
    aws, programs = bench.aws, bench.programs
    with_redis = aws.variables | {"REDIS_URL": bench.redis.url}
    process, address = start_service(
        bench.processes, programs, with_redis | {"BEETROOT__SERVER__WORKERS": "1"}, cores=bench.cores
    )
    service = Candidate("this service", address, process, is_peer=True)

    work = tools.WORK / "side-by-side"
    work.mkdir(parents=True, exist_ok=True)
    bench.pages = pages(address)
    for path, file in [(bench.pages.persons, "persons.json"), (bench.pages.photos, "photos.json")]:
        (work / file).write_bytes(get(address + path)[0])

    def floor(port: int) -> list[str]:
        files = [f"{bench.pages.persons}={work / 'persons.json'}", f"{bench.pages.photos}={work / 'photos.json'}"]
        return [str(programs / "examples" / "floor"), str(port), *files]

    def nginx(port: int) -> list[str]:
        text = (tools.LOAD_TESTS / "peers" / "nginx.conf").read_text()
        (work / "nginx.conf").write_text(text.replace("@WORK@", str(work)).replace("@PORT@", str(port)))
        return [tools.need("nginx", "nginx-light"), "-c", str(work / "nginx.conf"), "-e", "stderr"]

    def naive(port: int) -> list[str]:
        return [str(programs / "examples" / "naive"), str(port), aws.variables["THUMBS_BUCKET"]]

    node, uvicorn = tools.node_peer(), tools.python_peer()

    def node_command(_: int) -> list[str]:
        return [tools.need("node", "nodejs"), str(node)]

    def python(port: int) -> list[str]:
        own = ["--app-dir", str(tools.LOAD_TESTS / "peers"), "--port", str(port), "--no-access-log"]
        return [str(uvicorn), "python:app", *own]

    production = {"NODE_ENV": "production"}
    return [
        service,
        bench.start("floor: actix, the same bytes from memory", floor, {}, is_peer=False),
        bench.start("nginx, the same bytes as a file", nginx, {}, is_peer=False),
        bench.start("Rust, naively: aws-sdk", naive, aws.variables, is_peer=True),
        bench.start("Node with URLs in Redis", node_command, with_redis | production, is_peer=True),
        bench.start("Node: Fastify, AWS SDK", node_command, aws.variables | production, is_peer=True),
        bench.start("Python: FastAPI, boto3", python, aws.variables | {"PYTHONDONTWRITEBYTECODE": "1"}, is_peer=True),
    ]


def pages(address: str) -> Pages:
    """The grid, and the photos of whoever is on most of them."""
    first = json.loads(get(f"{address}/persons")[0])["persons"][0]
    return Pages("/persons", f"/persons/{first['personId']}/photos")
