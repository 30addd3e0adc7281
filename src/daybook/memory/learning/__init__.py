"""Learning from outcomes: counts in, patterns out. Pure arithmetic: no clock, no I/O.

`Knowledge` counts lessons as they arrive; `evolve` finds in the counts the conditions under
which a choice does better or worse than elsewhere. Needs the extra `learning` (numpy).
"""

from daybook.memory.learning.evolution import PatternChange, evolve
from daybook.memory.learning.knowledge import Knowledge
from daybook.memory.learning.lessons import Lesson
from daybook.memory.learning.tuning import LearningSettings

__all__ = ["Knowledge", "LearningSettings", "Lesson", "PatternChange", "evolve"]
