"""Every setting, defined once: names, rules, presets, and the file that holds them."""
