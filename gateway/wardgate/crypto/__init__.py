"""Keys and sealing: the envelope's byte layout, the keys it runs on, and the seal that guards the root key."""

from wardgate.crypto.keyring import NamespaceKeyring, RootKey
from wardgate.crypto.seal import KeyFileSeal

__all__ = ["KeyFileSeal", "NamespaceKeyring", "RootKey"]
