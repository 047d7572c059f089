"""Language: how Python's statements, expressions and calls are followed; `Interpreter` joins their handlers."""
