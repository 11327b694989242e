"""The ways to people, a file each: the settings of a channel, its adapter, and `from_settings`, which makes it of them.

An adapter turns a `Message` into calls to its provider, and the answers into a `Result`; it knows nothing of alerts,
policy or events. `table` names them all.
"""
