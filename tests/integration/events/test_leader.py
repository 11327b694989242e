"""One leader per name: different names do not meet."""

from __future__ import annotations

from libs.events import leadership


async def test_one_name_has_one_leader_and_another_name_another(store_url: str) -> None:
    async with leadership(store_url, "relay") as first, leadership(store_url, "telemetry") as other:
        assert first is not None
        assert other is not None
        assert first()
        async with leadership(store_url, "relay") as second:
            assert second is None
    async with leadership(store_url, "relay") as next_one:
        assert next_one is not None
