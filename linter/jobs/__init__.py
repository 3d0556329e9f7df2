"""Work on several roots at once, in processes."""
