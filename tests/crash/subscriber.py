"""A subscriber of the tests, which is killed at any moment: appends each event that it handles to a file.

subscriber.py BASE_URL TOKEN NAME FILE [dies]

With `dies` it ends by itself between the first batch and its acknowledgement.
"""
import json, os, sys, time, urllib.error, urllib.request
from datetime import datetime

url, token, name, path, *dies = sys.argv[1:]
# How long before the end of its lease a reader leaves the rest: longer than a busy machine lets it wait between two lines.
MARGIN = 1.5
file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(method, path, body=None):
    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/api/subscriptions/{name}{path}", data, headers, method=method)
    with opener.open(request, timeout=60) as answer:
        return json.load(answer)


while True:
    try:
        batch = call("GET", "/events?wait=5s&limit=100&lease=3s")
        for event in batch["events"]:
            # A lease that is about to end is another reader's: what is left comes again.
            if time.time() > datetime.fromisoformat(batch["expires_at"].replace("Z", "+00:00")).timestamp() - MARGIN:
                raise TimeoutError("too slow for the lease")
            # One write is one line, also beside other processes.
            os.write(file, f"{event['id']} {event['partitionkey']} {event['sequence']}\n".encode())
        if batch["lease"]:
            if dies:
                os._exit(1)
            call("POST", "/ack", {"lease": batch["lease"]})
    except urllib.error.HTTPError as error:
        if error.code != 409 and error.code < 500:
            sys.exit(f"{error.code}: {error.read().decode()}")
        time.sleep(0.05)
    except (OSError, ValueError) as error:
        time.sleep(0.05)
