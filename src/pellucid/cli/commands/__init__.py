"""One file a command: it reads the options, calls the library and shows what came back."""
