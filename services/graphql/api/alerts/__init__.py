"""Alerts, and the notifications that tell people of them."""
