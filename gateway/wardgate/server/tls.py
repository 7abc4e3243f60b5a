"""The listener's TLS: certificate, key, and which client certificates count."""

from __future__ import annotations

import ssl

from wardgate.config import ConfigError, Tls


def context(tls: Tls) -> ssl.SSLContext:
    """A server's context: TLS 1.2 or newer, HTTP/1.1; a client's certificate is verified wherever it shows one.

    Raises:
        ConfigError: a file cannot be read, is not what it should be, or the key is not the certificate's.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    for file in filter(None, (tls.certificate, tls.key, tls.client_ca)):
        try:
            file.open("rb").close()
        except OSError as error:
            raise ConfigError(f"{file}: cannot be read ({error.strerror}); TLS needs it") from None
    try:
        made.load_cert_chain(tls.certificate, tls.key, password=_no_password)
    except ssl.SSLError:
        raise ConfigError(
            f"{tls.certificate} and {tls.key}: not a PEM certificate and its key without a password"
        ) from None
    if tls.client_ca is not None:
        try:
            made.load_verify_locations(tls.client_ca)
        except ssl.SSLError:
            raise ConfigError(f"{tls.client_ca}: not PEM certificates; tls_client_ca names the authorities") from None
        made.verify_mode = ssl.CERT_REQUIRED if tls.client_required else ssl.CERT_OPTIONAL
    return made


def _no_password() -> str:
    return ""  # without this, OpenSSL asks for one at the terminal
