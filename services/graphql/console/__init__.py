"""The admin console: static files that speak to the public GraphQL API like any other client. No page is made here."""
