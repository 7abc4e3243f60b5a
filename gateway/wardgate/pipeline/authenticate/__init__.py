"""Who asks? Turns the credential of a request into a principal of its namespace, or refuses."""

from wardgate.pipeline.authenticate.layer import Authenticate

__all__ = ["Authenticate"]
