"""Which alerts are reported where, when and how often. Pure: state, policy and clock in, notifications out.

Nothing is sent here, and no channel is known but by its name.
"""
