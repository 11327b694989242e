"""Hints of webhooks taken up: exactly the issues that they name are asked for, within a budget of requests.

What a webhook says is never stored: only what Jira answers. A hint that is lost costs nothing but time, for the
schedule finds every change by itself.
"""
