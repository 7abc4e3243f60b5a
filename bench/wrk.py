"""wrk, the load generator: one run, read as numbers."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """
local n = 0
request = function()
  n = (n + 1) %% {names}
  return wrk.format("GET", "{prefix}" .. n, {{["X-Vault-Token"] = "{token}"}})
end
done = function(summary, latency)
  io.write(string.format("WRK %d %d %d %d %d\\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run measured. Latencies in milliseconds."""

    rate: float
    errors: int
    p50: float
    p99: float


def read(address: str, prefix: str, token: str, *, names: int, connections: int, seconds: int) -> Run:
    """Read ``names`` secrets at ``prefix``0, ``prefix``1, … in turn, as fast as the server answers."""
    wrk = shutil.which("wrk")
    if wrk is None:
        sys.exit("the benchmarks need wrk: apt-get install wrk")
    script = SCRIPT.replace("%%", "%").replace("{{", "{").replace("}}", "}")
    script = script.replace("{names}", str(names)).replace("{prefix}", prefix).replace("{token}", token)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:  # not on the command line: it holds the token
        Path(file.name).write_text(script)
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", file.name, address]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"WRK (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    if found is None:
        sys.exit(f"wrk said something else:\n{output}")
    requests, microseconds, errors, p50, p99 = map(int, found.groups())
    return Run(requests / (microseconds / 1e6), errors, p50 / 1e3, p99 / 1e3)
