"""What no schema can say: a cursor is sealed, and belongs to one list.

Where a valid request is meant to carry a cursor, and has none that the service gave out for that very list, it gets one.
Requests that are meant to be wrong go out as they are.

And what schemathesis 4.32.5 says wrongly: its stateful phase makes up identifiers that the document's own pattern excludes
(U+0089 for one) and, once they are percent-encoded, calls them valid. Those are left out; the other phases send them, as
invalid ones.
"""

import json
import re
import urllib.request
from urllib.parse import unquote

import schemathesis

# has more photos than fit on a page of one
PERSON = "anna"

# as in the document
NO_CONTROL_CHARACTERS = re.compile(r"[^\u0000-\u001f\u007f-\u009f]*")

# (path, cursor) as the service gave them out
given = set()


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 200 and '"nextCursor"' in response.text:
        given.add((case.formatted_path, response.json()["nextCursor"]))


@schemathesis.hook
def before_call(context, case, kwargs):
    query = case.query or {}
    is_meant_well = case.meta is not None and case.meta.generation.mode.is_positive
    person = (case.path_parameters or {}).get("personId")
    is_stateful = case.meta is not None and case.meta.phase.name.value == "stateful"
    if is_stateful and person is not None and not NO_CONTROL_CHARACTERS.fullmatch(unquote(str(person))):
        case.path_parameters["personId"] = PERSON
    if not is_meant_well or "cursor" not in query or (case.formatted_path, query["cursor"]) in given:
        return
    if "personId" in (case.path_parameters or {}):
        case.path_parameters["personId"] = PERSON
    query["cursor"] = first_cursor(case.operation.base_url, case.formatted_path)


def first_cursor(base_url, path):
    with urllib.request.urlopen(f"{base_url.rstrip('/')}{path}?limit=1") as answer:
        cursor = json.load(answer)["nextCursor"]
    given.add((path, cursor))
    return cursor
