"""What of Prefect's pages and API passes the desk's gate, and for whom."""
