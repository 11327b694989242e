"""The policy from TOML, over the built-in one; what is wrong is one line."""

from typing import Any, Final

import msgspec

from services.notifier.policy.rules import DEFAULT, Policy

VARIABLE: Final = "NOTIFY_POLICY"


def parse_policy(text: str, channels: frozenset[str]) -> Policy:
    """The built-in policy with everything that `text` names put in its place.

    Raises:
        ValueError: it is no TOML, names something unknown or has a value that makes no sense.
    """
    try:
        given: dict[str, Any] = msgspec.toml.decode(text)
        policy = msgspec.convert({**msgspec.to_builtins(DEFAULT), **given}, Policy)
    except msgspec.DecodeError as error:
        raise ValueError(f"{VARIABLE}_FILE: {error}") from error
    unknown = sorted(set(policy.named_channels()) - channels)
    if unknown:
        known = ", ".join(sorted(channels))
        raise ValueError(f"{VARIABLE}_FILE: there is no channel {', '.join(unknown)}; there are {known}")
    return policy
