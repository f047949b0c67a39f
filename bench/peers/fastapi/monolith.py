"""The roadmap's monolith in small: FastAPI, PyMongo (async), Redis."""

import hmac
import os
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

import phrases
import reply
from storage import Storage

SECRET = os.environ["WEBHOOK_SECRET"].encode()


@asynccontextmanager
async def lifespan(app):
    app.state.storage = Storage()
    await app.state.storage.open()
    yield
    await app.state.storage.close()


app = FastAPI(lifespan=lifespan, openapi_url=None)


@app.post("/api/webhook")
async def webhook(request: Request):
    given = request.headers.get("x-telegram-bot-api-secret-token", "")
    if not hmac.compare_digest(given.encode(), SECRET):
        return Response(status_code=401)
    message = (await request.json()).get("message")
    if not message or "text" not in message:
        return JSONResponse({})
    items = phrases.parse(message["text"])
    chat_id = message["chat"]["id"]
    if not items:
        return JSONResponse({
            "method": "sendMessage", "chat_id": chat_id,
            "text": "Не понял. Напишите, например: 100 г гречки"})
    storage = request.app.state.storage
    user = await storage.profile(message["from"]["id"])
    day = await storage.add(
        user, chat_id, message["message_id"], message["date"], items)
    keyboard = [
        [{"text": label, "callback_data": data} for label, data in row]
        for row in reply.buttons(message["message_id"])
    ]
    return JSONResponse({
        "method": "sendMessage", "chat_id": chat_id, "parse_mode": "HTML",
        "text": reply.text(user, items, day),
        "reply_markup": {"inline_keyboard": keyboard},
    })
