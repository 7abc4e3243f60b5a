"""The house holds its rules: where things are, and how large they may grow."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from wardgate.pipeline import LAYERS

ROOT = Path(__file__).parents[2]
MAX_LINES = 400
MAX_BACKEND_LINES = 300
MAX_FUNCTION_LINES = 60
VENDOR_WORDS = {
    project.parent.name: [re.compile(word, re.IGNORECASE) for word in words]
    for project in sorted(ROOT.glob("plugins/*/pyproject.toml"))
    if (words := tomllib.loads(project.read_text())["tool"].get("wardgate", {}).get("vendor-words"))
}
"""Of each vendor the words that stand in its room alone, as its own project declares them."""
SPOKEN = {
    "cli/founding.py": "what `dev` mounts is shown to the clients that most people have",
    "cli/mounts.py": "the example in the help of `--present`",
    "cli/run.py": "what `dev` tells whoever has such a client",
    "cli/setup.py": "what `init` tells him to do next",
    "spi/capabilities.py": "the example of how a store is called, in a docstring",
    "spi/http.py": "the header of a token that clients of every API here may use",
    "spi/operations/mounts.py": "the example of a presentation in a docstring",
}
"""The modules of the gateway that say a vendor's word all the same, each with its reason."""


ROOMS = {
    "plugin.py": r"\bBackendType\(",
    "declaration.py": r"\bDeclaration\(",
    "options.py": r"\boption\(",
    "names.py": r"^from wardgate\.spi\.names import",
    "probing.py": r"^from wardgate\.spi import probing|\bPermission\(",
}
"""The rooms of a plugin, each with what stands in none but it."""


NOT_OURS = re.compile(
    r"(^|/)(\.git|\.venv|\.tools|\.hypothesis|__pycache__|node_modules|dist|\.\w+_cache|.*\.egg-info)(/|$)"
)


def files(pattern: str = "*") -> list[Path]:
    """The project's own files; a fresh machine may have no git to ask."""
    found = (path for path in ROOT.rglob(pattern) if path.is_file())
    return sorted(path for path in found if not NOT_OURS.search(path.relative_to(ROOT).as_posix()))


SOURCES = files("*.py")


def test_layers_are_the_folders_of_the_pipeline_in_request_order() -> None:
    """``ls gateway/wardgate/pipeline`` lists the road."""
    folders = sorted(path.parent.name for path in ROOT.glob("gateway/wardgate/pipeline/*/__init__.py"))
    assert list(LAYERS) == folders


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_stays_readable(source: Path) -> None:
    """No module over 400 lines, no function over a screen, and every module says what room it is."""
    text = source.read_text()
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES]
    assert len(text.splitlines()) <= MAX_LINES
    assert long == []
    assert not text.strip() or ast.get_docstring(tree), "say in a sentence what room this is"


def test_a_backend_module_is_shorter_still() -> None:
    """What speaks to a store is read whole by whoever asks what it does; a wire API may be wider."""
    modules = [path for path in SOURCES if path.match("plugins/*/wardgate_*/**/*.py") and "api" not in path.parts]
    assert len(modules) > len(list(ROOT.glob("plugins/*")))
    assert [path.name for path in modules if len(path.read_text().splitlines()) > MAX_BACKEND_LINES] == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_plugin_has_its_things_in_the_same_rooms(room: str) -> None:
    """Whoever knows one plugin finds them in any other, and in the one that ``wardgate plugin new`` makes."""
    thing = re.compile(ROOMS[room], re.MULTILINE)
    plugins = [*ROOT.glob("plugins/*/wardgate_*/*.py"), *ROOT.glob("gateway/wardgate/cli/templates/*/*.py.txt")]
    holding = [path for path in plugins if thing.search(path.read_text())]
    assert holding
    assert [str(path.relative_to(ROOT)) for path in holding if path.name.removesuffix(".txt") != room] == []


def test_each_top_level_folder_has_its_purpose_in_contributing() -> None:
    """A newcomer finds out from one page what every folder is for."""
    page = (ROOT / "CONTRIBUTING.md").read_text()
    folders = {path.relative_to(ROOT).parts[0] for path in files() if len(path.relative_to(ROOT).parts) > 1}
    assert {folder for folder in folders if f"`{folder}/`" not in page} == set()


def speakers(words: Sequence[re.Pattern[str]]) -> set[str]:
    """The gateway's modules in which one of the words stands."""
    core = ROOT / "gateway/wardgate"
    texts = {path.relative_to(core).as_posix(): path.read_text() for path in SOURCES if path.is_relative_to(core)}
    return {name for name, text in texts.items() if any(word.search(text) for word in words)}


@pytest.mark.parametrize("vendor", VENDOR_WORDS)
def test_a_vendor_s_words_stay_in_its_room(vendor: str) -> None:
    """The core of the gateway speaks no vendor's language, but where it has its reason."""
    assert set() == speakers(VENDOR_WORDS[vendor]) - set(SPOKEN)


def test_a_module_that_may_say_a_vendor_s_word_says_one() -> None:
    """None is excused for what it no longer does."""
    assert set() == set(SPOKEN) - speakers([word for words in VENDOR_WORDS.values() for word in words])


def test_no_file_names_the_machine_it_was_written_on() -> None:
    """Public files speak of the product alone."""
    private = re.compile("|".join(["/wo" + "rk/", "/ro" + "ot/", r"farm-(bench|studio)"]))
    texts = [path for path in files() if path.suffix in {".py", ".md", ".toml", ".sh", ".yml", ".json", ""}]
    assert [str(path.relative_to(ROOT)) for path in texts if private.search(path.read_text())] == []
