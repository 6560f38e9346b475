"""What moved since a skill was pinned: newer releases, what they break, and what became of the projects."""
