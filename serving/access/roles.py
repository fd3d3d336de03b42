"""Three roles, each of which may do what those before it may, and the keys that give them."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from featurization.errors import ConfigError
from serving.access.origin import loopback


class Role(IntEnum):
    """What somebody may do; whoever may do more may do all that is below."""

    NOBODY = 0
    READER = 1  # see everything
    EDITOR = 2  # label, mark golden clips, judge previews, send events
    PUBLISHER = 3  # deploy and roll back tags, publish previews again


VARIABLES = {
    Role.READER: "RUSHES_READER_KEY",
    Role.EDITOR: "RUSHES_EDITOR_KEY",
    Role.PUBLISHER: "RUSHES_PUBLISHER_KEY",
}


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that the server was given, by role."""

    by_role: Mapping[Role, str]

    def owner(self, sent: bytes) -> Role:
        """The role that a key is of; every key is compared in constant time."""
        matching = [role for role, key in self.by_role.items() if hmac.compare_digest(sent, _bytes(key))]
        return max(matching, default=Role.NOBODY)

    def granted(self, role: Role) -> Role:
        """What the holder of a role's key may do: where publishers have no key of their own, editors publish."""
        alone = role is Role.EDITOR and Role.PUBLISHER not in self.by_role
        return Role.PUBLISHER if alone else role

    def unasked(self, *, here: bool) -> Role:
        """What somebody without a key may do, who sits at this machine or elsewhere."""
        if not self.by_role:
            return Role.PUBLISHER if here else Role.READER
        return Role.NOBODY if Role.READER in self.by_role else Role.READER

    def secret(self, role: Role) -> bytes:
        """What sessions of a role are signed with; another key makes it another."""
        return hashlib.sha256(f"session {role.name} ".encode() + _bytes(self.by_role[role])).digest()


def given_keys() -> Keys:
    """The keys in the environment; an empty one is none."""
    found = {role: os.environ.get(name, "").strip() for role, name in VARIABLES.items()}
    return Keys({role: key for role, key in found.items() if key})


def check_keys(host: str) -> None:
    """ConfigError if the service may not listen there with the keys that it was given."""
    keys = given_keys().by_role
    missing = [VARIABLES[role] for role in (Role.READER, Role.EDITOR) if role not in keys]
    if missing and not loopback(host):
        raise ConfigError(
            f"--host {host} is reached from other machines, so it asks for keys: set {' and '.join(missing)}; "
            "`openssl rand -hex 24` makes one"
        )
    if Role.READER in keys and Role.EDITOR not in keys:
        raise ConfigError(f"{VARIABLES[Role.READER]} is set, so nobody could label without a key: set {missing[0]} too")
    if len(set(keys.values())) < len(keys):
        raise ConfigError("two roles have the same key, so that nothing tells them apart: give each its own")


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")
