"""
The API's description: `openapi.json`, and the page for people that is made of it.

What is said of one subject (its parameters, examples, operations and shapes) is in one module, and `document` puts
them together. A shape is as exact as JSON Schema allows: what it accepts is accepted, what it refuses is refused, and
every bound is the very constant that is enforced. What a refusal looks like is never written down: the example is what
the server answers for that very problem. Tests hold the operations to the routes that are mounted, and the examples to
their shapes.
"""
