"""Pictures: functions that take results and return matplotlib figures, never a model.

Matplotlib loads when the first picture is drawn. `canvas` holds what all pictures share: the size, the colours (which
colour-blind people can tell apart) and how a figure is saved and shown.
"""
