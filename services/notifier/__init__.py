"""Takes alerts to people.

Reads events of alerts and notifications from the log; sends by the channels that are set up; appends what became of
each notification (`NotificationSent`, `NotificationFailed`) to the log, and keeps its state in checkpoints beside it.
`loop` is the way through all of it, `policy` decides, `delivery` sends. A notification is saved before it is sent: a
crash never changes what it says.
"""
