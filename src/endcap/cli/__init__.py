"""
The `endcap` command: one module a family of commands, imported when it is called.
"""
