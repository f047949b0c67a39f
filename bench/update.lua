-- update.lua - for wrk: food phrases as Telegram sends them, every one with a
-- message id of its own, from one of many users.
--
-- Arguments: secret users first-id first-message-id phrase check|measure
-- "check" looks at every answer (which costs wrk time), "measure" at none but
-- its status; both print one line of JSON at the end.

local head = [[{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,]] ..
    [["is_bot":false,"first_name":"Анна","username":"anna",]] ..
    [["language_code":"ru"},"chat":{"id":%d,"first_name":"Анна",]] ..
    [["username":"anna","type":"private"},"date":%d,"text":"%s"%s}}]]

local threads = 0

function setup(thread)
	thread:set("number", threads)
	threads = threads + 1
	thread:set("wrong", 0)
	all = all or {}
	all[#all + 1] = thread
end

function init(args)
	users = tonumber(args[2])
	first = tonumber(args[3])
	id = tonumber(args[4]) + number * 100000000
	phrase = args[5]
	expected = args[7] or "sendMessage"
	date = os.time()
	entities = ""
	if phrase:sub(1, 1) == "/" then
		entities = (',"entities":[{"type":"bot_command","offset":0,' ..
		    '"length":%d}]'):format(#phrase)
	end
	math.randomseed(id + date)
	wrk.headers["Content-Type"] = "application/json"
	wrk.headers["X-Telegram-Bot-Api-Secret-Token"] = args[1]
	if args[6] == "check" then
		response = function(status, headers, body)
			if status ~= 200 or not body:find(expected, 1, true) then
				if wrong == 0 then
					io.stderr:write("wrong answer: ", status, " ",
					    body:sub(1, 400), "\n")
				end
				wrong = wrong + 1
			end
		end
	end
end

function request()
	local user = first + math.random(0, users - 1)

	id = id + 1
	return wrk.format("POST", "/api/webhook", nil,
	    head:format(id, id, user, user, date, phrase, entities))
end

function done(summary, latency, requests)
	local wrong = 0
	local e = summary.errors

	for _, thread in ipairs(all) do
		wrong = wrong + thread:get("wrong")
	end
	print(("{\"requests\":%d,\"seconds\":%.6f,\"not_2xx\":%d," ..
	    "\"failed\":%d,\"wrong\":%d,\"p50_ms\":%.3f,\"p99_ms\":%.3f," ..
	    "\"max_ms\":%.3f}"):format(summary.requests,
	    summary.duration / 1e6, e.status,
	    e.connect + e.read + e.write + e.timeout, wrong,
	    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
	    latency.max / 1e3))
end
