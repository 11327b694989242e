"""What people and telemetry want done with a project: decided, recorded, and written to Temporal."""
