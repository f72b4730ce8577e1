"""Undo and redo."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class History(Generic[T]):
    """A series of states, of which the last one in `done` is the present one.

    Parameters
    ----------
    first : object
        The state to begin with.

    Attributes
    ----------
    done : list
        The states until now, the oldest first. All but the first can be undone.
    undone : list
        The states that can be redone, the next one last.
    """

    def __init__(self, first: T) -> None:
        self.done, self.undone = [first], list[T]()

    @property
    def now(self) -> T:
        """The present state."""
        return self.done[-1]

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to undo."""
        return len(self.done) > 1

    @property
    def can_redo(self) -> bool:
        """Whether there is a change to redo."""
        return bool(self.undone)

    def add(self, state: T) -> None:
        """Go on with another state; what was undone cannot be redone any more."""
        self.done.append(state)
        self.undone.clear()

    def undo(self) -> T | None:
        """Go back to the state before; return the one that was left, None if there is none before it."""
        if not self.can_undo:
            return None
        self.undone.append(self.done.pop())
        return self.undone[-1]

    def redo(self) -> T | None:
        """Return to the state that was undone last, and return it; None if there is none."""
        if not self.undone:
            return None
        self.done.append(self.undone.pop())
        return self.now
