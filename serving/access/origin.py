"""Where a request comes from: this machine or another, a page of ours or of somebody else."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


def from_here(connection: HTTPConnection) -> bool:
    """Whether somebody at this machine asks, under one of its own names.

    The name counts too, lest a page elsewhere that resolves to this machine writes through a visitor's browser.
    """
    client = connection.client
    return bool(client and loopback(client.host) and loopback(connection.url.hostname or ""))


def same_site(connection: HTTPConnection) -> bool:
    """Whether no page of another site sent this, as far as its browser tells."""
    origin = connection.headers.get("origin")
    elsewhere = origin is not None and urlsplit(origin).netloc != connection.headers.get("host")
    return not elsewhere and connection.headers.get("sec-fetch-site") not in ("cross-site", "same-site")


def loopback(host: str) -> bool:
    """Whether an address or a name is one that only this machine reaches."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def local_path(address: str) -> str:
    """An address to go on to after signing in: a path of this server, or "" for anything that could lead elsewhere."""
    plain = address.startswith("/") and address[1:2] not in ("/", "\\") and address.isprintable()
    return address if plain and "\\" not in address and " " not in address else ""
