"""The ways of HTTP out of this process and into it: the proxy, whom to trust, and under which names we are asked."""
