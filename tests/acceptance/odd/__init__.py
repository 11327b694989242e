"""Syncs of a site that answers oddly: nothing stops, nothing is lost in silence, everything heals by itself."""
