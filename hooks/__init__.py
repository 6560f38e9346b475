"""The build: catalog and evidence in, Markdown, JSON and SVG strings out."""
