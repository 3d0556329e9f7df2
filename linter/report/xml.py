"""Writing XML: what JUnit and Checkstyle have in common."""

from __future__ import annotations

from xml.etree import ElementTree


def document(root: ElementTree.Element) -> str:
    """The whole document, indented, with a final newline.

    It is pure ASCII, other characters being references, so no terminal can garble it. Texts must
    be printable: XML 1.0 has no way to write most control characters.
    """
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="us-ascii", xml_declaration=False).decode("ascii")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'
