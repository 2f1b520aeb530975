"""One file is one page of the dashboard, with its template beside it; see `embassay.server.dashboard.page`."""
