"""schemathesis holds the REST API to its own OpenAPI document, over a real server."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.generation.meta import CoverageScenario
from wardgate_native.api import openapi
from wardgate_native.api.routing import Route
from wardgate_native.api.table import TABLE
from wardgate_native.api.wire import NAME_FORMAT, PATH_FORMAT, TAG, TAG_FORMAT

from tests.servers.gateway import Running, running

SEEDED = "secret/seeded"
NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,12}", fullmatch=True)
PATHS = st.one_of(
    st.sampled_from([SEEDED, "secret/a", "secret", "team/kv"]),
    NAMES,
    st.lists(NAMES, min_size=2, max_size=4).map("/".join),
)
schemathesis.openapi.format(PATH_FORMAT, PATHS)
schemathesis.openapi.format(NAME_FORMAT, NAMES)
schemathesis.openapi.format(TAG_FORMAT, st.from_regex(TAG, fullmatch=True, alphabet=st.characters(codec="ascii")))

# What no schema can say: the version is gone, a condition does not hold, a store or a rule will not have it.
REFUSED = ["2xx", "304", "401", "403", "404", "409", "410", "412", "422", "428"]
CONFIG = {
    "checks": {
        "positive_data_acceptance": {"expected-statuses": REFUSED},
        # Everything that says the request was not taken; 413 and 431: it was too large.
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "405", "413", "415", "422", "431"]
        },
    }
}
MODES = [HypothesisTestMode.COVERAGE, HypothesisTestMode.FUZZING]
SETTINGS = settings(
    max_examples=10,
    phases=(Phase.explicit, Phase.generate),  # what fails is shown as it is: finding a smaller one takes minutes
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
_numbers = itertools.count()


def make_sensible(case: schemathesis.Case[Any]) -> None:
    """What a request may not have together, OpenAPI cannot say; what else namespaces and keys do, other tests say."""
    assert case.meta is not None
    data = case.meta.phase.data
    missing = getattr(data, "scenario", None) == CoverageScenario.MISSING_PARAMETER
    if not case.meta.generation.mode.is_positive and not (missing and data.parameter == "Authorization"):
        return
    case.headers.pop("X-Wardgate-Namespace", None)
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"k-{next(_numbers)}"
    one_of(case.headers, "If-Match", "If-None-Match")
    one_of(case.query, "version", "version_id", "stage")
    case.query.pop("cursor", None)  # none that a page gave
    if isinstance(case.body, dict | list | float | int):
        # No other is set: schemathesis checks anew what is, and calls null and no body at all wrong, always.
        case.body = whole(case.body)
    if case.path_parameters.get("path") == "secret" and "mounts" not in case.path:
        case.path_parameters["path"] = SEEDED
    if "DELETE" == case.method and case.query:
        case.headers.pop("If-Match", None)


def whole(body: Any) -> Any:
    """With integers as such, and bounded: to JSON Schema 1.0 is one, and so is one of a hundred digits."""
    if isinstance(body, dict):
        return {name: whole(value) for name, value in body.items()}
    if isinstance(body, list):
        return [whole(value) for value in body]
    if isinstance(body, float | int) and not isinstance(body, bool) and float(body).is_integer():
        return int(body) % 2**63
    return body


def one_of(given: Any, *names: str) -> None:
    """Leave the first of these that is there."""
    for name in [name for name in names if name in given][1:]:
        del given[name]


class Slashes(requests.Session):
    """Sends a path's slashes as they are; OpenAPI has no word for a parameter that holds some."""

    def request(self, method: str, url: str, **rest: Any) -> requests.Response:  # type: ignore[override]
        return super().request(method, url.replace("%2F", "/"), **rest)


class Server:
    """A gateway, and one connection to it."""

    def __init__(self, gateway: Running) -> None:
        self.gateway = gateway
        self.session = Slashes()
        self.session.trust_env = False


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(plugins=("native",), workers=1) as gateway:
        started = Server(gateway)
        with started.session:
            yield started


@pytest.fixture
def seeded(server: Server) -> Server:
    """With the mount and a secret of two versions, whatever the endpoints tested before have done to them."""
    if server.gateway.call("GET", "/api/v1/mounts/secret").status != 200:
        server.gateway.mount("secret", "native")
    for _ in range(2):
        target = f"/api/v1/secrets/{SEEDED}"
        written = server.gateway.call("PUT", target, b'{"a": 1}', Content_Type="application/json")
        assert 200 == written.status
    return server


@pytest.fixture(scope="module")
def schema(server: Server) -> Any:
    """The document, with the requests' credentials: the administrator's; one of its own for what ends it."""
    loaded = schemathesis.openapi.from_dict(openapi.build(TABLE.routes), config=SchemathesisConfig.from_dict(CONFIG))

    @loaded.auth(refresh_interval=None)
    class Token:
        def get(self, case: schemathesis.Case[Any], context: schemathesis.AuthContext) -> str:
            if not case.path.endswith("token/revoke"):
                return server.gateway.token
            made = server.gateway.call("POST", "/api/v1/keys", {"name": "revoked", "policies": ["administrator"]})
            return str(made.json()["token"])

        def set(self, case: schemathesis.Case[Any], data: str, context: schemathesis.AuthContext) -> None:
            case.headers["Authorization"] = f"Bearer {data}"

    return loaded


@pytest.mark.parametrize("route", TABLE.routes, ids=lambda route: f"{route.method} {route.pattern}")
def test_every_answer_is_as_documented(route: Route, seeded: Server, schema: Any) -> None:
    """Statuses, media types, headers and bodies; what the document forbids is refused, and what it allows is not."""

    def ask(case: schemathesis.Case[Any]) -> None:
        make_sensible(case)
        case.call_and_validate(base_url=seeded.gateway.address, session=seeded.session)

    # Not schemathesis' own parametrize: it draws all cases while tests are gathered, in every worker and before
    # there is a server that could give a token; and its way to wait for a fixture knows no pytest after 9.1.
    config = HypothesisTestConfig(project=schema.config, modes=MODES, settings=SETTINGS)
    create_test(operation=schema[openapi.PREFIX + route.pattern][route.method], test_func=ask, config=config)()
