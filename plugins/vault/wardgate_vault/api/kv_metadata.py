"""KV version 2's ``metadata/`` and ``config``: what is kept beside the values, of a secret and of a whole mount."""

from __future__ import annotations

from wardgate.spi.errors import Unsupported, WardgateError
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.secrets import AnnotateSecret, DescribeSecret
from wardgate.spi.path import Path
from wardgate.spi.values import SecretSettings

from wardgate_vault.api import kv_bodies, kv_shapes
from wardgate_vault.api.envelope import NO_CONTENT, Answer, encode, envelope
from wardgate_vault.api.errors import refusing
from wardgate_vault.api.request import Request

_MANDATED = '"cas_required" set to false, but is mandated by backend config. This value will be ignored.'


async def read(request: Request, path: Path) -> Answer:
    """GET ``metadata/<path>``."""
    outcome = await request.perform(DescribeSecret(path=path))
    warnings = (*kv_bodies.ignored(request.parameters), *outcome.warnings)
    return envelope(request.id, encode(kv_shapes.secret(outcome.result)), warnings=warnings)


async def write(request: Request, path: Path) -> Answer:
    """POST ``metadata/<path>``: custom metadata is replaced as a whole, what is not given stays."""
    with refusing(Action.ANNOTATE, path):
        labels, settings, warnings = kv_bodies.annotated(await request.body())
    return await _annotated(request, AnnotateSecret(path=path, labels=labels, settings=settings), warnings)


async def patch(request: Request, path: Path) -> Answer:
    """PATCH ``metadata/<path>``: custom metadata is merged, and null takes away."""
    with refusing(Action.ANNOTATE, path):
        labels, settings, warnings = kv_bodies.patched_metadata(await request.body())
    if isinstance(labels, kv_bodies.Every):
        labels = dict.fromkeys((await request.perform(DescribeSecret(path=path))).result.labels)
    return await _annotated(request, AnnotateSecret(path=path, labels=labels, settings=settings, merge=True), warnings)


async def _annotated(request: Request, operation: AnnotateSecret, ignored: tuple[str, ...]) -> Answer:
    """Vault tells what it ignored where it has anything else to say, and only there."""
    await request.perform(operation)
    if operation.settings is None or operation.settings.compare_and_set_required is not False:
        return NO_CONTENT
    mount = request.gateway.mounts(request.namespace).find(operation.path)
    if mount is None or not (await _of_mount(request, mount.prefix)).compare_and_set_required:
        return NO_CONTENT
    return envelope(request.id, warnings=(_MANDATED, *ignored))


async def _of_mount(request: Request, prefix: Path) -> SecretSettings:
    """The mount's settings, for a warning alone: none for a caller who may not see them, or a store without any."""
    try:
        return (await request.perform(DescribeSecret(path=prefix))).result.settings
    except WardgateError:
        return SecretSettings()


async def read_config(request: Request, path: Path) -> Answer:
    """GET ``config``. Nothing is set for a mount whose store keeps no such settings."""
    try:
        settings = (await request.perform(DescribeSecret(path=path))).result.settings
    except Unsupported:
        settings = SecretSettings()
    return envelope(request.id, encode(kv_shapes.config(settings)), warnings=kv_bodies.ignored(request.parameters))


async def write_config(request: Request, path: Path) -> Answer:
    """POST ``config``."""
    with refusing(Action.ANNOTATE, path):
        settings = kv_bodies.configured(await request.body())
    await request.perform(AnnotateSecret(path=path, settings=settings))
    return NO_CONTENT
