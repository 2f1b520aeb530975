"""The dashboard: pages for people, made on the server and shown in a browser."""
