"""Any provider over HTTP: requests and replies, retries, rates, and the checks of what comes back."""
