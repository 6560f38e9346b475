from ai_research_skills.lab.exercises import exercise  # temporary
__all__=["exercise"]
