"""
A catalog to import into.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transfer.shop import Catalog, catalog_in


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with catalog_in(tmp_path) as made:
        yield made
