"""Who may write: whoever sits at this machine, or whoever sends the editors' key; never another site's page."""

from __future__ import annotations

import hmac
import os
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

KEY = "RUSHES_EDITOR_KEY"
_bearer = HTTPBearer(auto_error=False, description=f"The value of {KEY}; asked for only where the server has one.")
Sent = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def may_write(request: Request, sent: Sent) -> None:
    """Refuse with 401 or 403 whoever may not write."""
    _same_site(request)
    if key := os.environ.get(KEY):
        if sent is None or not hmac.compare_digest(sent.credentials.encode(), key.encode()):
            raise HTTPException(
                401, f"send the editors' key as `Authorization: Bearer {KEY}`", {"WWW-Authenticate": "Bearer"}
            )
        return
    # The name counts too, lest a page elsewhere that resolves to this machine writes through a visitor's browser.
    if not (request.client and _loopback(request.client.host) and _loopback(request.url.hostname or "")):
        raise HTTPException(403, f"writes are taken from this machine only, unless the server is given {KEY}")


def _same_site(request: Request) -> None:
    origin = request.headers.get("origin")
    elsewhere = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if elsewhere or request.headers.get("sec-fetch-site") == "cross-site":
        raise HTTPException(403, "pages of other sites may not write here; open the page from this server")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


Writes = Depends(may_write)
