"""Who may use the server, for what, and how much: keys, limits, the checks at its entrance, and the audit log."""
