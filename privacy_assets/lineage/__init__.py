"""What a column comes from, read off the queries that run."""
