"""Background jobs: the database that records them and the supervisor that runs them."""
