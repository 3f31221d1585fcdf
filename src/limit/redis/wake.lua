-- A call to whoever waits at KEYS[1]. Several calls are as good as one, so only the last few are kept.
if redis.call('TYPE', KEYS[1]).ok ~= 'stream' then redis.call('DEL', KEYS[1]) end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '16', '*', 'by', ARGV[1])
redis.call('EXPIRE', KEYS[1], 86400)
return id
