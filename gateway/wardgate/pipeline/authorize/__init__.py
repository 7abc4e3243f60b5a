"""May they? Casbin decides by the policies of the principal's namespace; refusals are raised.

An index picks the rules that could cover the path, Casbin decides among them, and the decision is remembered until
the namespace's policies change. Only ``decider.py`` knows Casbin.
"""

from wardgate.pipeline.authorize.built_in import ADMINISTRATOR, BUILT_IN, DEFAULT
from wardgate.pipeline.authorize.engine import Engine
from wardgate.pipeline.authorize.layer import Authorize
from wardgate.pipeline.authorize.loading import PolicySet
from wardgate.pipeline.authorize.validation import check_name, validate
from wardgate.pipeline.authorize.visible import Extent, Visible

__all__ = [
    "ADMINISTRATOR", "BUILT_IN", "DEFAULT", "Authorize", "Engine", "Extent", "PolicySet", "Visible", "check_name",
    "validate",
]  # fmt: skip
