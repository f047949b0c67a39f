/* lang_en.c - what the bot says in English.  See text.h for placeholders. */
#include "config.h"

#include "bot/text.h"

static const char *const texts[] = {
	/* words */
	[T_SKIP] = "Skip",
	[T_BACK] = "‹ Back",
	[T_CLOSE] = "Close",
	[T_TODAY] = "Today",
	[T_YESTERDAY] = "Yesterday",
	[T_DAY_0] = "Monday", [T_DAY_1] = "Tuesday", [T_DAY_2] = "Wednesday",
	[T_DAY_3] = "Thursday", [T_DAY_4] = "Friday", [T_DAY_5] = "Saturday",
	[T_DAY_6] = "Sunday",
	[T_DAY_SHORT_0] = "Mon", [T_DAY_SHORT_1] = "Tue", [T_DAY_SHORT_2] = "Wed",
	[T_DAY_SHORT_3] = "Thu", [T_DAY_SHORT_4] = "Fri", [T_DAY_SHORT_5] = "Sat",
	[T_DAY_SHORT_6] = "Sun",
	[T_MONTH_1] = "January", [T_MONTH_2] = "February", [T_MONTH_3] = "March",
	[T_MONTH_4] = "April", [T_MONTH_5] = "May", [T_MONTH_6] = "June",
	[T_MONTH_7] = "July", [T_MONTH_8] = "August", [T_MONTH_9] = "September",
	[T_MONTH_10] = "October", [T_MONTH_11] = "November", [T_MONTH_12] = "December",
	[T_DATE] = "{0}, {1} {2}",

	/* the shard is away */
	[T_LATER] = "🕓 Saved, I will answer a little later.",
	[T_LATER_TAP] = "Noted, I will do it a little later.",

	/* getting to know each other */
	[T_HELLO] = "👋 <b>Hello, {0}!</b>\n"
	    "I keep your family's food diary. Write what you ate, in your own words, "
	    "and I count the calories.\n\n"
	    "Seven short questions give you a daily target. Any of them can be skipped.",
	[T_HELLO_NAMELESS] = "👋 <b>Hello!</b>\n"
	    "I keep your family's food diary. Write what you ate, in your own words, "
	    "and I count the calories.\n\n"
	    "Seven short questions give you a daily target. Any of them can be skipped.",
	[T_STEP] = "<i>Question {0} of 7</i>",
	[T_ASK_LANGUAGE] = "Which language shall we speak?",
	[T_ASK_SEX] = "Your sex? The energy formula differs.",
	[T_ASK_AGE] = "How old are you?\n<i>Tap the nearest, or write the number.</i>",
	[T_ASK_HEIGHT] = "How tall are you, in centimetres?\n<i>Tap the nearest, or write the number.</i>",
	[T_ASK_WEIGHT] = "What do you weigh, in kilograms?\n<i>Tap the nearest, or write it: 72.5</i>",
	[T_ASK_ACTIVITY] = "How active are your days?",
	[T_ASK_GOAL] = "What is your goal?",
	[T_ASK_TARGET] = "How many kcal a day do you want as your target? Write a number, "
	    "for example 1800.",
	[T_TARGET_COMPUTED] = "Use the computed target",
	[T_BAD_AGE] = "Please write your age as a number from {0} to {1}.",
	[T_BAD_HEIGHT] = "Please write your height in centimetres, from {0} to {1}.",
	[T_BAD_WEIGHT] = "Please write your weight in kilograms, from {0} to {1}.",
	[T_BAD_TARGET] = "Please write a number from {0} to {1} kcal.",
	[T_BAD_TARGET_MINOR] = "Before 18 I do not set a target below {0} kcal: a growing body "
	    "needs the energy. A doctor can advise otherwise.",
	[T_SEX_MALE] = "Man",
	[T_SEX_FEMALE] = "Woman",
	[T_ACTIVITY_1] = "🪑 Mostly sitting",
	[T_ACTIVITY_2] = "🚶 Light: 1–3 workouts a week",
	[T_ACTIVITY_3] = "🏃 Moderate: 3–5 workouts a week",
	[T_ACTIVITY_4] = "💪 High: 6–7 workouts a week",
	[T_ACTIVITY_5] = "🏋 Very high: hard physical work",
	[T_GOAL_1] = "📉 Lose weight",
	[T_GOAL_2] = "⚖️ Keep weight",
	[T_GOAL_3] = "📈 Gain weight",
	[T_START_DONE] = "✅ <b>All set!</b>",
	[T_START_TRY] = "Now just write what you ate, for example:\n"
	    "<i>two eggs, toast with butter and a cup of coffee</i>",
	[T_ENERGY_BASAL_MALE] = "Resting: 10 × {0} kg + 6.25 × {1} cm − 5 × {2} years + 5 = <b>{3} kcal</b>",
	[T_ENERGY_BASAL_FEMALE] = "Resting: 10 × {0} kg + 6.25 × {1} cm − 5 × {2} years − 161 = <b>{3} kcal</b>",
	[T_ENERGY_TOTAL] = "With your activity: × {0} = <b>{1} kcal</b>",
	[T_ENERGY_LOSE] = "To lose weight: −15 %",
	[T_ENERGY_GAIN] = "To gain weight: +10 %",
	[T_ENERGY_MINOR] = "Before 18 there is no deficit: a growing body needs the energy.",
	[T_ENERGY_FORMULA] = "<i>Mifflin–St Jeor formula. An estimate, not medical advice.</i>",
	[T_ENERGY_TARGET] = "🎯 Daily target: <b>{0} kcal</b>",
	[T_ENERGY_OWN] = "🎯 Daily target: <b>{0} kcal</b> (your own)",
	[T_ENERGY_LOW] = "💛 That is less than your body uses at rest. Please ask a doctor before "
	    "eating so little for long.",
	[T_ENERGY_UNKNOWN] = "No daily target yet: tell me your sex, age, height and weight in /profile, "
	    "or set a target of your own.",

	/* food */
	[T_MEAL_TITLE] = "✅ <b>Written down</b>",
	[T_TOO_LONG_AGO] = "I cannot write that far back yet: only today and “yesterday”.\n"
	    "Write it again without the day, and it goes to today.",
	[T_MEAL_TITLE_EDITED] = "✏️ <b>Changed</b>",
	[T_MEAL_TITLE_VIEW] = "🍽 <b>{0}</b>",
	[T_MEAL_TITLE_UNDONE] = "↩️ <b>Removed</b>",
	[T_ITEM] = "• <b>{0}</b> — {1} g",
	[T_ITEM_GUESSED] = "• <b>{0}</b> — ≈ {1} g",
	[T_ITEM_KCAL] = "   {0} kcal",
	[T_ROW_BUTTON] = "{0} · {1} g",
	[T_FOOD_BUTTON] = "{0} · {1} kcal",
	[T_ITEM_FIGURES] = "   {0} kcal · P {1} · F {2} · C {3}",
	[T_MEAL_TOTAL] = "<b>Total {0} kcal</b> · P {1} · F {2} · C {3} g",
	[T_LEFT] = "{0}: {1} of {2} kcal, <b>{3} left</b>",
	[T_LEFT_OVER] = "{0}: {1} of {2} kcal, <b>{3} over</b>",
	[T_LEFT_NO_TARGET] = "{0}: <b>{1} kcal</b> so far",
	[T_SOURCE_USDA] = "USDA table SR24",
	[T_SOURCE_RECIPE] = "typical recipe",
	[T_SOURCE_OWN] = "your own food",
	[T_SOURCES] = "<i>Figures: {0}</i>",
	[T_SOURCES_GUESSED] = "<i>Figures: {0}. ≈ usual portion, as no amount was said.</i>",
	[T_TRUNCATED] = "<i>That was a long list: I took the first {0}. Please send the rest separately.</i>",
	[T_BAD_AMOUNT] = "I could not believe one of the amounts and left it out. How much was it? "
	    "For example: <i>apple 150 g</i>",
	[T_BTN_UNDO] = "↩ Undo",
	[T_BTN_RESTORE] = "↪ Put it back",
	[T_BTN_HALF] = "½×",
	[T_BTN_DOUBLE] = "2×",
	[T_BTN_NOT_THIS] = "🔄 Not this",
	[T_BTN_DROP] = "❌ Delete a row",
	[T_BTN_REPEAT] = "🔁 Repeat",
	[T_BTN_TODAY] = "📅 Today",
	[T_BTN_WEEK] = "📊 Week",
	[T_BTN_HISTORY] = "🗂 History",
	[T_BTN_OLDER] = "Older ›",
	[T_BTN_NEWEST] = "« Newest",
	[T_CHOOSE_SWAP_ITEM] = "Which row is wrong?",
	[T_CHOOSE_SWAP] = "What was <b>{0}</b> really?",
	[T_NO_OTHER] = "I know nothing closer to “{0}”. Delete the row and write it in other words.",
	[T_CHOOSE_DROP] = "Which row shall I delete?",
	[T_TOAST_UNDONE] = "Removed",
	[T_TOAST_RESTORED] = "Back in the diary",
	[T_TOAST_CHANGED] = "Changed",
	[T_TOAST_STALE] = "This had changed meanwhile. Here is how it is now.",
	[T_TOAST_GONE] = "This entry is no longer there.",
	[T_TOAST_LIMIT] = "That would be more than one person eats.",
	[T_TOAST_REPEATED] = "Written down again",
	[T_ASK_UNKNOWN] = "🤔 I do not know <b>{0}</b> yet. How many kcal are in 100 g? It is on the package.\n"
	    "Write <code>350</code>, or with protein, fat and carbohydrate: <code>350 12 5 40</code>\n"
	    "I will remember it for you.",
	[T_ASK_UNKNOWN_AGAIN] = "Please write kcal per 100 g, from 0 to 900, for example <code>350</code> "
	    "or <code>350 12 5 40</code>.",
	[T_LEARNED] = "👍 I remember <b>{0}</b>: {1} kcal per 100 g.",
	[T_FORGET_IT] = "Never mind",
	[T_SKIPPED] = "All right, without it.",
	[T_DAY_FULL] = "This day already has {0} entries; more do not fit. Delete some in /history.",
	[T_OWN_FULL] = "You have taught me {0} foods, which is the most I can keep for one person.",
	[T_NOTHING_YESTERDAY] = "Nothing was written down the day before, so there is nothing to repeat.",
	[T_NOT_FOOD] = "🙂 I keep your food diary. Tell me what you ate and how much, for example:\n"
	    "<i>200 g buckwheat, 2 eggs and a glass of milk</i>\n\n"
	    "/today shows your day, /help shows everything I can do.",
	[T_EDIT_NO_FOOD] = "I found no food in the edited message, so the entry stays as it was. "
	    "You can remove it below.",
	[T_NO_PHOTO] = "I cannot read photos yet. Please write what is on the plate, for example "
	    "<i>borscht 300 g and a slice of bread</i>.",
	[T_NO_VOICE] = "I cannot listen yet. Please write it in a few words.",
	[T_NO_STICKER] = "😊 Nice! If you have eaten something, write it in words.",
	[T_NO_LOCATION] = "Thank you! I need no place to count calories. Your time zone is in /timezone.",
	[T_NO_OTHER_CONTENT] = "I understand text only. Write what you ate, or see /help.",
	[T_UNKNOWN_COMMAND] = "I do not know {0}. Here is what I can do: /help",
	[T_NOT_YOURS] = "This answers somebody else. Ask me yourself!",
	[T_PRIVATE_ONLY] = "🔒 This is personal: let us do it in our private chat.",
	[T_BTN_PRIVATE] = "💬 Open the private chat",
	[T_TAP_OLD] = "This button is old, so I changed nothing. Please ask me again.",

	/* what was meant */
	[T_READ_COMMAND] = "⌨️ A command",
	[T_READ_TALK] = "💬 Just words",
	[T_READ_QUESTION] = "🔎 Only tell me the calories",
	[T_READ_FOOD] = "🍽 Write it down",
	[T_CHOICE_ASK] = "🤔 “{0}”: shall I write it down, or only count?",
	[T_TALK_THANKS] = "😊 You are welcome! Just go on telling me what you eat.",
	[T_TALK_HELLO] = "👋 Hello! I keep a food diary. Tell me what you ate, for example "
	    "<i>200 g rice</i>. Everything I can do: /help",
	[T_TALK_BYE] = "👋 See you! Your food diary is waiting here.",
	[T_QUESTION_ROW] = "🔎 <b>{0}</b>\nin 100 g: <b>{1} kcal</b>",
	[T_QUESTION_MACROS] = " · P {0} · F {1} · C {2}",
	[T_QUESTION_PORTION] = "a usual portion ≈ {0} g: {1} kcal",
	[T_QUESTION_AMOUNT] = "{0} g: <b>{1} kcal</b>",
	[T_QUESTION_UNKNOWN] = "🤔 I do not know “{0}” yet. Tell me that you ate it, and I will ask "
	    "for the calories on its package.",
	[T_QUESTION_END] = "<i>For information only: nothing was written down.</i>",

	/* looking back */
	[T_DAY_TITLE] = "📅 <b>{0}</b>",
	[T_DAY_EMPTY] = "Nothing written down yet. What did you eat?",
	[T_DAY_ROW] = "{0}  {1} — {2} kcal",
	[T_DAY_MORE] = "… and {0} more {0:entry|entries}",
	[T_DAY_TOTAL] = "<b>{0} kcal</b> · protein {1} · fat {2} · carbohydrate {3} g",
	[T_DAY_TARGET_LEFT] = "🎯 of {0} kcal, <b>{1} left</b>",
	[T_DAY_TARGET_OVER] = "🎯 of {0} kcal, <b>{1} over</b>",
	[T_WEEK_TITLE] = "📊 <b>Last 7 days</b>",
	[T_WEEK_EMPTY] = "Nothing was written down in the last 7 days.",
	[T_WEEK_AVERAGE] = "On average <b>{0} kcal</b> on {1} {1:day|days} with entries\n"
	    "protein {2} · fat {3} · carbohydrate {4} g",
	[T_WEEK_TARGET] = "🎯 target {0} kcal a day",
	[T_HISTORY_TITLE] = "🗂 <b>History</b>\n<i>Tap a number to see or change an entry.</i>",
	[T_HISTORY_EMPTY] = "There are no entries here.",
	[T_HISTORY_NONE] = "Your diary is empty so far. Write what you ate.",
	[T_CANCELLED] = "👌 Fine, I take the question back.",
	[T_CANCEL_NOTHING] = "I am not asking anything right now. To remove the last entry: /undo",
	[T_UNDO_NOTHING] = "There is nothing to undo.",

	/* profile */
	[T_PROFILE_TITLE] = "👤 <b>Your profile</b>",
	[T_PROFILE_LINE] = "{0}: <b>{1}</b>",
	[T_PROFILE_UNSET] = "not said",
	[T_FIELD_LANGUAGE] = "Language",
	[T_FIELD_SEX] = "Sex",
	[T_FIELD_AGE] = "Age",
	[T_FIELD_HEIGHT] = "Height",
	[T_FIELD_WEIGHT] = "Weight",
	[T_FIELD_ACTIVITY] = "Activity",
	[T_FIELD_GOAL] = "Goal",
	[T_FIELD_TARGET] = "Own target",
	[T_FIELD_ZONE] = "Time zone",
	[T_VALUE_AGE] = "{0} {0:year|years}",
	[T_VALUE_CM] = "{0} cm",
	[T_VALUE_KG] = "{0} kg",
	[T_VALUE_KCAL] = "{0} kcal",

	/* language, zone */
	[T_LANGUAGE_ASK] = "🌐 Which language shall we speak?",
	[T_LANGUAGE_SET] = "🌐 From now on in English.",
	[T_ZONE_TITLE] = "🕐 Your time zone: <b>{0}</b>, it is {1} there.\nA new day begins at <b>{2}</b>.",
	[T_ZONE_HOW] = "<i>Tap a city of your time zone, or write another, for example Paris.</i>",
	[T_ZONE_UNKNOWN] = "I do not know the city “{0}”. Write the nearest big one, or a zone such as "
	    "Europe/Berlin.",
	[T_ZONE_DAY_START] = "Day from {0}",

	/* help and leaving */
	[T_HELP] = "<b>What I can do</b>\n"
	    "Write what you ate and I count it:\n"
	    "<i>200 g buckwheat, 2 eggs and half a glass of milk</i>\n"
	    "<i>same as yesterday</i>\n"
	    "Made a mistake? Edit your message, or use the buttons under my answer.",
	[T_HELP_LINE] = "/{0} — {1}",
	[T_DELETE_ASK] = "🗑 <b>Delete everything about you?</b>\n"
	    "Gone for good will be:\n• your profile and target\n• the whole food diary\n"
	    "• the foods you taught me\n\nThis cannot be undone.",
	[T_DELETE_YES] = "🗑 Yes, delete everything",
	[T_DELETE_NO] = "No, keep it",
	[T_DELETE_DONE] = "Done: everything about you has been deleted. If you ever want to begin again: /start",
	[T_DELETE_TAP] = "Words are not enough, so that nothing is deleted by accident: tap the button under "
	    "the question.",
	[T_DELETE_OLD] = "🙂 This button is old, so nothing was deleted. "
	    "If you still want your data erased: /delete_me",
	[T_DELETE_KEPT] = "👍 Nothing was deleted.",

	/* descriptions of commands */
	[T_CMD_START] = "begin, set your daily target",
	[T_CMD_TODAY] = "what you ate today",
	[T_CMD_WEEK] = "the last seven days",
	[T_CMD_HISTORY] = "all entries, change or delete",
	[T_CMD_UNDO] = "remove the last entry",
	[T_CMD_PROFILE] = "your figures and target",
	[T_CMD_LANGUAGE] = "English or Russian",
	[T_CMD_TIMEZONE] = "time zone and start of day",
	[T_CMD_HELP] = "what I can do",
	[T_CMD_CANCEL] = "take my question back",
	[T_CMD_DELETE_ME] = "delete all your data",
};

static int plural(int64_t n)
{
	return n == 1 ? 0 : 1;
}

const struct language language_en = { "en", "English", plural, texts };
