"""How the demo model is made.

`network` builds it, `lessons` turns recordings into training sequences, `training` runs the loop.
"""
