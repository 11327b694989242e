"""The whole system: the main job, from trigger to visible, and what traces add."""
