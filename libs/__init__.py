"""Namespace of the libs; holds nothing and imports nothing."""
