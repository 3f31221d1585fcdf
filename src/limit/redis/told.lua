-- The CRM's own count of one window: so many are left (ARGV 4) of its limit (ARGV 5; below 0: it does not say). It can only take
-- away: a limit larger than ours may be of another plan, and others may draw on it too.
local birth = born()
local window = load(1, birth)
local remaining, limit = tonumber(ARGV[4]), tonumber(ARGV[5])
if limit >= 0 then
  window.told = limit < window.amount and math.max(1, limit) or 0
  set(window, 'told', window.told)
  scale(window)
end
if window.width then
  local missing = (limit >= 0 and limit or window.amount) - remaining - counted(window)
  if missing > 0 then window.counts[window.current] = (window.counts[window.current] or 0) + missing end
else
  window.tat = math.max(window.tat, now + (window.most - remaining) * window.step)
end
save(window)
return {}
