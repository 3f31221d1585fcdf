-- How things stand in one window. Answers {used, left, amount in use, time until the cost may go, time for which the CRM has asked to wait}.
local birth = born()
local window = load(1, birth)
local spent, whole
if window.width then
  spent, whole = used(window), window.limit
else
  spent, whole = math.ceil(math.max(0, window.tat - now) / window.step), window.most
end
return { spent, math.max(0, whole - spent), window.limit, math.ceil(math.max(0, wait(window), birth + SETTLE - now)),
  math.ceil(math.max(0, window.hold - now)) }
