"""Every name and message that crosses a process by way of Temporal, and how to connect.

Services never import one another: who wants a sync asks by the functions of `commands`, who runs it registers the
names of `names`, and both speak in the messages of `messages`.
"""
