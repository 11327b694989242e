"""Namespace of the services; holds nothing and imports nothing."""
