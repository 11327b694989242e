"""Who is told what, when and how often. Pure: alerts, policy and clock in, notifications out. Nothing is sent here."""
