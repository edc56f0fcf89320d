"""The functions and variables that the kernel gives to modules, a file for each area (:mod:`.registry` says how)."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from sysfsd.kernel.exports.registry import AREAS, Export, Exports

__all__ = ["AREAS", "Export", "Exports"]

# Each file declares what it models when it is imported.
for _area in iter_modules(__path__, __name__ + "."):
    import_module(_area.name)
