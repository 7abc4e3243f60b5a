"""Where a request goes: to a mount by its prefix, or to what the gateway itself offers at ``sys/`` and ``auth/``."""

from __future__ import annotations

from wardgate.spi import http
from wardgate.spi.errors import SecretNotFound, Unsupported, WardgateError
from wardgate.spi.frontend import Frontend, Gateway, MountTable, Receive, Scope, Send
from wardgate.spi.operations.methods import TOKEN, ListVisibleMethods
from wardgate.spi.path import SERVICES, Path

from wardgate_vault.api import (
    acl,
    approle,
    approle_fields,
    auth_mounts,
    capabilities,
    errors,
    kv,
    mounts,
    secret_ids,
    system,
    token_create,
    tokens,
    wrapping,
)
from wardgate_vault.api.envelope import Answer, one_error, send_answer
from wardgate_vault.api.errors import Refused
from wardgate_vault.api.request import ACTIONS, MAX_REMEMBERED, Handler, Request

ROUTES = (
    *tokens.ROUTES,
    *token_create.ROUTES,
    *approle.ROUTES,
    *approle_fields.ROUTES,
    *secret_ids.ROUTES,
    *system.ROUTES,
    *auth_mounts.ROUTES,
    *mounts.ROUTES,
    *capabilities.ROUTES,
    *acl.ROUTES,
    *wrapping.ROUTES,
)
MAX_KNOWN = 8_192
"""Targets of reads that are remembered once they were read; see ``Request.again``."""


class VaultFrontend(Frontend):
    """Vault's HTTP API at ``/v1/``. It only translates: every request enters the road, the unreadable ones too."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._known: dict[tuple[str, bytes], tuple[MountTable, Handler]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(self._gateway, scope, receive)
        try:
            request.read_headers()
            known = self._known_target(request)
            answer = await (known(request) if known else self._answer(request))
        except Refused as refused:
            answer = await _refuse(request, refused)
        except WardgateError as error:
            answer = errors.answer(error)
        await send_answer(send, answer, head=scope["method"] == "HEAD")

    def _known_target(self, request: Request) -> Handler | None:
        """How this very target was answered before, unless the namespace's mounts changed since."""
        scope = request.scope
        if scope["method"] != "GET" or scope["query_string"] or request.fresh or request.wrap_ttl:
            return None
        known = self._known.get((request.namespace, scope["raw_path"]))
        if known is None or known[0] is not self._gateway.mounts(request.namespace):
            return None
        return known[1]

    async def _answer(self, request: Request) -> Answer:
        table = self._gateway.mounts(request.namespace)
        request.read_target()
        answer = await wrapping.answered(request, _answer)
        target = request.scope["raw_path"]
        if request.again and request.scope["method"] == "GET" and len(target) <= MAX_REMEMBERED:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[request.namespace, target] = (table, request.again)
        return answer


async def _answer(request: Request) -> Answer:
    path = request.path
    if path is None:
        raise Refused(SecretNotFound(), kv.unknown_route(request))
    if path.segments[0] in SERVICES:
        return await _serve(request, path)
    mount = request.gateway.mounts(request.namespace).find(path)
    if mount is None:
        return await kv.unmounted(request, path)
    return await kv.answer(request, mount, path)


async def _serve(request: Request, path: Path) -> Answer:
    route = next((route for route in ROUTES if route.takes(path.segments)), None)
    action = ACTIONS[request.verb]
    handler = route.verbs.get(request.verb) if route else None
    if handler is not None:
        return await handler(request)
    if not await _is_there(request, path):
        raise Refused(SecretNotFound(), kv.unknown_route(request), action=action, path=path)
    if route is None:
        raise Refused(SecretNotFound(), one_error(404, "unsupported path"), action=action, path=path)
    raise Refused(Unsupported(), one_error(405, errors.UNSUPPORTED), action=action, path=path)


async def _is_there(request: Request, path: Path) -> bool:
    """Whether there is anything around a path of the gateway's own: of a login method only the road knows that."""
    first, *below = path.segments
    if first == "sys" or below[:1] == [TOKEN]:
        return True
    try:
        seen = await request.gateway.perform(
            request.arrival, ListVisibleMethods(), credential=request.credential, namespace=request.namespace
        )
    except WardgateError:
        return False  # the refusal itself goes down the road, and is told what stands against the caller
    return below[:1] in ([method.name] for method in seen.result)


async def _refuse(request: Request, refused: Refused) -> Answer:
    """Let the road audit what was refused; what the road has to say against the caller comes first."""
    against = await http.refuse(request.perform, refused.operation())
    return refused.said if against is None else errors.answer(against)
