"""What schemathesis must know of Kizuna that the OpenAPI document can't tell it.

Loaded by schemathesis.toml when a run of ./scripts/fuzz-api begins, with KIZUNA_URL in the environment.
"""

import atexit
import collections
import itertools
import json
import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import ObjectLevelAuthorizationViolation, RejectedPositiveData

URL = os.environ["KIZUNA_URL"]
ACCOUNTS = {
    account["name"]: account["loginEndpointAuth"]["payloadUserPwd"]
    for account in json.loads(Path(__file__).with_name("accounts.json").read_text())["auth"]
}

# Why a right request may still be refused, by the `code` of the answer or, if the answer blames fields, by
# theirs: facts that no schema can tell.
FACTS = {
    "already_undone": "what became of a saga meanwhile",
    "approval_not_pending": "what was decided before",
    "before_from": "how two parameters compare",
    "cell_too_long": "what the content of a file is",
    "changed_since": "how often a record was changed",
    "common_password": "which passwords are common",
    "cursor_reset": "whether the server made it, and for this log",
    "customer_not_found": "whether a record exists",
    "deal_closed": "which stage a record has",
    "deal_of_another_customer": "whose a record is",
    "delete_alone": "how two fields compare",
    "duplicate_customer": "whether somebody has the address already",
    "email_taken": "whether somebody has the address already",
    "file_empty": "what the content of a file is",
    "file_has_nul": "what the content of a file is",
    "file_type_not_allowed": "what the content of a file is",
    "file_without_name": "what the name of a file is",
    "forbidden": "the caller's role",
    "formula_cell": "what the content of a file is",
    "header_twice": "what the content of a file is",
    "ids_or_filter": "how two fields compare",
    "import_not_previewed": "what became of an import meanwhile",
    "import_previewed_by_another": "who the caller is",
    "in_future": "what time it is",
    "invalid_credentials": "whether they are somebody's",
    "invalid_cursor": "whether the server made it, and for this list",
    "https_required": "what the server allows",
    "invalid_url": "what a URL is",
    "private_address": "what the server allows",
    "too_many_webhooks": "how many there are",
    "url_with_credentials": "what a URL is",
    "url_with_fragment": "what a URL is",
    "webhook_disabled": "what became of a webhook meanwhile",
    "invalid_token": "whether the server made it",
    "known_words": "whose password it is",
    "lease_lost": "whether the server made it, and how long ago",
    "mention_cannot_read": "who may read a record",
    "merge_conflict": "what became of a record meanwhile",
    "name_taken": "which names others have",
    "no_records": "what a list has under a filter",
    "not_a_dead_letter": "what became of an event meanwhile",
    "not_a_sheet": "what the content of a file is",
    "not_in_future": "what time it is",
    "not_found": "whether a record exists and is the caller's to see",
    "not_lost": "how two fields compare, or a field and the record",
    "not_undoable": "what a saga did",
    "nothing_to_change": "how two fields compare",
    "of_the_file": "which columns a file has, and of what",
    "of_the_list": "which filters, orders and columns a list has",
    "own_account": "who the caller is",
    "own_approver": "how a field compares with the record, or the caller",
    "own_manager": "how a field compares with the path",
    "own_request": "who the caller is",
    "ragged_row": "what the content of a file is",
    "range_too_long": "how two parameters compare",
    "reason_of_a_loss": "how two fields compare, or a field and the record",
    "saga_not_completed": "what became of a saga meanwhile",
    "same_customer": "how a field compares with the path",
    "session_ended": "what was done with the token before",
    "stale_version": "how often the record was changed",
    "too_many_attachments": "how many there are",
    "too_many_columns": "what the content of a file is",
    "too_many_records": "what a list has under a filter",
    "too_many_subscriptions": "how many there are",
    "too_many_views": "how many there are",
    "too_many_mentions": "how many people a text mentions",
    "too_many_rows": "what the content of a file is",
    "unknown_approver": "whether a record exists",
    "unknown_customer": "whether a record exists",
    "unknown_deal": "whether a record exists",
    "unknown_manager": "whether a record exists",
    "unknown_mention": "whether a record exists",
    "unknown_user": "whether a record exists",
    "unpacks_too_large": "what the content of a file is",
    "upgrade_required": "whether the client speaks WebSocket",
    "wrong_encoding": "what the content of a file is",
    "wrong_password": "whether it is the caller's",
}

COUNT = itertools.count(1)
CURSORS = {}
ADDRESSES = set()
# How often each fact was met: said at the end, for a run that meets little else has tried nothing.
TOLD = collections.Counter()
atexit.register(lambda: print("facts met:", ", ".join(f"{code} {times}" for code, times in TOLD.most_common())))


# --- users ---------------------------------------------------------------------------------------


def login(email: str, password: str) -> dict:
    answer = requests.post(f"{URL}/api/auth/login", json={"email": email, "password": password}, timeout=10)
    answer.raise_for_status()
    return answer.json()


def create_user(email: str, password: str) -> None:
    """A SALES user; one who is there already stays."""
    answer = requests.post(
        f"{URL}/api/auth/users",
        json={"email": email, "name": "A fuzzed user", "role": "SALES", "password": password},
        headers={"Authorization": f"Bearer {ADMIN['access_token']}"},
        timeout=10,
    )
    if answer.status_code != 409:
        answer.raise_for_status()


def throwaway() -> tuple[dict, dict]:
    """The credentials and the session of a user that nobody will miss."""
    credentials = {
        "email": f"throwaway-{os.getpid()}-{next(COUNT)}@fuzz.example",
        "password": ACCOUNTS["admin"]["password"],
    }
    create_user(**credentials)
    return credentials, login(**credentials)


