"""Conditions of rules: a closed grammar, checked and compiled when a policy is loaded; nothing of it is ever ``eval``.

A condition is true, false or unknown. It is unknown where an attribute that matters is missing, or reading it fails. An
allow rule applies where its condition is true; a deny rule applies unless its condition is false.
"""

from wardgate.pipeline.authorize.conditions.compiling import NEVER, Condition, compile_condition
from wardgate.pipeline.authorize.conditions.question import (
    ANYBODY,
    NO_LABELS,
    UNKNOWN,
    Asker,
    Facts,
    Labels,
    Question,
)

__all__ = [
    "ANYBODY", "NEVER", "NO_LABELS", "UNKNOWN", "Asker", "Condition", "Facts", "Labels", "Question",
    "compile_condition",
]  # fmt: skip
