"""What a run leaves behind: the model file.

`model_file` writes and reads one safetensors file that holds all that a prediction needs; it never opens
anything that could run code.
"""
