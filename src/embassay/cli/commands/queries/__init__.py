"""The query log: what was searched for in this home, where the configuration turns it on (query_log: kept)."""
