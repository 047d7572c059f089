"""How right Pellucid is, beside what one might use instead: tables, contestants, jobs, comparison and report."""
