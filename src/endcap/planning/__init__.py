"""
What it would take to make a tracker's customizations what files say: made, shown, and then carried out whole or not at
all.
"""
