"""How likely each kind and place of a stay is, and how long a stay lasts: weights, with nothing chosen yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import age_on, birthday, year_of
from synth.lives.behaviour import BANDS
from synth.lives.draw import choose, flagged, within
from synth.lives.kinds import FOSTER, KINDS, LOCATIONS, PARENTS, KindRules
from synth.lives.legal import LATER, STATUSES
from synth.lives.people import age_group
from synth.lives.periods import DESTINATIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.dates import Days
    from synth.guidance import Guidance
    from synth.lives.behaviour import Behaviour
    from synth.lives.legal import LegalPath
    from synth.lives.periods import Entrants
    from synth.lives.streams import Streams

__all__ = ["MOST_STAYS", "Chances"]

MOST_STAYS = 60
"""A bound on placements in one period, far above what the lengths make likely; the last one is stretched."""
_STEADINESS = ("settled", "ordinary", "mobile")
_LENGTHS = ("short", "medium", "long", "very_long")
_GROUPS = (*BANDS, "unaccompanied")
_LONGEST = 10_000
_ADOPTED = DESTINATIONS.index("adoption")
_HOME = DESTINATIONS.index("home")


class Chances:
    """What the stays of many periods depend on; arrays have one entry a period, `rows` are indices into them.

    `key` names the draws of a child's placements, shared by those placed together, `end` the day each period leads
    to. `path` holds the legal statuses and `until` the first day not to be filled by choice: the placement set
    beforehand begins then (for adoption, or home under an order), or the period ends. Both change with `follow`.
    """

    def __init__(
        self,
        streams: Streams,
        behaviour: Behaviour,
        guidance: Guidance,
        who: Entrants,
        destination: NDArray[np.int8],
        end: Days,
        path: LegalPath,
        secure_inside: NDArray[np.bool_],
    ) -> None:
        self.streams, self.behaviour, self.who = streams, behaviour, who
        self.destination, self.end, self.secure_inside = destination, end, secure_inside
        self.rules = KindRules(behaviour, guidance)
        self.base = behaviour.profile.warm_up_from
        year = year_of(who.entry)
        joins = streams("placed together").uniform(who.name, who.number) < behaviour.scalars(
            "siblings.placed_together_share", year
        )
        self.key = np.where(joins, who.lead, who.name)
        # Children placed together are placed by the age of the one whose proceedings they share.
        self.reference = np.where(joins, who.lead_birth, who.birth)
        group = np.where(who.unaccompanied, len(BANDS), age_group(self.reference, who.entry))
        self.steady = choose(
            streams("steadiness").uniform(self.key, who.entry),
            behaviour.rows("placement.steadiness", year, group, _GROUPS, _STEADINESS),
        )
        self.by_carer = (destination == _ADOPTED) & (
            streams("adopted by foster carer").uniform(self.key, who.entry)
            < behaviour.scalars("placement.adoption_by_foster_carer_share", year)
        )
        self.path = path
        self.until = self.until_under(path, np.arange(len(end)))

    def follow(self, path: LegalPath) -> None:
        """Take other legal paths as the ones the stays have to suit."""
        changed = (path.start != self.path.start).any(axis=1) | (path.placed != self.path.placed)
        rows = flagged(changed)
        self.path, self.until = path, self.until.copy()
        self.until[rows] = self.until_under(path.only(rows), rows)

    def until_under(self, path: LegalPath, rows: NDArray[np.int64]) -> Days:
        """Return the first day not to be filled by choice under other paths, one row of `path` for each of `rows`."""
        return np.minimum(np.minimum(self.end[rows], path.placed), self.homecoming_under(path, rows))

    def homecoming_under(self, path: LegalPath, rows: NDArray[np.int64]) -> Days:
        """When a child whose care order is discharged at home goes to the parents (LATER: does not apply).

        `path` has one row for each of `rows`.
        """
        found = np.full(len(rows), LATER, np.int32)
        home = flagged(self.destination[rows] == _HOME)
        home = home[path.only(home).at(self.end[rows[home]] - 1) == STATUSES.index("C2")]
        rows = rows[home]
        low, high = self.behaviour.value("placement.home_before_discharge_days", self.base)
        u = self.streams("home before discharge").uniform(self.who.lead[rows], self.who.entry[rows])
        found[home] = np.maximum(self.end[rows] - within(u, low, high), path.start[home, STATUSES.index("C2")])
        return found

    def means(self, rows: NDArray[np.int64], start: Days, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the mean length in days of stays that begin on `start`; `steps` counts the stays before."""
        table = self.behaviour.rows(
            "placement.mean_days", year_of(start), self.steady[rows], _STEADINESS, ("first", "later")
        )
        return np.asarray(table[np.arange(len(rows)), np.minimum(steps, 1)])

    def least(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the days a period's last stay lasts at least: an order or a birthday is reached from a settled one."""
        least = self.behaviour.vector("placement.last_stay_at_least", self.base, DESTINATIONS)
        return np.asarray(least[self.destination[rows]])

    def stop(self, rows: NDArray[np.int64], start: Days, steps: NDArray[np.int64]) -> Days:
        """Draw when stays end; the last possible one and those that nearly reach `until` go on to it."""
        u = self.streams("length of stay in placement").uniform(self.key[rows], start)
        length = np.minimum(2 + np.floor(-self.means(rows, start, steps) * np.log(u)), _LONGEST).astype(np.int32)
        until = self.until[rows]
        stop = np.minimum(start + length, until)
        reaches = (until - stop < self.least(rows)) | (steps == MOST_STAYS - 1)
        return np.where(reaches, until, stop).astype(np.int32)

    def longer_at_home(self, rows: NDArray[np.int64], start: Days, stop: Days, kind: NDArray[np.int64]) -> Days:
        """Let stays with parents last some times longer than others, where the law allows it all along."""
        found = stop.copy()
        at_home = flagged(kind == PARENTS)
        rows, start, stop = rows[at_home], start[at_home], stop[at_home]
        times = self.behaviour.scalar("placement.parents_last_times", self.base)
        longer = start + np.minimum((stop - start) * times, _LONGEST).astype(np.int32)
        # The last stay of a period is not reached this way: it has to suit where the period leads.
        stays_on = longer + self.least(rows) < self.until[rows]
        stays_on &= self.lawful(rows, start, longer)[:, PARENTS]
        found[at_home] = np.where(stays_on, longer, stop)
        return found

    def lawful(self, rows: NDArray[np.int64], start: Days, stop: Days) -> NDArray[np.bool_]:
        """Say which kinds all statuses held from `start` to the eve of `stop` allow, shape (n, 16)."""
        return self.rules.lawful(self.path.only(rows).during(start, stop))

    def kinds(
        self, rows: NDArray[np.int64], start: Days, stop: Days, before: NDArray[np.int64], *, first: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return weights over KINDS of stays from `start` to `stop`, shape (n, 16); `before` is -1 for no stay before.

        What the law, the age or the way the period ends excludes has weight zero; every row has an option.
        """
        behaviour, rules, who = self.behaviour, self.rules, self.who
        birth, destination, until = who.birth[rows], self.destination[rows], self.until[rows]
        year = year_of(start)
        group = np.where(who.unaccompanied[rows], len(BANDS), age_group(self.reference[rows], start))
        weights = behaviour.rows("placement.kind", year, group, _GROUPS, KINDS)
        weights *= rules.after.take(before, axis=0)
        weights[first] *= rules.first
        # The law: every status held during the stay must allow it.
        during = self.path.only(rows).during(start, stop)
        lawful = rules.lawful(during)
        weights[during[:, STATUSES.index("J1")]] *= rules.on_remand
        age = age_on(birth, start)
        lawful &= rules.from_age <= age[:, None]
        infant, parent = rules.family_centre_ages
        lawful[:, KINDS.index("family_centre")] &= (birthday(birth, infant + 1) > stop) | (age >= parent)
        ends_here = stop >= until
        before_carer = ends_here & self.by_carer[rows]
        # Prospective adopters who foster first go on to adopt.
        lawful[:, KINDS.index("concurrent")] &= (
            before_carer & (start >= rules.concurrent_from) & (age < rules.concurrent_under)
        )
        # Locked doors are for one child of a family.
        alone = who.lead[rows] == who.name[rows]
        for kind in ("secure", "custody"):
            lawful[:, KINDS.index(kind)] &= alone
        # Nobody moves from parents to parents.
        lawful[:, PARENTS] &= (before != PARENTS) & ~(ends_here & (stop < self.end[rows]) & (destination != _ADOPTED))
        # The length of stay, and where the period leads.
        bucket = np.searchsorted(behaviour.value("placement.length_bounds", self.base), stop - start, side="right")
        weights *= behaviour.cells("placement.length_fit", year, bucket, KINDS, _LENGTHS)
        weights *= lawful
        last = flagged((ends_here & (stop >= self.end[rows])) | before_carer)
        leads = behaviour.rows(
            "placement.last_kind", year[last], destination[last].astype(np.int64), DESTINATIONS, KINDS
        )
        weights[last] *= np.where(before_carer[last][:, None], FOSTER[:-1], leads)
        # Where nothing usual is lawful for the stay, a foster carer of the authority always is.
        stuck = weights.sum(axis=1) == 0
        weights[stuck, KINDS.index("la_foster")] = 1.0
        return weights

    def locations(self, rows: NDArray[np.int64], kind: NDArray[np.int64], start: Days) -> NDArray[np.float64]:
        """Return weights over LOCATIONS, shape (n, 3); a secure home is inside only where there is one."""
        names = (*KINDS, "adoption")
        weights = self.behaviour.rows("placement.location", year_of(start), kind, names, LOCATIONS)
        weights[(kind == KINDS.index("secure")) & self.secure_inside[rows]] = (1.0, 0.0, 0.0)
        return weights

    def uniform(self, purpose: str, rows: NDArray[np.int64], *when: Any) -> NDArray[np.float64]:  # noqa: ANN401  whole numbers
        """Draw for stays by their key."""
        return self.streams(purpose).uniform(self.key[rows], *when)
