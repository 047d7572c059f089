"""Tables in time order as series: when each step is, what is known of it, and what the calendar says."""
