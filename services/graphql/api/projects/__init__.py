"""Registered projects, and what people change about them."""
