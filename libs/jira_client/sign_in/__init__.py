"""How requests show who we are: by an account's API token, or by OAuth 2.0. What goes out itself, `http` sends."""
