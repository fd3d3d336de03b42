"""Who listened, without knowing who: ids are replaced by keyed digests, and the key is thrown away in time.

The key, or salt, is `RUSHES_EVENT_SALT`, else 32 random bytes in the store under `secrets/event-salt-N` (mode 0600),
where N counts periods of `retention_days`. A listener is another digest in the next period.
"""

from __future__ import annotations

import hmac
import os
import secrets
from datetime import datetime

from featurization.errors import ConfigError
from steps.store import Store

SALT = "RUSHES_EVENT_SALT"
PAST = "past-"  # begins the sessions of which nobody can tell whose they were
_FOLDER, _PREFIX = "secrets", "event-salt-"
_DAY_S = 86_400
_SHORTEST = 16  # characters of a salt that is given


def disguise(name: str, salt: bytes) -> str:
    """The digest that stands for a name (HMAC-SHA256, RFC 2104); nobody stays nobody."""
    return hmac.digest(salt, name.encode(), "sha256").hex()[:32] if name else ""


def current_salt(store: Store, *, now: datetime, days: int) -> bytes:
    """The salt of the period of `days` that `now` lies in, made if it is the first time that one is needed.

    Raises ConfigError if the environment gives one that could be guessed.
    """
    if given := os.environ.get(SALT):
        if len(given) < _SHORTEST:
            raise ConfigError(f"{SALT} has {len(given)} characters; give {_SHORTEST} or more random ones, or none")
        return given.encode()
    key = f"{_FOLDER}/{_PREFIX}{_period(now, days)}"
    if not store.files.exists(key):
        store.files.create(key, secrets.token_bytes(32), mode=0o600)
    return store.files.read(key)


def drop_old_salts(store: Store, *, now: datetime, days: int) -> None:
    """Delete the salts that no listener in the log is disguised with any more."""
    for name in store.files.list(_FOLDER):
        if name.startswith(_PREFIX) and int(name.removeprefix(_PREFIX)) < _period(now, days) - 1:
            store.files.delete(f"{_FOLDER}/{name}")


def _period(now: datetime, days: int) -> int:
    return int(now.timestamp()) // (days * _DAY_S)
