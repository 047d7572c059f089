"""What a user may ask for, said once: names, rules, presets, and the file that holds them."""
