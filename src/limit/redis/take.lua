-- One request asks for all it costs at once: everything is taken, or nothing. Answers {wait, cause, window, hosts, known use of each
-- window…}; cause: 0 it may go, 1 the window is used up, 2 the CRM has asked to wait, 3 Redis has just come up.
local birth = born()
local seen = redis.pcall('ZSCORE', KEYS[2], host)
if type(seen) == 'table' and seen.err then
  redis.call('DEL', KEYS[2])
  seen = nil
end
if now - (number(seen) or 0) > 60000000 then
  redis.call('ZADD', KEYS[2], string.format('%.0f', now), host)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('(%.0f', now - ALIVE))
  redis.call('EXPIRE', KEYS[2], 2 * 86400)
  redis.call('EXPIRE', KEYS[1], 40 * 86400)
end
local alive = redis.call('ZCARD', KEYS[2])
-- Not all have come back yet.
if now < birth + ALIVE then alive = math.max(alive, hosts) end
local longest, cause, which = 0, 0, 0
local function consider(pause, why, i)
  if pause > longest then longest, cause, which = pause, why, i end
end
consider(gate_wait(), 2, 0)
if #KEYS > 3 then consider(birth + SETTLE - now, 3, 0) end
local windows, answer = {}, {}
for i = 1, #KEYS - 3 do
  local window = load(i, birth)
  windows[i] = window
  consider(window.hold - now, 2, i)
  consider(wait(window), 1, i)
end
for i, window in ipairs(windows) do
  if cause == 0 then charge(window) end
  if cause == 0 or window.renewed or window.raised then save(window) end
  answer[4 + i] = window.width and counted(window) or 0
end
answer[1], answer[2], answer[3], answer[4] = math.ceil(longest), cause, which, alive
return answer
