"""wrk, the load generator: one run, read as numbers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 64
_DONE = """
done = function(summary, latency)
  io.write(string.format("WRK %d %d %d %d %d\\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""
_READS = """
local n, token = 0, %s
request = function()
  n = (n + %d) %% %d
  return wrk.format("GET", %s .. n, {["X-Vault-Token"] = token})
end
"""
_BODIES = """
local n, token, body = 0, %s, %s
request = function()
  n = (n + 1) %% %d
  return wrk.format(%s, %s .. %s, {["X-Vault-Token"] = token, ["Content-Type"] = "application/json"}, body)
end
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run measured. Latencies in milliseconds."""

    rate: float
    errors: int
    p50: float
    p99: float


def read(
    address: str, prefix: str, token: str, *, names: int, seconds: int, connections: int = CONNECTIONS, stride: int = 1
) -> Run:
    """Read ``names`` secrets at ``prefix``0, ``prefix``1, … in turn, by strides, as fast as the server answers."""
    script = _READS % (json.dumps(token), stride, names, json.dumps(prefix))
    return _run(address, script, seconds, connections)


def write(address: str, prefix: str, token: str, body: str, *, names: int, seconds: int) -> Run:
    """Write the same body to ``names`` paths in turn."""
    script = _BODIES % (json.dumps(token), json.dumps(body), names, '"PUT"', json.dumps(prefix), "n")
    return _run(address, script, seconds, CONNECTIONS)


def post(address: str, target: str, token: str, body: str, *, seconds: int, connections: int) -> Run:
    """Send the same body to one target again and again."""
    script = _BODIES % (json.dumps(token), json.dumps(body), 1, '"POST"', json.dumps(target), '""')
    return _run(address, script, seconds, connections)


def _run(address: str, script: str, seconds: int, connections: int) -> Run:
    wrk = shutil.which("wrk")
    if wrk is None:
        sys.exit("the benchmarks need wrk: apt-get install wrk")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:  # not on the command line: it holds the token
        Path(file.name).write_text(script + _DONE)
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", file.name, address]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"WRK (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    if found is None:
        sys.exit(f"wrk said something else:\n{output}")
    requests, microseconds, errors, p50, p99 = map(int, found.groups())
    return Run(requests / (microseconds / 1e6), errors, p50 / 1e3, p99 / 1e3)
