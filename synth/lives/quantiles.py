"""The quantiles of the normal distribution, from scipy, without all that scipy.special loads beside them."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["normal_quantiles"]

_PACKAGE, _COMPILED = "scipy.special", "_ufuncs"


@cache
def normal_quantiles() -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return `scipy.special.ndtri`, which gives the quantile for each probability in the open interval (0, 1).

    The package looks for other array libraries and loads all of numpy as it begins, which takes some tenth of the time
    of the main job. What is needed is compiled and stands in one module, which loads in a few milliseconds where the
    package does not begin first. Where that module is not found there, the package is loaded whole.
    """
    if _PACKAGE not in sys.modules:
        import scipy  # noqa: PLC0415

        bare = ModuleType(_PACKAGE)
        bare.__path__ = [str(Path(scipy.__file__).parent / "special")]
        sys.modules[_PACKAGE] = bare
        try:
            compiled = importlib.import_module(f"{_PACKAGE}.{_COMPILED}")
            return cast("Callable[[NDArray[np.float64]], NDArray[np.float64]]", compiled.ndtri)
        except (ImportError, AttributeError):
            pass  # another scipy, arranged otherwise
        finally:
            # Whoever asks for the package itself gets it.
            del sys.modules[_PACKAGE]
    from scipy.special import ndtri  # noqa: PLC0415

    return cast("Callable[[NDArray[np.float64]], NDArray[np.float64]]", ndtri)
