"""
A file that comes as a part of a multipart body (https://www.rfc-editor.org/rfc/rfc7578), written to disk as it arrives.

Nothing of it is held in memory but the chunk under way. Parts with other names are passed over. A form of a page, which
is small or bounded by who reads it, is read whole instead: its fields, and its files by name.
"""

from typing import IO, Any

from msgspec import Struct
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import FormParser, MultipartParser, parse_options_header

from endcap.api.http import Request
from endcap.errors import FaultyFields, MalformedBody, UnsupportedMediaType

_INVALID = "Invalid upload provided"


def boundary_of(request: Request) -> bytes:
    """Raises UnsupportedMediaType, MalformedBody."""
    content_type, options = parse_options_header(request.header(b"content-type") or "")
    if content_type != b"multipart/form-data":
        raise UnsupportedMediaType(
            "The body must be a form with a file: send Content-Type multipart/form-data",
            {"content_type": [f"Cannot be {content_type.decode('latin-1') or 'missing'}"]},
        )
    boundary = options.get(b"boundary")
    if not boundary:
        raise _malformed("The Content-Type names no boundary")
    return boundary


class FilePart:
    """Writes the part of one name to an open file. Its `write` and `end` may be called in any thread, one at a time."""

    def __init__(self, boundary: bytes, name: str, file: IO[bytes]) -> None:
        self._name = name.encode()
        self._file = file
        self._header = b""
        self._value = b""
        self._is_ours = False
        self._count = 0
        self._has_ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_begin": self._begin_header,
                    "on_header_field": self._add_to_header,
                    "on_header_value": self._add_to_value,
                    "on_header_end": self._end_header,
                    "on_part_data": self._add,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise _malformed(str(error)) from error

    def write(self, chunk: bytes) -> None:
        """Raises MalformedBody."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _malformed(str(error)) from error

    def end(self) -> None:
        """Raises MalformedBody for a body that is cut short, FaultyFields for one without the part, or with two."""
        if not self._has_ended:
            raise _malformed("It is cut short: the last boundary is missing")
        if self._count != 1:
            said = f"Missing required part: {self._name.decode()}"
            if self._count:
                said = f"Must be one part, not {self._count}"
            raise FaultyFields(_INVALID, {self._name.decode(): [said]})

    def _begin_part(self) -> None:
        self._is_ours = False

    def _begin_header(self) -> None:
        self._header = self._value = b""

    def _add_to_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value.decode("latin-1"))
            if options.get(b"name") == self._name:
                self._is_ours = True
                self._count += 1

    def _add(self, data: bytes, start: int, end: int) -> None:
        if self._is_ours and self._count == 1:
            self._file.write(data[start:end])

    def _end(self) -> None:
        self._has_ended = True


class SentFile(Struct, frozen=True):
    """A file of a form; `name` is what the sender calls it, without folders."""

    name: str
    content: bytes


class Parts(Struct, frozen=True):
    """A form, in its order. A file that nobody chose is left out."""

    fields: list[tuple[str, str]]
    files: dict[str, SentFile]


def parts_of(boundary: bytes, body: bytes, *, fields_max: int) -> Parts:
    """Raises MalformedBody."""
    reader = _Reader(boundary, len(body), fields_max)
    try:
        reader.parser.write(body)
        reader.parser.finalize()
    except FormParserError as error:
        raise _malformed(str(error)) from error
    if not reader.has_ended:
        raise _malformed("It is cut short: the last boundary is missing")
    return reader.parts


class _Reader:
    """One form under way. Its parser keeps files in memory, which the size of the body bounds."""

    def __init__(self, boundary: bytes, size: int, fields_max: int) -> None:
        self.parts = Parts([], {})
        self.has_ended = False
        self._fields_max = fields_max
        self._count = 0
        try:
            self.parser = FormParser(
                "multipart/form-data",
                self._add_field,
                self._add_file,
                self._end,
                boundary=boundary,
                config={"MAX_MEMORY_FILE_SIZE": size + 1, "UPLOAD_ERROR_ON_BAD_CTE": True},
            )
        except FormParserError as error:
            raise _malformed(str(error)) from error

    def _add_field(self, field: Any) -> None:
        self._take()
        self.parts.fields.append((_text(field.field_name), _text(field.value)))

    def _add_file(self, file: Any) -> None:
        self._take()
        content = file.file_object.getvalue()
        name = _text(file.file_name).replace("\\", "/").rpartition("/")[2]
        if name or content:
            self.parts.files[_text(file.field_name)] = SentFile(name, content)

    def _take(self) -> None:
        self._count += 1
        if self._count > self._fields_max:
            raise _malformed(f"It has more than {self._fields_max} parts")

    def _end(self) -> None:
        self.has_ended = True


def _text(sent: bytes | None) -> str:
    try:
        return (sent or b"").decode()
    except UnicodeDecodeError as error:
        raise _malformed("A name or a field is not UTF-8") from error


def _malformed(said: str) -> MalformedBody:
    return MalformedBody(_INVALID, {"body": [f"Cannot be read as multipart/form-data: {said}"]})
