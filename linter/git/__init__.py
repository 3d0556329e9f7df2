"""A git repository, read through git's plumbing: nothing is checked out and no index is touched."""
