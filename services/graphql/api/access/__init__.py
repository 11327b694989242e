"""Who may ask: API tokens and the viewer."""
