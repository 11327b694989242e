"""What every mutation answers beside its own: why nothing was done, as data."""

import strawberry


@strawberry.type(description="Why a mutation did nothing.")
class UserError:
    code: str = strawberry.field(
        description="Such as UNKNOWN_PROJECT, BAD_CRON, BAD_TIMEZONE, UNKNOWN_ACCOUNT, UNKNOWN_ALERT,"
        " NOTHING_HELD_BACK, SCHEDULER_UNAVAILABLE, LOG_UNAVAILABLE, NO_ANSWER, REFUSED, or a code of Jira's"
        " refusal such as AUTH_EXPIRED."
    )
    message: str = strawberry.field(description="What is wrong, and what to do about it.")
    field: str | None = strawberry.field(description="The argument it is about.")


def user_error(code: str, message: str, field: str | None = None) -> UserError:
    return UserError(code=code, message=message, field=field)
