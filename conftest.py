"""For every test of the workspace: the fixtures that start real servers, and pytest's own for testing plugins."""

import sys
from pathlib import Path

# `pytest` alone, unlike `python -m pytest`, does not look in the folder it runs in.
sys.path.insert(0, str(Path(__file__).parent))

pytest_plugins = ("tests.servers.fixtures", "pytester")