ADMIN = login(ACCOUNTS["admin"]["username"], ACCOUNTS["admin"]["password"])
for name in ("sales", "colleague"):
    create_user(ACCOUNTS[name]["username"], ACCOUNTS[name]["password"])
OWN_IDS = {login(account["username"], account["password"])["user"]["id"] for account in ACCOUNTS.values()}


# --- before each request -------------------------------------------------------------------------


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.method.upper() == "POST" and case.path.endswith(("/login", "/logout", "/password", "/refresh")):
        use_a_throwaway_session(case)
    if case.method.upper() == "DELETE" and "/auth/sessions/" in case.path:
        use_a_throwaway_session(case)
    if case.method.upper() in ("PATCH", "DELETE") and "/users/" in case.path:
        spare_the_own_users(case)
    use_an_idempotency_key_once(case)
    use_a_real_cursor(case)
    use_an_address_once(case)
    wait_for_a_second(case)


def use_a_throwaway_session(case):
    """These end a session, so never the run's own. On every second right request they succeed, too."""
    right = isinstance(case.body, dict) and not case.meta.is_negative_at(ParameterLocation.BODY)
    if case.auth_identity is None and not right:
        return
    credentials, session = throwaway()
    if case.auth_identity is not None:
        case.headers["Authorization"] = f"Bearer {session['access_token']}"
    if right and next(COUNT) % 2:
        real = {
            **credentials,
            "current_password": credentials["password"],
            "refresh_token": session["refresh_token"],
        }
        case.body.update({field: real[field] for field in case.body if field in real})


def spare_the_own_users(case):
    """The run would lock itself out: another user stands in for its own."""
    for parameter, value in case.path_parameters.items():
        if str(value) in OWN_IDS:
            case.path_parameters[parameter] = throwaway()[1]["user"]["id"]


def use_an_idempotency_key_once(case):
    """Generated keys repeat, and the same key with another body is refused as it should be."""
    if case.headers and not case.meta.is_negative_at(ParameterLocation.HEADER):
        for header in [name for name in case.headers if name.lower() == "idempotency-key"]:
            case.headers[header] = f"fuzz-{os.getpid()}-{next(COUNT)}"


def use_a_real_cursor(case):
    """No generated text is one: a right request gets the last one seen of its list, or none."""
    if case.query and "cursor" in case.query and not case.meta.is_negative_at(ParameterLocation.QUERY):
        del case.query["cursor"]
        if cursor := CURSORS.get(list_of(case)):
            case.query["cursor"] = cursor


def wait_for_a_second(case):
    """A right request may wait longer than an answer of the run may take."""
    if case.query and "wait" in case.query and not case.meta.is_negative_at(ParameterLocation.QUERY):
        case.query["wait"] = "1s"


@schemathesis.hook
def after_call(context, case, response):
    for link in response.headers.get("link", []):
        query = parse_qs(urlsplit(link.split(">")[0]).query)
        for cursor in query.get("cursor", []):
            CURSORS[list_of(case)] = cursor


def list_of(case) -> tuple:
    """What a cursor is good for."""
    return case.formatted_path, (case.query or {}).get("sort")


def use_an_address_once(case):
    """Generated addresses repeat; half of those that do make room for a new one."""
    if not isinstance(case.body, dict) or case.meta.is_negative_at(ParameterLocation.BODY):
        return
    address = case.body.get("email")
    if not address or case.path.endswith("/login"):
        return
    if address in ADDRESSES and next(COUNT) % 2:
        address = case.body["email"] = f"fuzz-{os.getpid()}-{next(COUNT)}@fuzz.example"
    ADDRESSES.add(address)


# --- after each failure --------------------------------------------------------------------------


@schemathesis.hook
def filter_failure(context, failure, case, response) -> bool:
    """False, so that the failure is dropped, where a right request met a fact or a right answer looks wrong."""
    if isinstance(failure, RejectedPositiveData):
        return not names_facts(case, response)
    if isinstance(failure, ObjectLevelAuthorizationViolation):
        return not is_a_card(case, response)
    return True


def names_facts(case, response) -> bool:
    problem = response.json()
    errors = problem.get("errors", [])
    codes = [code_of(case, error) for error in errors] or [problem["code"]]
    told = all(code in FACTS for code in codes)
    if told:
        TOLD.update(codes)
    return told


def code_of(case, error) -> str:
    if is_of_the_list(case, error):
        return "of_the_list"
    if is_of_the_file(case, error):
        return "of_the_file"
    # A deal that becomes LOST needs its reason, and no other may have one.
    is_reason = error["code"] == "required" and error["field"].endswith("lost_reason")
    return "reason_of_a_loss" if is_reason else error["code"]


def is_of_the_list(case, error) -> bool:
    """Which filters, orders and columns there are differs from list to list, and the list is a field beside them."""
    return case.path.endswith(("/bulk", "/views", "/views/{id}")) and error["field"].split(".")[0] in (
        "filter",
        "sort",
        "columns",
    )


def is_of_the_file(case, error) -> bool:
    """The columns are the file's, in a form they are JSON as text, and only customers are found by their address."""
    if not case.path.startswith("/api/imports"):
        return False
    field, code = error["field"].split(".")[0], error["code"]
    if field == "mapping":
        is_text = case.path == "/api/imports" and code == "invalid_type"
        return is_text or code in ("unknown_header", "mapped_twice", "invalid_choice")
    return field == "match_on" and isinstance(case.body, dict) and case.body.get("match_on") == "email"


def is_a_card(case, response) -> bool:
    """Everybody may see of everybody what stands on a card (SPEC §1), and no more."""
    return case.path == "/api/auth/users/{id}" and response.json().keys() == {"id", "name", "role"}
