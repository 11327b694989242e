"""The ways to people, a file each.

An adapter turns a `Message` into calls to its provider, and the answers into a `Result`; it knows nothing of alerts,
policy or events. `table` names them all.
"""
