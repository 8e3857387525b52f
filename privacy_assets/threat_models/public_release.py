"""public_release: anybody may have a release for good, knows much about some people, and tries whatever there is.

The ceilings are those of the field where there are any: an excess of 0.05 at the upper end of its interval, and 0.09
as counted for the one percent of people who are least like others (the threshold of EMA policy 0070 and Health Canada
for data that is published): they are too few for an interval. Both are parameters. What is guessed right half the time
without any release cannot be told from an excess of 0.09 among few: attribute inference is judged on everyone, and only
told of the most exposed.

Of a model it is asked how many more members than strangers are called members where one stranger in a hundred is: 0.02
at the upper end, which 2,000 people of either sort can show; where one in a thousand is: 0.0075 as counted, of whom two
thousand have two; and where every second is: 0.09, which is where 2,000 can tell an excess from chance. A model that
nobody can tell from one without these people has 0.01 and 0.001 of true positives. Of rows of nobody that are planted
in models of its sort the same is asked, with the same ceilings where one in a hundred and where every second that was
not planted is called planted: by 2,000 of either sort a model that remembers none is hardly ever refused
(`tries_that_decide` asks for 1,498 and 1,590).
"""

from __future__ import annotations

from typing import ClassVar, Literal

from privacy_assets.threat_models._everything import Ceilings
from privacy_assets.threat_models._everything import on_anonymized as on_anonymized
from privacy_assets.threat_models._everything import on_model as on_model
from privacy_assets.threat_models._everything import on_synthetic as on_synthetic

WHO = "anybody, for good"


class Parameters(Ceilings):
    """The ceilings as they are."""

    STRENGTH: ClassVar[int] = 2

    kind: Literal["public_release"]
