-- Gives back what was taken so many microseconds ago (ARGV 4) and never left the machine.
local birth, ago = born(), tonumber(ARGV[4])
for i = 1, #KEYS - 3 do
  local window = load(i, birth)
  if window.width then
    local index = day(window, now - ago)
    local count = window.counts[index]
    if count then window.counts[index] = math.max(0, count - window.cost) end
  elseif ago < window.cost * window.step then
    -- What has been paid off since is of no use to anybody any more.
    window.tat = window.tat - window.cost * window.step
  end
  save(window)
end
return {}
