"""How alike two screenshots are. `compare.py` is the stage; one file a metric."""
