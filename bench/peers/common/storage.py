"""Storage of the peers: the roadmap's monolith after its phases 2 and 3.

user_id % 3 names one of three databases; profiles are cached aside in Redis
for 300 s; acknowledged majority writes, as familybot does.

The day's figures: "aggregate" is the roadmap's pipeline over food_analysis,
right where the server has secondary indexes.  "counter" keeps the day's sums
by $inc in a document of its own: for a server that knows no secondary index
(the pipeline would scan the collection), so that the peer is not measured by
a weakness of the test server.
"""

import json
import os
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import redis.asyncio
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, ReturnDocument

SHARDS = 3
PROFILE_TTL = 300
FIGURES = ("kcal", "protein", "fat", "carb")


def profile_key(user_id):
    return f"user:{user_id}"


def profile_of(user_id):
    """A person as stored; also what bench/peers/common/seed.py writes."""
    return {
        "user_id": user_id, "name": "Анна", "lang": "ru", "sex": "female",
        "birth_year": 1990, "height_cm": 165, "weight_kg": 60.0,
        "activity": "light", "goal": "keep", "target_kcal": 1815,
        "zone": "Europe/Moscow",
    }


class Storage:
    def __init__(self):
        self.mongo = AsyncMongoClient(
            os.environ["MONGO_URL"], maxPoolSize=50, minPoolSize=10, w="majority")
        self.redis = redis.asyncio.Redis.from_url(
            os.environ["REDIS_URL"], decode_responses=True)
        self.dbs = [self.mongo[f"peer{i}"] for i in range(SHARDS)]
        self.counter = os.environ.get("PEER_DAY", "aggregate") == "counter"

    def db(self, user_id):
        return self.dbs[user_id % SHARDS]

    async def open(self):
        for db in self.dbs:
            await db.food_analysis.create_index(
                [("user_id", ASCENDING), ("date", DESCENDING)])
            await db.users.create_index([("user_id", ASCENDING)], unique=True)

    async def close(self):
        await self.mongo.close()
        await self.redis.aclose()

    async def profile(self, user_id):
        cached = await self.redis.get(profile_key(user_id))
        if cached:
            return json.loads(cached)
        user = await self.db(user_id).users.find_one(
            {"user_id": user_id}, {"_id": 0})
        if user is None:
            user = profile_of(user_id)
            await self.db(user_id).users.insert_one(dict(user))
        await self.redis.set(
            profile_key(user_id), json.dumps(user), ex=PROFILE_TTL)
        return user

    async def add(self, user, chat_id, message_id, at, items):
        """Stores a meal; returns what the person's day adds up to."""
        user_id = user["user_id"]
        db = self.db(user_id)
        sums = {f: round(sum(i[f] for i in items), 1) for f in FIGURES}
        when = datetime.fromtimestamp(at, timezone.utc)
        await db.food_analysis.insert_one({
            "user_id": user_id, "date": when, "chat_id": chat_id,
            "message_id": message_id, "items": items, "sums": sums,
        })
        local = when.astimezone(ZoneInfo(user["zone"]))
        start = local.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.counter:
            return await db.days.find_one_and_update(
                {"_id": f"{user_id}:{start:%Y%m%d}"}, {"$inc": sums},
                upsert=True, return_document=ReturnDocument.AFTER)
        cursor = await db.food_analysis.aggregate([
            {"$match": {"user_id": user_id, "date": {
                "$gte": start, "$lt": start + timedelta(days=1)}}},
            {"$group": {"_id": None, **{
                f: {"$sum": f"$sums.{f}"} for f in FIGURES}}},
        ])
        return (await cursor.to_list())[0]
