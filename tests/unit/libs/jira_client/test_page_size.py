"""How many issues at once: what is learned from failures, and how it is unlearned."""

from __future__ import annotations

import pytest

from libs.jira_client import (
    BadResponse,
    ErrorCode,
    JiraError,
    PageSize,
    classify_exception,
    error_for,
    smaller_may_help,
)
from libs.jira_client.failures.classify import Answer, Context, classify
from libs.jira_client.http.body import BodyTooLargeError
from libs.jira_client.pages import unbelievable


def refused(status: int, body: bytes = b"{}") -> JiraError:
    verdict = classify(
        Answer(status_code=status, headers={"content-type": "application/json"}, content=body), Context()
    )
    assert verdict
    return error_for(verdict)


@pytest.mark.parametrize("status", [408, 413, 500, 502, 503, 504, 524])
def test_a_smaller_page_may_come_where_this_one_was_too_much(status: int) -> None:
    assert smaller_may_help(refused(status))


@pytest.mark.parametrize("error", [BodyTooLargeError(), TimeoutError(), ConnectionResetError(), EOFError()])
def test_so_it_may_after_an_answer_too_large_too_slow_or_cut(error: Exception) -> None:
    assert smaller_may_help(error_for(classify_exception(error)))


def test_an_answer_that_is_no_json_may_have_been_cut() -> None:
    assert smaller_may_help(refused(200, b""))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 414, 429])
def test_a_refusal_is_no_matter_of_size(status: int) -> None:
    assert not smaller_may_help(refused(status))


def test_an_answer_that_is_not_believed_is_no_matter_of_size() -> None:
    error = unbelievable("Jira gave the same nextPageToken twice.", "POST /search/jql")
    assert isinstance(error, BadResponse)
    assert error.code is ErrorCode.BAD_RESPONSE
    assert not smaller_may_help(error)


def test_what_failed_is_remembered_and_grows_back_slowly() -> None:
    size = PageSize(100)
    assert (size.size, size.whole) == (100, True)
    size.failed(25)
    sizes = []
    for _ in range(12):
        size.worked(1)
        sizes.append(size.size)
    assert sizes == [25] * 3 + [50] * 4 + [100] * 5
    assert size.whole


def test_a_size_that_fails_again_is_tried_later_each_time() -> None:
    size, waits = PageSize(100), []
    for _ in range(7):
        size.failed(50)
        waits.append(0)
        while size.size == 50:
            size.worked(1)
            waits[-1] += 1
    assert waits == [4, 8, 16, 32, 64, 64, 64]


def test_of_several_that_learn_at_once_the_smallest_counts_and_one_is_the_least() -> None:
    size = PageSize(100)
    size.failed(12)
    size.failed(25)
    assert size.size == 12
    size.failed(0)
    assert size.size == 1


def test_whole_pages_come_back_where_only_the_search_was_too_slow() -> None:
    size = PageSize(100)
    size.failed(100)
    assert (size.size, size.whole) == (100, False)
    size.worked(4)
    assert size.whole
