"""What every service says of itself while something that it stands on is unwell."""
