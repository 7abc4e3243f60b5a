"""The gateway's own token at the server: given or from AppRole, renewed in time, replaced once it is refused."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Any

from hvac.api.auth_methods import AppRole, Token
from wardgate.spi.errors import Unauthenticated, Unavailable, WardgateError
from wardgate.spi.services import Clock

from wardgate_vault.adapter import Adapter
from wardgate_vault.exchange import exchange
from wardgate_vault.options import Options

RENEW_AT = 2 / 3
"""Share of a token's life after which it is renewed."""
LEAST_PAUSE = 1.0
"""Seconds at least between two renewals, or two logins."""
REFUSED_PAUSE = 5.0
"""Seconds a refused login is not repeated: servers lock out those who keep trying."""
MAX_TOKEN = 16_384
LONGEST_LEASE = 10**10
REFUSALS = frozenset({400, 401, 403})
LOGIN_REFUSED = "the store refuses the gateway's AppRole login; check 'role_id', 'secret_id' and 'approle_mount'"


class Login:
    """Keeps ``adapter.token`` good. Called from the mount's threads; at most one of them speaks to the server.

    ``apart``: in such a block the request goes on when the caller who happens to need it has gone away.
    """

    def __init__(
        self, options: Options, adapter: Adapter, clock: Clock, apart: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._apart = apart
        self._options = options
        self._adapter = adapter
        self._clock = clock
        self._approle = AppRole(adapter)
        self._tokens = Token(adapter)
        self._lock = threading.Lock()
        self._due = -math.inf  # when something is to be done: monotonic seconds
        self._learned_at = -math.inf
        self._lease = 0.0
        self._granted = 0.0
        self._renewable = False
        self._refused_until = -math.inf
        adapter.token = options.token

    def ensure(self) -> str | None:
        """The token to go on with, after a login or renewal where one is due.

        Raises:
            Unauthenticated: the server refuses the login.
            Unavailable: it cannot be reached, and there is no token yet.
        """
        # While one thread renews, the others go on with the token there is.
        if self._clock.monotonic() >= self._due and self._lock.acquire(blocking=self._adapter.token is None):
            try:
                if self._clock.monotonic() >= self._due:
                    with self._apart():
                        self._act()
            finally:
                self._lock.release()
        return self._adapter.token

    def replace(self, refused: str | None) -> bool:
        """After a refusal: whether there is another token to try once more with."""
        with self._lock, self._apart():
            if self._adapter.token != refused:
                return True
            recent = self._clock.monotonic() - self._learned_at < LEAST_PAUSE
            if self._options.role_id is None or recent or exchange(self._tokens.lookup_self).ok:
                return False  # the token is good: it is the server's policy that refuses
            self._log_in()
            return True

    def _act(self) -> None:
        if self._adapter.token is None:
            self._log_in()
            return
        try:
            if self._learned_at == -math.inf:
                self._look_up()
            else:
                self._renew()
        except WardgateError:
            # The request that follows will tell; there is a third of the token's life left to try again.
            self._due = self._clock.monotonic() + max(LEAST_PAUSE, self._lease / 12)

    def _log_in(self) -> None:
        if self._clock.monotonic() < self._refused_until:
            raise Unauthenticated(LOGIN_REFUSED)
        answer = exchange(
            self._approle.login,
            role_id=self._options.role_id,
            secret_id=self._options.secret_id,
            use_token=False,
            mount_point=self._options.approle_mount.strip("/"),
        )
        if answer.status in REFUSALS:
            self._refused_until = self._clock.monotonic() + REFUSED_PAUSE
            raise Unauthenticated(LOGIN_REFUSED)
        if not answer.ok:
            raise answer.error(mutates=False)
        self._granted = self._learn(_part(answer.body, "auth"))

    def _look_up(self) -> None:
        answer = exchange(self._tokens.lookup_self)
        if answer.ok:
            data = _part(answer.body, "data")
            self._learn({"lease_duration": data.get("ttl"), "renewable": data.get("renewable")})
        elif answer.status == HTTPStatus.FORBIDDEN:
            self._due = math.inf  # a token that may not ask about itself: it lives as long as it lives
        else:
            raise answer.error(mutates=False)

    def _renew(self) -> None:
        if self._renewable:
            answer = exchange(self._tokens.renew_self)
            if answer.ok:
                granted = self._learn(_part(answer.body, "auth"))
                if self._options.role_id is None or granted * 2 >= self._granted:
                    return
            elif answer.status not in REFUSALS:
                raise answer.error(mutates=False)
        if self._options.role_id is None:
            self._due = math.inf
        else:
            self._log_in()

    def _learn(self, auth: Mapping[str, Any]) -> float:
        token, lease = auth.get("client_token"), auth.get("lease_duration")
        if isinstance(token, str) and token.isascii() and token.isprintable() and 0 < len(token) <= MAX_TOKEN:
            self._adapter.token = token
        self._learned_at = self._clock.monotonic()
        self._lease = float(min(lease, LONGEST_LEASE)) if type(lease) is int and lease > 0 else 0.0
        self._renewable = auth.get("renewable") is True
        self._due = self._learned_at + max(LEAST_PAUSE, self._lease * RENEW_AT) if self._lease else math.inf
        return self._lease


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    if not isinstance(part, dict):
        raise Unavailable("the store's answer could not be understood")
    return part
