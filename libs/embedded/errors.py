"""What can be wrong with a stack, as a line for the person who started it."""


class StackError(RuntimeError):
    """The stack cannot start or go on. The text says what to do; `exit_code` is what `jdi` ends with."""

    def __init__(self, text: str, exit_code: int = 1) -> None:
        super().__init__(text)
        self.exit_code = exit_code
