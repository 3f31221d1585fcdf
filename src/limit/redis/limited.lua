-- The CRM has refused: the gate waits, and what is paced goes on more slowly. Of several refusals of one moment only the first
-- counts: what was under way belongs to the same event. ARGV 4 to 6: since when the request was under way, how long to wait,
-- whether a quota is used up (then nothing was too fast).
local birth, started, hold = born(), now - tonumber(ARGV[4]), now + math.min(tonumber(ARGV[5]), LONGEST_HOLD)
local quota = ARGV[6] == '1'
local stored = redis.pcall('HMGET', KEYS[3], 'hold')
if stored.err then redis.call('DEL', KEYS[3]) end
if stored.err or holds(stored[1]) < hold then
  redis.call('HSET', KEYS[3], 'hold', hold)
  redis.call('PEXPIRE', KEYS[3], string.format('%.0f', math.ceil((hold - now) / 1000) + 60000))
end
for i = 1, #KEYS - 3 do
  local window = load(i, birth)
  local paced = not window.width
  if paced or quota then
    window.hold = math.max(window.hold, hold)
    set(window, 'hold', window.hold)
  end
  if paced and not quota and started > window.cut then
    window.factor, window.cut, window.slowed = math.max(LEAST_FACTOR, window.factor / 2), now, true
    scale(window)
  end
  -- What was saved up meanwhile would come all at once, into a window that is just opening.
  if paced then window.tat = math.max(window.tat, hold + (window.most - 1) * window.step) end
  save(window)
end
return {}
