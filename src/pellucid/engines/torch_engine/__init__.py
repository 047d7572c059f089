"""The production engine: the same description, read by PyTorch with autograd.

`module` builds an ordinary ``torch.nn.Sequential``; `device` chooses where it runs; `engine` trains it. This is the
only part of Pellucid that imports torch.
"""
