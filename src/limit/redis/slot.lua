-- What every script of the limiter begins with: the time, what is kept of one window, and what it admits. Each script goes on from here.
--
-- KEYS: when the data began, the hosts, the gate, then one window after the other. ARGV: the server's history, the host that asks,
-- how many hosts it reckons with, three values of the script's own, then seven of each window. Times are microseconds by Redis's
-- own clock; amounts are units of the CRM. Redis 5 and later replicate what a script has changed, so it may ask for the time.
local FIRST, EACH = 7, 7
-- So long nothing is admitted after Redis has come up: until all hosts have noticed, and have stopped counting by themselves.
local SETTLE = 3000000
-- When a request is to come again that waits for what other hosts remember.
local SOON = 5000000
-- A rolling window is counted in so many buckets, beside the one that is being filled.
local BUCKETS = 20
-- What a cut has taken off comes back in 50 minutes, so nothing is forgotten within an hour.
local KEEP = 3600000000
local LONGEST_HOLD = 31 * 86400000000
local LEAST_FACTOR, RECOVERY = 1 / 16, 0.02 / 60000000
-- A host is reckoned with for a day after it has asked last.
local ALIVE = 86400000000

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local host, hosts = ARGV[2], tonumber(ARGV[3])

-- Others can write into the same database: whatever is no sensible number is nil.
local function number(text)
  local value = tonumber(text or nil)
  if value and value >= 0 and value <= 9e15 then return value end
end

-- Since when the data is whole. A server with a history that nobody has seen before has just come up, or has taken over from
-- another, and may have lost the last that was counted.
local function born()
  local history, stored = ARGV[1], redis.pcall('HMGET', KEYS[1], 'at', 'histories')
  if stored.err then
    redis.call('DEL', KEYS[1])
    stored = {}
  end
  local at, known = number(stored[1]), stored[2] or ''
  if at and at <= now and (history == '' or string.find(known, history, 1, true)) then return at end
  redis.call('HSET', KEYS[1], 'at', now, 'histories', string.sub(history .. ' ' .. known, 1, 400))
  redis.call('EXPIRE', KEYS[1], 40 * 86400)
  return now
end

-- A hold that stands in the way; none of those that no CRM can have asked for.
local function holds(text)
  local hold = number(text) or 0
  return hold <= now + LONGEST_HOLD and hold or 0
end

-- What is left of the amount, after refusals and by the CRM's own words, and what follows from it.
local function scale(window)
  local amount, burst = window.amount * window.factor, window.burst * window.factor
  if window.told > 0 and window.told < amount then
    amount, burst = window.told, burst * window.told / amount
  end
  window.limit = math.max(1, math.floor(amount))
  if not window.width then
    window.most = math.max(1, math.min(math.floor(burst), window.limit - 1))
    local even = window.limit - window.most
    -- One in a window: the next after its end.
    window.step = even > 0 and window.period / even or window.period + 1
  end
end

-- Which day a time belongs to, in windows by days.
local function day(window, time)
  return math.floor((time - window.shift) / window.width)
end

-- Which part of the window lies before `since`: 0 where nothing of that time counts any more.
local function before(window)
  if window.kind == 'daily' then
    if day(window, window.since) ~= window.current then return 0 end
    return (window.since - window.shift) / window.width - window.current
  end
  return math.max(0, math.min(1, 1 - (now - window.since) / window.period))
end

-- What is known to be used: what has been counted, and what hosts remember of the time before `since`.
local function counted(window)
  local sum = before(window) > 0 and window.lost or 0
  for _, count in pairs(window.counts) do sum = sum + count end
  return sum
end

-- What counts as used: until all hosts have said what they remember, the rest of that time is taken to have been used evenly and fully.
local function used(window)
  local share = window.sure and 0 or before(window)
  return counted(window) + math.ceil(math.max(0, window.limit - window.lost) * share)
end

-- The buckets that still count. False: there are some that cannot be.
local function buckets(window, raw, from)
  for place = 0, window.back do
    local text = raw[from + place]
    if text then
      local index, count = string.match(text, '^(%d+):(%d+)$')
      index, count = number(index), number(count)
      if not index or not count or index > window.current + 1 or index % (window.back + 1) ~= place then return false end
      if index >= window.current - window.back then window.counts[index] = count end
    end
  end
  return true
end

-- A host says what it remembers of the time before `since` (below 0: nothing is said); once.
local function remember(window, known)
  if known < 0 or before(window) == 0 or string.find(window.heard, host, 1, true) or #window.heard > 4000 then return end
  window.heard = window.heard .. host .. ' '
  window.lost = math.max(window.lost, known)
  window.raised = true
end

