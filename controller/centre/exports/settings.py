"""`[exports]` of the city's file: who publishes, how data is classified, which way around a closed street."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_Text = Annotated[str, Field(min_length=1, max_length=300)]


class Diversion(BaseModel):
    """A way around a street, decided by people: the centre never makes one up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approach: _Text
    """The edge that may be closed."""
    text_vi: _Text
    text_en: _Text


class Exports(BaseModel):
    """What goes into every data set beside the data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    publisher_vi: _Text = "Trung tâm Quản lý và Điều hành giao thông đô thị, Sở Xây dựng thành phố Cần Thơ"
    publisher_en: _Text = "Urban traffic management centre, Department of Construction, Cần Thơ"
    contact: Annotated[str, Field(max_length=300)] = ""
    classification: Annotated[str, Field(max_length=100)] = ""
    """Of shared data, by the city's own list; empty: the city has not said (never assumed)."""
    licence: Annotated[str, Field(max_length=300)] = ""
    """Of open data; empty: the city has not said."""
    diversion: tuple[Diversion, ...] = ()

    def around(self, approach: str) -> Diversion | None:
        """The way around a closed approach; None where nobody has decided one."""
        return next((one for one in self.diversion if one.approach == approach), None)
