"""The cache layer: what was read is remembered for a while, in process, and never answered before authorize."""

from wardgate.pipeline.cache.layer import Cache
from wardgate.pipeline.cache.memory import Limits

__all__ = ["Cache", "Limits"]
