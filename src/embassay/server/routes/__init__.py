"""The dialects that are spoken: each a file, see `embassay.server.route`."""
