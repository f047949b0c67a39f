"""load.py URL SECRET_FILE SECONDS - four kept connections send food updates of
many users; each must be answered 200.  Prints a line; exits 1 on a lost one.
"""
import http.client
import json
import sys
import threading
import time
import urllib.parse

CONNECTIONS = 4


def update(number, worker):
    user = 710000000 + worker * 1000 + number % 50
    return json.dumps({"update_id": 800000000 + number * CONNECTIONS + worker, "message": {
        "message_id": number + 1, "date": int(time.time()), "text": "100 g of rice",
        "from": {"id": user, "is_bot": False, "first_name": "Load", "language_code": "en"},
        "chat": {"id": user, "first_name": "Load", "type": "private"}}})


def send(host, secret, worker, until, lost, count):
    number = 0
    connection = http.client.HTTPConnection(host, timeout=30)
    while time.monotonic() < until:
        try:
            connection.request("POST", "/api/webhook", update(number, worker), {
                "Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                lost.append(f"{answer.status} {body[:200]!r}")
        except (OSError, http.client.HTTPException) as error:
            lost.append(repr(error))
            connection.close()
        number += 1
        count[worker] = number


def main():
    host = urllib.parse.urlsplit(sys.argv[1]).netloc
    with open(sys.argv[2], encoding="ascii") as file:
        secret = file.readline().strip()
    until = time.monotonic() + float(sys.argv[3])
    lost, count = [], [0] * CONNECTIONS
    threads = [threading.Thread(target=send, args=(host, secret, worker, until, lost, count))
               for worker in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sum(count)} requests, {len(lost)} lost", *lost[:5])
    return 1 if lost or sum(count) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
