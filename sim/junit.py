"""Reports as JUnit XML, which continuous integration services show test by test."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from xml.etree import ElementTree

__all__ = ["Case", "junit_xml"]


@dataclass(frozen=True)
class Case:
    """One check of a report: ``failure`` says what is wrong, or is None."""

    group: str
    name: str
    seconds: float
    failure: str | None = None


# What XML 1.0 has no way to write.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _printable(case: Case) -> Case:
    failure = None if case.failure is None else _FORBIDDEN.sub("?", case.failure)
    return replace(case, name=_FORBIDDEN.sub("?", case.name), failure=failure)


def junit_xml(suite: str, cases: Sequence[Case]) -> str:
    """A document with one suite. No cases at all are a failed one: nothing was checked."""
    listed = list(cases) or [Case(suite, "nothing was checked", 0.0, "there are no checks")]
    failures = sum(case.failure is not None for case in listed)
    root = ElementTree.Element("testsuites")
    element = ElementTree.SubElement(
        root,
        "testsuite",
        name=suite,
        tests=str(len(listed)),
        failures=str(failures),
        errors="0",
        skipped="0",
        time=f"{sum(case.seconds for case in listed):.3f}",
    )
    for case in map(_printable, listed):
        test = ElementTree.SubElement(
            element, "testcase", classname=case.group, name=case.name, time=f"{case.seconds:.3f}"
        )
        if case.failure is not None:
            first = case.failure.splitlines()[0] if case.failure else "failed"
            ElementTree.SubElement(test, "failure", message=first).text = case.failure
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, "unicode")}\n'
