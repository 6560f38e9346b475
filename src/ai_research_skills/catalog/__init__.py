"""Reading and validating what people write. Renders nothing, imports nothing else of the project."""
