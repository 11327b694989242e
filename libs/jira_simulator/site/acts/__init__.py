"""The acts that change a site, by what they change. `site.mutations` joins them into one class."""
