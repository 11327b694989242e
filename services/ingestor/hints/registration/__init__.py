"""The webhooks that an OAuth app registers by itself: kept as they should be, refreshed before they end, found again.

What is wanted and what is to be done is decided in `wanted`, without asking anybody; `keeping` asks Jira and does it.
"""
