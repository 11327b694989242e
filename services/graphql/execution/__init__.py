"""What happens to every operation, whatever it asks: its bounds, its cost, its measures, its errors.

Nothing here knows a subject of the API.
"""
