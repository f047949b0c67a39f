"""The same bot on aiogram 3 (aiohttp webhook), with the same storage."""

import os

from aiogram import Bot, Dispatcher, F, Router
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web

import phrases
import reply
from storage import Storage

router = Router()


@router.message(F.text)
async def food(message: Message, store: Storage):
    items = phrases.parse(message.text)
    if not items:
        return message.answer("Не понял. Напишите, например: 100 г гречки")
    user = await store.profile(message.from_user.id)
    day = await store.add(
        user, message.chat.id, message.message_id,
        message.date.timestamp(), items)
    keyboard = InlineKeyboardMarkup(inline_keyboard=[
        [InlineKeyboardButton(text=label, callback_data=data)
         for label, data in row]
        for row in reply.buttons(message.message_id)
    ])
    return message.answer(
        reply.text(user, items, day), parse_mode="HTML", reply_markup=keyboard)


async def application():
    """gunicorn's entry: one application per process."""
    store = Storage()
    await store.open()
    dispatcher = Dispatcher(store=store)
    dispatcher.include_router(router)
    bot = Bot("42:BENCH")
    app = web.Application()
    # In the foreground, so that the answer travels in the webhook's response.
    SimpleRequestHandler(
        dispatcher, bot, handle_in_background=False,
        secret_token=os.environ["WEBHOOK_SECRET"],
    ).register(app, path="/api/webhook")
    setup_application(app, dispatcher, bot=bot)
    return app
