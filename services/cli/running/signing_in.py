"""Where people sign in to the console."""

from typing import Final

MAKE_ONE: Final = "`jdi token create NAME --role admin`"


def console_address(graphql_url: str) -> str:
    return f"{graphql_url}/console/"


def sign_in_address(console: str, secret: str) -> str:
    """An address that signs in. What is behind the # stays in the browser: it is sent to no server."""
    return f"{console}#token={secret}"
