"""What the event log costs: append, transactions, partitions, relay."""
