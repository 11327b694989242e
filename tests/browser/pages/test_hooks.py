"""Webhooks: how to set them up until one has come, then that they come."""

import aiohttp
import pytest
from playwright.async_api import expect

from tests.browser.accessibility import faults
from tests.browser.people import Person
from tests.browser.stack import HOOK_PATH, SITE

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_operators_see_where_webhooks_go_and_then_that_they_come(operator: Person, reader: Person) -> None:
    webhooks = operator.page.get_by_role("region", name="Webhooks")
    await expect(webhooks).to_contain_text("None has come yet")
    await expect(webhooks).to_contain_text(f"/hooks/{SITE}/<JIRA_HOOK_PATH>")
    await expect(webhooks).to_contain_text("docs/webhooks.md")
    search = operator.page.get_by_role("region", name="Jira's search")
    await expect(search).to_contain_text("5 min")
    assert await faults(operator) == []
    await expect(reader.row("DEMO")).to_be_visible()
    await expect(reader.page.get_by_role("heading", name="Webhooks")).to_have_count(0)

    address = f"{operator.stack.base_url}/hooks/{SITE}"
    body = {"webhookEvent": "user_created", "user": {"accountId": "x"}}
    async with aiohttp.ClientSession() as http:
        for path, status in ((HOOK_PATH, 200), ("another-path-of-some-length", 404)):
            async with http.post(f"{address}/{path}", json=body) as answer:
                assert answer.status == status
    await operator.page.reload()
    for text in ("Heard", "user_created", "not signed", "There is no such address for webhooks."):
        await expect(webhooks).to_contain_text(text)
    assert await faults(operator) == []
