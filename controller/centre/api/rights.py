"""The right that each route asks for; there is no route below /api without one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from denxanh.controller.centre.people.access import Person, requires
from denxanh.controller.centre.people.rights import Right

view = Depends(requires(Right.VIEW))
"""For routers that only read."""
Viewer = Annotated[Person, view]
Holder = Annotated[Person, Depends(requires(Right.HOLD))]
Planner = Annotated[Person, Depends(requires(Right.PLAN))]
Releaser = Annotated[Person, Depends(requires(Right.RELEASE))]
Preempter = Annotated[Person, Depends(requires(Right.PREEMPT))]
Acknowledger = Annotated[Person, Depends(requires(Right.ACKNOWLEDGE))]
Editor = Annotated[Person, Depends(requires(Right.EDIT_PLANS))]
Auditor = Annotated[Person, Depends(requires(Right.AUDIT))]
export = Depends(requires(Right.EXPORT))
"""For routers that give out files."""