-- Window number `i`, as it is now.
local function load(i, birth)
  local at = FIRST + (i - 1) * EACH
  local window = { key = KEYS[3 + i], kind = ARGV[at], amount = tonumber(ARGV[at + 1]), period = tonumber(ARGV[at + 2]),
    burst = tonumber(ARGV[at + 3]), shift = tonumber(ARGV[at + 4]) * 1000000, cost = tonumber(ARGV[at + 5]), counts = {}, changes = {} }
  local fields = { 'since', 'hold', 'factor', 'cut', 'told', 'tat', 'lost', 'heard' }
  if window.kind == 'rolling' then
    window.width, window.back = window.period / BUCKETS, BUCKETS
  elseif window.kind == 'daily' then
    window.width, window.back = 86400000000, 0
  end
  for place = 0, window.back or -1 do fields[#fields + 1] = 'r' .. place end
  local raw = redis.pcall('HMGET', window.key, unpack(fields))
  local damaged = raw.err and true or false
  if damaged then raw = {} end
  local stored = {}
  for place = 1, 7 do
    stored[place] = number(raw[place])
    damaged = damaged or raw[place] and not stored[place]
  end
  local since = stored[1]
  damaged = damaged or since and since > now + SETTLE
  window.hold, window.cut, window.told = holds(raw[2]), math.min(stored[4] or 0, now), stored[5] or 0
  window.factor = math.max(LEAST_FACTOR, math.min(1, (stored[3] or 1) + (now - window.cut) * RECOVERY))
  window.since, window.lost, window.heard = since or 0, stored[7] or 0, raw[8] or ''
  scale(window)
  if window.width then
    window.current = day(window, now)
    if not buckets(window, raw, 9) then damaged = true end
  else
    window.tat = stored[6] or 0
    -- Nobody can have taken so much at once: of another clock.
    local furthest = math.max(now + SETTLE, window.hold) + window.period + window.most * window.step
    if window.tat > furthest then window.tat = now + window.period end
  end
  if damaged or not since or since < birth then
    -- Nothing that is stored vouches for what has been taken: it begins as if everything had been.
    if window.width then window.lost = counted(window) end
    window.since, window.counts, window.heard = damaged and now or birth + SETTLE, {}, ''
    window.renewed = damaged or since
    if not window.width then window.tat = math.max(window.tat, window.since + window.most * window.step) end
  end
  if window.width then
    remember(window, tonumber(ARGV[at + 6]))
    local _, reports = string.gsub(window.heard, ' ', '')
    window.sure = reports >= hosts
  end
  return window
end

local function set(window, field, value)
  local changes = window.changes
  changes[#changes + 1], changes[#changes + 2] = field, value
end

-- Writes what has changed; everything goes by itself when it means nothing any more.
local function save(window)
  if window.renewed then
    redis.call('DEL', window.key)
    for _, field in ipairs({ 'hold', 'told' }) do set(window, field, window[field]) end
  end
  if window.renewed or window.slowed then
    set(window, 'factor', window.factor)
    set(window, 'cut', now)
  end
  set(window, 'since', window.since)
  if window.width then
    set(window, 'lost', window.lost)
    set(window, 'heard', window.heard)
    for index, count in pairs(window.counts) do
      set(window, 'r' .. index % (window.back + 1), string.format('%.0f:%.0f', index, count))
    end
  else
    set(window, 'tat', window.tat)
  end
  redis.call('HSET', window.key, unpack(window.changes))
  local life = math.max(KEEP, 2 * math.max(window.period, window.width or 0), (window.tat or 0) - now, window.hold - now + 60000000)
  redis.call('PEXPIRE', window.key, string.format('%.0f', math.ceil(life / 1000)))
end

-- Microseconds until it may go; 0 and less: now.
local function wait(window)
  if not window.width then
    -- A cost above the burst waits until as much of the window has stayed unused as it exceeds the burst by.
    return window.tat + (math.min(window.cost, window.limit) - window.most) * window.step - now
  end
  -- What costs more than the whole amount goes when nothing else does.
  local cost = math.min(window.cost, window.limit)
  local over = used(window) + cost - window.limit
  if over <= 0 then return 0 end
  -- Where only what is assumed stands in its way another host may speak at any time.
  local soon = counted(window) + cost <= window.limit and SOON or math.huge
  if window.kind == 'daily' then return math.min(soon, (window.current + 1) * window.width + window.shift - now) end
  local left = before(window) > 0 and window.since + window.period - now or window.period
  local freed = 0
  for index = window.current - window.back, window.current do
    freed = freed + (window.counts[index] or 0)
    if freed >= over then
      left = math.min(left, (index + BUCKETS + 1) * window.width - now)
      break
    end
  end
  return math.max(1000, math.min(soon, left))
end

-- Counts what has been admitted.
local function charge(window)
  if window.width then
    window.counts[window.current] = (window.counts[window.current] or 0) + window.cost
  else
    window.tat = math.max(window.tat, now) + math.min(window.cost, window.limit) * window.step
  end
end

-- How long the gate is held.
local function gate_wait()
  local stored = redis.pcall('HMGET', KEYS[3], 'hold')
  return stored.err and 0 or holds(stored[1]) - now
end
