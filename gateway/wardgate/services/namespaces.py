"""Child namespaces: each with a key of its own, and an administrator of its own from the start."""

from __future__ import annotations

from wardgate.context import Context
from wardgate.services.names import check_name, name_below
from wardgate.services.service import Handlers
from wardgate.spi.operations.namespaces import (
    NAMESPACES,
    CreateNamespace,
    DeleteNamespace,
    ListNamespaces,
    NamespaceCreated,
    NamespaceInfo,
)
from wardgate.spi.operations.policies import ADMINISTRATOR
from wardgate.state import State
from wardgate.state.lives import Life
from wardgate.state.tokens import new_id

FIRST_KEY_TTL = 24 * 3_600 * 10**9
"""Life of a new namespace's first administrator key: 24 hours, in nanoseconds."""


class NamespacesService:
    """Makes and ends the children of the namespace it is asked in."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.handlers: Handlers = {
            ListNamespaces: self.list,
            CreateNamespace: self.create,
            DeleteNamespace: self.delete,
        }

    async def list(self, context: Context, _operation: ListNamespaces) -> tuple[NamespaceInfo, ...]:
        """The direct children, by name."""
        return self._state.namespaces.children(context.namespace)

    async def create(self, context: Context, operation: CreateNamespace) -> NamespaceCreated:
        """Create a child and its first administrator's key.

        Raises:
            AlreadyExists: a child or a mount has that name.
            InvalidValue: the name cannot be taken.
        """
        name = name_below(operation.path, NAMESPACES)
        check_name("namespace's name", name)
        namespace = new_id()
        first = self._state.principals.draft(
            namespace, "first administrator", (ADMINISTRATOR,), Life(ttl=FIRST_KEY_TTL)
        )
        info = await self._state.namespaces.create(context.namespace, name, namespace=namespace, along=first.insert)
        return NamespaceCreated(info, first.issued)

    async def delete(self, context: Context, operation: DeleteNamespace) -> None:
        """Delete an empty child; its principals end, and its keys are shredded.

        Raises:
            Conflict: it has mounts or children.
            SecretNotFound: there is no such child.
        """
        child = self._state.namespaces.child(context.namespace, name_below(operation.path, NAMESPACES))
        await self._state.delete_namespace(child.id)
