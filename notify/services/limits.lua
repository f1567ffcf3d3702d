-- Takes `wanted` requests of one service, key type and message type from the limits of the minute and of the day.
-- Answers how many may pass, and the limit that stopped the others: 0 none, 1 the minute's, 2 the day's, 3 the day's for
-- international texts. What passes is counted towards its day at once, so that no two requests get the same place.
-- KEYS: 1 token bucket, 2 counter of the day, 3 counter of the day for international texts (optional)
-- ARGV: 1 wanted, 2 now (epoch seconds), 3 tokens a second, 4 capacity (0: no minute's limit),
--       5 whether to count (1) or only to look (0), 6 limit of KEYS[2], 7 limit of KEYS[3]
local wanted = tonumber(ARGV[1])
local passed = wanted
local stopped = 0
local capacity = tonumber(ARGV[4])
if capacity > 0 then
  local now = tonumber(ARGV[2])
  local rate = tonumber(ARGV[3])
  local last, tokens = now, capacity
  local state = redis.call('GET', KEYS[1])
  if state and #state >= 12 then
    last, tokens = struct.unpack('<di4', state)
  end
  local granted = math.floor(math.max(now - last, 0) * rate)
  tokens = math.min(tokens + granted, capacity)
  if rate > 0 then
    last = last + granted / rate
  end
  -- a request is refused when less than one token is left after it took its own
  passed = math.min(wanted, math.max(tokens - 1, 0))
  tokens = math.max(tokens - wanted, 0)
  redis.call('SET', KEYS[1], struct.pack('<di4', last, tokens))
  if passed < wanted then
    stopped = 1
  end
end
for position = 2, #KEYS do
  local count = redis.call('GET', KEYS[position])
  if not count then
    redis.call('SET', KEYS[position], 0, 'EX', 86400)
    count = 0
  end
  local left = math.max(tonumber(ARGV[4 + position]) - tonumber(count), 0)
  if ARGV[5] == '0' and left > 0 then
    left = wanted  -- those that only look take no place from each other
  end
  if left < passed then
    passed = left
    stopped = position
  end
end
if ARGV[5] == '1' and passed > 0 then
  for position = 2, #KEYS do
    redis.call('INCRBY', KEYS[position], passed)
  end
end
return {passed, stopped}
