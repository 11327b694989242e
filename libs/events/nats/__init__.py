"""The log on NATS JetStream: the relay that publishes it, and the helpers of those who subscribe."""
