"""seed.py USERS FIRST_ID - profiles of the peers into MongoDB and Redis.

What a monolith that has been running for a while looks like: every profile
is stored and still in the cache.
"""

import json
import os
import sys

import redis
from pymongo import MongoClient

from storage import PROFILE_TTL, SHARDS, profile_key, profile_of


def main():
    users, first = int(sys.argv[1]), int(sys.argv[2])
    mongo = MongoClient(os.environ["MONGO_URL"])
    cache = redis.Redis.from_url(os.environ["REDIS_URL"])
    for shard in range(SHARDS):
        mongo.drop_database(f"peer{shard}")
        mongo[f"peer{shard}"].users.create_index("user_id", unique=True)
    people = [profile_of(i) for i in range(first, first + users)]
    for shard in range(SHARDS):
        mine = [p for p in people if p["user_id"] % SHARDS == shard]
        for i in range(0, len(mine), 1000):
            mongo[f"peer{shard}"].users.insert_many(
                [dict(p) for p in mine[i:i + 1000]])
    with cache.pipeline(transaction=False) as pipe:
        for p in people:
            pipe.set(profile_key(p["user_id"]), json.dumps(p), ex=PROFILE_TTL)
        pipe.execute()


if __name__ == "__main__":
    main()
