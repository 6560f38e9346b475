"""CUDA C++ in a notebook: on a GPU through NVRTC, without one through g++ and a shim, from the same text.

`%load_ext ai_research_skills.lab.cuda`, then a cell that begins with `%%cuda NAME` makes NAME a `Source`. Without a
GPU a source also finds its races and its accesses out of bounds (AddressSanitizer), counts its memory traffic, and
compiles for an architecture to look at the machine code.
"""

from ai_research_skills.lab.cuda.cell import load_ipython_extension
from ai_research_skills.lab.cuda.findings import Finding
from ai_research_skills.lab.cuda.host import KernelError
from ai_research_skills.lab.cuda.nvrtc import CompileError
from ai_research_skills.lab.cuda.source import Source
from ai_research_skills.lab.cuda.traffic import Access, Traffic

__all__ = ["Access", "CompileError", "Finding", "KernelError", "Source", "Traffic", "load_ipython_extension"]
