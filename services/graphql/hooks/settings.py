"""The values that webhooks need, from the environment."""

from dataclasses import dataclass
from typing import Final

from libs.runtime import Secret, setting
from libs.runtime.network.way_out import WayOut

HOOKS: Final = "/hooks/"
"""Where they come; they prove themselves by a secret address and a signature, not by a token of ours."""

SHORTEST: Final = 20
"""Characters of a secret path or secret: nothing slows down those who try."""


@dataclass(frozen=True, kw_only=True)
class HookSettings(WayOut):
    """The base of settings whose service takes webhooks."""

    hook_path: Secret | None = setting(
        "JIRA_HOOK_PATH",
        None,
        unit="one, or two with a comma while it is replaced",
        why="last part of the address of Jira's webhook, /hooks/<site>/<it>; without it none are taken",
    )
    hook_secret: Secret | None = setting(
        "JIRA_HOOK_SECRET",
        None,
        unit="one, or two with a comma while it is replaced",
        why="the secret of Jira's webhook, by which it signs what it sends",
    )
    hook_oauth_secret: Secret | None = setting(
        "JIRA_HOOK_OAUTH_SECRET",
        None,
        unit="one, or two with a comma while it is replaced",
        why="the client secret of the OAuth app whose webhooks are taken: Jira signs a token with it",
    )
    hook_unsigned: bool = setting(
        "JIRA_HOOK_UNSIGNED",
        False,
        why="takes webhooks without a signature as well, although there is a secret",
    )
    hook_forge_app: str = setting(
        "JIRA_HOOK_FORGE_APP", "", why="id of the Forge app (ari:cloud:ecosystem::app/…) whose events are taken"
    )

    @property
    def paths(self) -> tuple[str, ...]:
        return _parts(self.hook_path)

    @property
    def secrets(self) -> tuple[str, ...]:
        return _parts(self.hook_secret)

    @property
    def app_secrets(self) -> tuple[str, ...]:
        return _parts(self.hook_oauth_secret)

    @property
    def takes_unsigned(self) -> bool:
        """Where there is no secret, the secret path alone tells who may send hints."""
        return self.hook_unsigned or not (self.secrets or self.app_secrets or self.hook_forge_app)

    def checked(self) -> None:
        """Raises ValueError for a path or a secret that could be guessed."""
        for name, values in (
            ("JIRA_HOOK_PATH", self.paths),
            ("JIRA_HOOK_SECRET", self.secrets),
            ("JIRA_HOOK_OAUTH_SECRET", self.app_secrets),
        ):
            if len(values) > 2 or any(len(value) < SHORTEST for value in values):
                raise ValueError(
                    f"{name}: give one of at least {SHORTEST} characters, or two with a comma while it is replaced;"
                    " `openssl rand -hex 24` makes one"
                )
        if any(not value.isascii() or "/" in value or not value.isprintable() for value in self.paths):
            raise ValueError("JIRA_HOOK_PATH: it is part of an address, so letters, digits, - and _ only")


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part for part in (piece.strip() for piece in (text or "").split(",")) if part)
