"""Values: what is known of a value without running the script."""
