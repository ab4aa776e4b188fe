"""
Recommending: what to show before any rule speaks.

`build` turns order lines into an artifact, `artifact` keeps and checks it, `knowledge` joins it with a catalog,
`strategies` rank, `models` says which strategy a name on the wire means, and `recommenders` is the door.
"""
