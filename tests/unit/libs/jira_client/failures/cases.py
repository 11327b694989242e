"""The corpus: recorded failures in files, and how a recorded one becomes an answer or an exception again."""

import importlib
from pathlib import Path

import msgspec

from libs.jira_client.failures.classify import Answer, Context
from libs.jira_client.failures.recorded_case import RecordedAnswer, RecordedCase, RecordedError

CORPUS = Path(__file__).with_name("corpus")
_cases = msgspec.json.Decoder(list[RecordedCase])


def corpus() -> list[RecordedCase]:
    """Every case of every file."""
    return [case for file in sorted(CORPUS.glob("*.json")) for case in read(file.read_bytes())]


def read(text: bytes) -> list[RecordedCase]:
    """The cases in the text of a file. Raises msgspec.ValidationError, which says what is wrong and where."""
    return _cases.decode(text)


def outcome(case: RecordedCase) -> Answer | BaseException:
    """What the classifier is given."""
    if case.answer is not None:
        return _answer(case.answer)
    assert case.error is not None, f"{case.name} has neither an answer nor an error"
    return _error(case.error)


def context(case: RecordedCase) -> Context:
    return Context(endpoint=case.endpoint, now=case.now)


def _answer(recorded: RecordedAnswer) -> Answer:
    if recorded.json is msgspec.UNSET:
        return Answer(status_code=recorded.status, headers=recorded.headers, content=recorded.body.encode())
    headers = {"content-type": "application/json;charset=UTF-8"} | recorded.headers
    return Answer(status_code=recorded.status, headers=headers, content=msgspec.json.encode(recorded.json))


def _error(recorded: RecordedError) -> BaseException:
    kind = _class(recorded.kind)
    try:
        error = kind(*recorded.args)
    except TypeError:
        # A class that takes other arguments than its text; that text is what it was recorded with.
        error = kind.__new__(kind, *recorded.args)
    error.__cause__ = None if recorded.cause is None else _error(recorded.cause)
    return error


def _class(name: str) -> type[BaseException]:
    """The class of that name; a stand-in where its module is not installed or shows no such class."""
    module, _, kind = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), kind)
    except (ImportError, AttributeError, ValueError):
        found = None
    if isinstance(found, type) and issubclass(found, BaseException):
        return found
    return type(kind, (Exception,), {"__module__": module})
