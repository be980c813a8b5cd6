"""The one error tree.

* DenXanhError
  x ConfigError            a file that people write is wrong
    - CorridorError        catalogue corridor (streets, signals, plans, demand)
    - SiteError            SITE.toml
    - ProfileError         cabinet profile (register map)
    - CityError            the city's file: indicators, reports, rules, feeds
  x NetworkError           a SUMO net or scenario cannot be used
  x GuardError             an intersection's timings cannot hold the guard's invariants together
  x MissingExtraError      an optional part is not installed
  x SimulationError        SUMO failed or ended
  x WireError              something came (or did not come) over a wire
    - UnreachableError     the peer does not answer
    - FrameError           the peer answered something that is not what the map says
    - RequestError         a request (emergency route, bus, flood) is no request, or was refused
    - SampleError          a VDS sample is not used
  x FeedError              a receiver of the centre's data did not take it
    - RefusedError         it will never take this message as it is
  x ReportError            a report or a measure cannot be made
  x SecretError            a key, a certificate or a token cannot be used
  x AccessError            a person may not do this at the centre, or an account cannot be so
  x LeaseError             another controller holds the state folder
  x PortInUseError         a server's port is taken
  x JournalError           a journal cannot be written or read
  x ClockError             the lock-step clock channel broke
  x ModelError             a learned model cannot be used, or may not be
  x TrainingError          a training run cannot start or go on

Every error says what is wrong, where, and what to do. The command line prints `str(error)` and
exits with status 1; only a bug shows a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class DenXanhError(Exception):
    """Root of every error that this package raises on purpose.

    Args:
        what: what is wrong, one sentence.
        where: file and field, host and port, register, intersection: whatever names the place.
        fix: what the reader can do about it.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where, fix)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f" ({self.fix})" if self.fix else ""
        return f"{place}{self.what}{remedy}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors cross process borders whole, whatever their constructor asks for."""
        return _again, (type(self), self.args, dict(self.__dict__))


def _again(kind: type[DenXanhError], args: tuple[Any, ...], state: Mapping[str, Any]) -> DenXanhError:
    """The error that was pickled."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigError(DenXanhError):
    """A file that people write is wrong; `defects` holds every one that was found in one run."""

    def __init__(
        self, what: str, *, where: str = "", fix: str = "", defects: Sequence[DenXanhError] = ()
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.defects = tuple(defects)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  - {defect}" for defect in self.defects)])


class CorridorError(ConfigError):
    """A catalogue corridor is wrong."""


class SiteError(ConfigError):
    """A SITE.toml is wrong."""


class ProfileError(ConfigError):
    """A cabinet profile is wrong."""


class CityError(ConfigError):
    """The city's file (`city.toml`) is wrong."""


class NetworkError(DenXanhError):
    """A SUMO net or scenario cannot be used."""


class GuardError(DenXanhError):
    """An intersection's timings cannot hold the guard's invariants together."""


class MissingExtraError(DenXanhError):
    """An optional part of the installation is absent."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed", fix=f"pip install 'denxanh[{extra}]'")
        self.package = package
        self.extra = extra


class SimulationError(DenXanhError):
    """SUMO failed or ended."""


class WireError(DenXanhError):
    """Something came, or did not come, over a wire."""


class UnreachableError(WireError):
    """The peer does not answer."""


class FrameError(WireError):
    """The peer answered something that its map does not allow."""


class FeedError(DenXanhError):
    """A receiver of the centre's data did not take it."""


class RefusedError(FeedError):
    """A receiver will never take a message as it is: trying again is of no use, others may pass."""


class ReportError(DenXanhError):
    """A report or a measure cannot be made from what is stored."""


class SecretError(DenXanhError):
    """A key, a certificate or a token cannot be used."""


class AccessError(DenXanhError):
    """A person may not do this at the centre; `reason` is one of `controller.centre.people.refusal.Refusal`.

    `wait_s` says after how many seconds it can be tried again; 0 where waiting does not help.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "", reason: str, wait_s: int = 0) -> None:
        super().__init__(what, where=where, fix=fix)
        self.reason = reason
        self.wait_s = wait_s


class RequestError(WireError):
    """A request (emergency route, bus, flood) is no request, or was refused."""


class SampleError(WireError):
    """A VDS sample is not used; `reason` is one of `controller.vds.arrival.Reason`."""

    def __init__(self, what: str, *, where: str = "", fix: str = "", reason: str) -> None:
        super().__init__(what, where=where, fix=fix)
        self.reason = reason


class LeaseError(DenXanhError):
    """Another controller holds the state folder."""


class PortInUseError(DenXanhError):
    """A server's port is taken."""


class JournalError(DenXanhError):
    """A journal cannot be written or read."""


class StoreError(DenXanhError):
    """The centre's database cannot be opened, read or written."""


class ClockError(DenXanhError):
    """The lock-step clock channel broke."""


class ModelError(DenXanhError):
    """A learned model cannot be used, or may not be."""


class TrainingError(DenXanhError):
    """A training run cannot start or go on."""
