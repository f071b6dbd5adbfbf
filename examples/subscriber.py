"""Handles events of Kizuna: each at least once, in order per partitionkey. Run several to share the work.

KIZUNA_URL=http://127.0.0.1:8080 KIZUNA_TOKEN=... python3 examples/subscriber.py NAME [TYPE ...]
"""
import json, os, sys, time, urllib.error, urllib.request

BASE = os.environ.get("KIZUNA_URL", "http://127.0.0.1:8080") + "/api/subscriptions/" + sys.argv[1]
HEADERS = {"Authorization": "Bearer " + os.environ["KIZUNA_TOKEN"], "Content-Type": "application/json"}

def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, HEADERS, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)

def handle(event):  # Yours. After a crash an event may come again: remember its id where you store its effect.
    print(event["id"], event["partitionkey"], event["sequence"], event["type"], flush=True)

made = False
while True:
    try:
        made = made or call("PUT", "", {"types": sys.argv[2:]})
        batch = call("GET", "/events?wait=20s&limit=100")
        for event in batch["events"]:
            handle(event)
        if batch["lease"]:
            call("POST", "/ack", {"lease": batch["lease"]})
    except urllib.error.HTTPError as error:
        if error.code not in (409, 429) and error.code < 500:  # 409: the lease was lost, its events come again.
            sys.exit(f"{error.code}: {error.read().decode()}")
        time.sleep(0.2)
    except (OSError, ValueError) as error:  # The server is away, or went away in the middle of its answer.
        print(error, file=sys.stderr)
        time.sleep(1)
