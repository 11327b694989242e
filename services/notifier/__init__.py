"""Takes alerts to people.

Reads alert and notice events from the log; sends by the channels that are set up; writes what became of each notice
(`NotificationSent`, `NotificationFailed`) back to the log, and its own state into marks beside it. `due` decides what
is said, `deliver` does it. A notice is written down before it is sent: a crash never changes what it says.
"""
