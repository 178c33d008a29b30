"""Why the rules chose a reviewer, as coordinators read it."""

from __future__ import annotations

from collections.abc import Mapping

from labels.reviews.suiting import Drawback
from labels.words.sentences import Sentence, say

DRAWBACKS: Mapping[str, Sentence] = {
    Drawback.WISH.value: say("what they wish"),
    Drawback.LANGUAGE.value: say("the language"),
    Drawback.SUBJECT.value: say("the subject"),
    Drawback.AGE.value: say("the pupils’ age"),
    Drawback.PARTNER.value: say("judged a partner of the project"),
    Drawback.NAME.value: say("a name like a member’s"),
    Drawback.SAME_SCHOOL.value: say("a school with another reviewer"),
    Drawback.ONE_SIDED.value: say("all new, or all experienced"),
}
"""What the rules weigh, as it is written before what it costs."""
