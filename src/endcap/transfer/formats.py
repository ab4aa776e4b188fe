"""
Which of the formats of a catalog a file has: said by its name, or told by what is in it.
"""

import re
from enum import StrEnum
from pathlib import Path

from endcap.errors import UsageFault
from endcap.transfer.merchant import is_merchant_table
from endcap.transfer.rows import Format, csv_header, format_of, head_of
from endcap.transfer.xml_items import is_xml

_PAGE = re.compile(rb'\[?\s*\{\s*"(?:total|links|objects)"\s*:')
_OBJECT = re.compile(rb'\[?\s*\{[^{}]*"attributes"\s*:\s*\{')
_EXPORTED = re.compile(rb'"attributes"\s*:\s*\{')


class CatalogFormat(StrEnum):
    RECORDS = "records"
    """Objects as the API takes them, or flat records: JSON, CSV, Parquet."""
    MERCHANT = "merchant"
    """Google Merchant: RSS or Atom in XML, or a table."""
    CONTENT_EXPORT = "content-export"
    """What `GET /v1/content_export` answered."""


def catalog_format(path: Path, *, mapped: bool) -> CatalogFormat:
    """
    What a file is by its content. With a map everything but XML is records: the map says what its columns are.

    Raises UsageFault if there is nothing to read.
    """
    if path.is_dir():
        return CatalogFormat.CONTENT_EXPORT
    head = head_of(path)
    if is_xml(head):
        return CatalogFormat.MERCHANT
    match format_of(path):
        case Format.CSV if not mapped and is_merchant_table(csv_header(path).columns):
            return CatalogFormat.MERCHANT
        case Format.ANSWER | Format.JSON_ARRAY | Format.JSON_LINES if not mapped and _is_export(
            head
        ):
            return CatalogFormat.CONTENT_EXPORT
        case _:
            return CatalogFormat.RECORDS


def check_format(path: Path, format: CatalogFormat) -> None:
    """Raises UsageFault for a file that cannot have the format that was said."""
    if path.is_dir() and format is not CatalogFormat.CONTENT_EXPORT:
        raise UsageFault(f"{path} is a folder; only pages of a content export may be in one")
    if format is CatalogFormat.RECORDS and is_xml(head_of(path)):
        raise UsageFault(f"{path} is XML; of that only a Merchant feed is read: --format merchant")


def _is_export(head: bytes) -> bool:
    """A page whose objects have attributes, or such an object, at the beginning of a file."""
    if _PAGE.match(head):
        return _EXPORTED.search(head) is not None
    return _OBJECT.match(head) is not None and b'"url"' in head
