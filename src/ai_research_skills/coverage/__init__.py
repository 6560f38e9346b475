"""Counting what is covered and what is proven. Every number on the site comes from here."""
