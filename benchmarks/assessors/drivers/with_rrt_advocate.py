"""Drives rrt-advocate: any level but green; an engine a text, as it remembers its user."""

from rrt_advocate import CrisisEngine, CrisisLevel
from serve import serve

serve(lambda text: {"crisis": float(CrisisEngine("someone").assess(text).crisis_level is not CrisisLevel.GREEN)})
