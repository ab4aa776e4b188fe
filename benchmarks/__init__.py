"""
Measurements, side by side: ratios to a floor in the same run, medians, and on what machine. `scripts/bench` runs them.
"""
