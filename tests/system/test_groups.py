"""Groups, and all that is no text."""

import pytest

from meals import eaten, rows

BOT = "@family_test_bot"


def said_nothing(talk):
    return talk.chat.log == []


def test_in_a_group_the_bot_speaks_only_when_addressed(stack):
    group = stack.group()
    anna = stack.person("Анна").in_group(group)
    boris = stack.person("Борис").in_group(group)
    anna.says("Ребята, я сегодня съела 200 г гречки")
    boris.says("а я два яйца")
    boris.says("/today@another_bot")
    assert said_nothing(anna)
    seen = boris.asks("/help" + BOT)
    assert "/today" in seen.text


def test_a_mention_writes_down_for_who_wrote(stack):
    group = stack.group()
    anna, boris = stack.person("Анна"), stack.person("Борис")
    seen = anna.in_group(group).asks(f"{BOT} 200 г гречки")
    assert len(rows(seen)) == 1
    assert eaten(anna.asks("/today")) > 100 and eaten(boris.asks("/today")) == 0


def test_a_reply_to_the_bot_addresses_it(stack):
    group = stack.group()
    anna = stack.person("Анна").in_group(group)
    seen = anna.asks("/help" + BOT)
    before = len(anna.chat.log)
    anna.says("200 г гречки", reply_to=seen)
    assert len(anna.chat.log) > before and len(rows(anna.sees())) == 1


def test_what_is_private_is_not_shown_to_a_group(stack):
    group = stack.group()
    anna = stack.person("Анна")
    anna.asks("/profile")
    seen = anna.in_group(group).asks("/delete_me" + BOT)
    assert not seen.has("Да"), "nothing is deleted in front of others"


@pytest.mark.parametrize("command", ["/today", "/week", "/undo", "/history"])
def test_the_diary_is_not_told_to_a_group(stack, command):
    anna = stack.person("Анна")
    anna.asks("200 г гречки")
    seen = anna.in_group(stack.group()).asks(command + BOT)
    assert "речк" not in seen.text and not any(n > 100 for n in seen.numbers())
    assert [b.get("url", "").startswith("https://t.me/family_test_bot")
            for row in seen.message["reply_markup"]["inline_keyboard"] for b in row] == [True]
    assert eaten(anna.asks("/today")) > 100, "nothing was taken back either"


def test_a_group_hears_of_the_meal_that_it_was_told(stack):
    anna = stack.person("Анна")
    anna.asks("300 г борща")
    seen = anna.in_group(stack.group()).asks(f"{BOT} 200 г гречки")
    assert len(rows(seen)) == 1 and "Сегодня" not in seen.text


def test_what_is_written_in_the_name_of_a_chat_is_not_answered(stack):
    group = stack.group()
    talk = stack.person("Канал").in_group(group)
    channel = {"id": -1009000000001, "type": "channel", "title": "Новости"}
    talk.says("/help" + BOT, sender_chat=channel)
    talk.says("/help" + BOT, sender_chat=channel, is_automatic_forward=True)
    assert said_nothing(talk)


def test_somebody_elses_tap_in_a_group_changes_nothing_of_mine(stack):
    group = stack.group()
    anna, boris = stack.person("Анна"), stack.person("Борис")
    seen = anna.in_group(group).asks("/today" + BOT)
    anna.in_group(group).says("200 г гречки", reply_to=seen)
    meal = anna.in_group(group).sees()
    before = eaten(anna.asks("/today"))
    tap = boris.in_group(group).taps("↩", meal)
    assert tap.delivery.attempts[-1].status == 200
    assert eaten(anna.asks("/today")) == before
    now = boris.in_group(group).again(meal)
    assert rows(now) == rows(meal), "the message still shows Anna's meal"


def test_small_groups_have_negative_ids_too(stack):
    group = stack.group(supergroup=False)
    anna = stack.person("Анна")
    seen = anna.in_group(group).asks("/today" + BOT)
    anna.in_group(group).says("200 г гречки", reply_to=seen)
    assert eaten(anna.asks("/today")) > 100


def test_service_messages_of_a_group_are_ignored(stack):
    group = stack.group()
    anna = stack.person("Анна").in_group(group)
    anna.says(new_chat_title="Семья 2")
    anna.says(new_chat_members=[stack.person("Вера").user])
    anna.says(left_chat_member=anna.user)
    assert said_nothing(anna)


FILE = {"file_id": "f", "file_unique_id": "u", "file_size": 10}
OTHER = {
    "sticker": {"sticker": {**FILE, "type": "regular", "width": 1, "height": 1,
                            "is_animated": False, "is_video": False}},
    "location": {"location": {"latitude": 55.7, "longitude": 37.6}},
    "photo": {"photo": [{**FILE, "width": 1, "height": 1}]},
    "voice": {"voice": {**FILE, "duration": 3}},
    "contact": {"contact": {"phone_number": "1", "first_name": "x"}},
    "dice": {"dice": {"emoji": "🎲", "value": 3}},
    "document": {"document": {**FILE, "file_name": "x.pdf"}},
    "video note": {"video_note": {**FILE, "length": 1, "duration": 1}},
}


@pytest.mark.parametrize("kind", OTHER)
def test_what_is_no_text_gets_a_kind_word(stack, kind):
    p = stack.person()
    p.says(**OTHER[kind])
    assert 5 < len(p.sees().text) < 400
    assert eaten(p.asks("/today")) == 0


def test_a_command_under_a_photo_is_heard(stack):
    p = stack.person()
    p.says(**OTHER["photo"], caption="/help")
    assert "/today" in p.sees().text


def test_unknown_commands_and_other_text_make_no_entry(stack):
    p = stack.person()
    for text in ("/fly_to_the_moon", "/", "//", "/today_", "/42", "?", "😀", "спасибо!",
                 "what is the weather like in Moscow?", "напомни мне позвонить маме завтра"):
        p.says(text)
        assert rows(p.sees()) == []
    assert eaten(p.asks("/today")) == 0


def test_commands_are_found_whatever_their_case_and_with_the_bots_name(stack):
    p = stack.person()
    assert p.asks("/HELP").text == p.asks("/help").text == p.asks("/help" + BOT).text


def test_other_bots_are_not_answered(stack):
    p = stack.person()
    p.user = {**p.user, "is_bot": True}
    p.says("100 г риса")
    assert said_nothing(p)
