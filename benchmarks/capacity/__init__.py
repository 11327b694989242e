"""What an installation needs for so many sites: measured unit costs, arithmetic, and a simulation that checks it."""
