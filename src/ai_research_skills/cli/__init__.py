"""`ai-skills`: the command line for those who write skills. Exit 0 fine, 1 findings, 2 usage."""

from ai_research_skills.cli.main import main

__all__ = ["main"]
